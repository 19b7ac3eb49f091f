"""Commands about people: each that changes something leaves an entry in the audit."""

from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_task, make_user
from webapp.lib.quota_variables import Quota
from webapp.models import AuditEntry, Session, State, Task, User
from webapp.models.audit import Outcome
from webapp.models.permissions import Role
from webapp.models.quotas import most_of

NEW_PASSWORD = "one more that nobody guesses"


def run(app, *command: str, **kwargs: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=["people", *command], **kwargs)
    return result.exit_code, result.output


def test_an_account_is_suspended_and_reinstated(app):
    task = make_task(State.PENDING, ann := make_user("ann"))
    assert run(app, "suspend", "ann")[0] == 2, "a reason is needed"
    assert run(app, "suspend", "ann", "--reason", "x" * 301)[0] == 2
    code, said = run(app, "suspend", "ann", "--reason", "Sends spam.")
    assert (code, said.startswith("ann is suspended.\n")) == (0, True)
    assert Task.get_by_id(task.id).state == State.PAUSED
    assert run(app, "suspend", "ann", "--reason", "Again.") == (0, "ann is suspended already.\n")
    assert run(app, "suspend", "ann", "--lift") == (0, "ann can use the account again.\n")
    assert Task.get_by_id(task.id).state == State.PENDING
    assert run(app, "suspend", "ann", "--lift") == (0, "ann isn’t suspended.\n")
    first, *_ = AuditEntry.select().order_by(AuditEntry.id)
    assert (first.action, first.about_id, first.reason, first.via) == (
        "suspend person",
        ann.id,
        "Sends spam.",
        "command",
    )
    assert first.command_user
    assert [entry.outcome for entry in AuditEntry.select().order_by(AuditEntry.id)] == [
        Outcome.DONE,
        Outcome.REFUSED,
        Outcome.DONE,
        Outcome.REFUSED,
    ]


def test_the_last_admin_is_not_suspended(app):
    make_staff(Role.ADMIN, "ada")
    code, said = run(app, "suspend", "ada", "--reason", "x")
    assert (code, "ada is the last admin" in said) == (1, True)
    assert not User.by_username("ada").is_suspended


def test_a_quota_is_given_and_taken(app, allow):
    allow(Quota.ACTIVE_TASKS, 100)
    make_user("ann")
    assert run(app, "quota", "ann", "active_tasks", "3", "--days", "7") == (
        0,
        "ann has 3 active_tasks now, for 7 days.\n",
    )
    assert most_of(Quota.ACTIVE_TASKS, User.by_username("ann")) == 3
    assert run(app, "quota", "ann", "active_tasks", "0") == (0, "ann has unlimited active_tasks now.\n")
    assert most_of(Quota.ACTIVE_TASKS, User.by_username("ann")) is None
    assert run(app, "quota", "ann", "active_tasks", "default") == (0, "ann has everybody’s active_tasks again.\n")
    assert most_of(Quota.ACTIVE_TASKS, User.by_username("ann")) == 100
    for wrong in (("active_tasks", "-1"), ("active_tasks", "9" * 400), ("active_tasks", "٣"), ("site_mails", "1")):
        assert run(app, "quota", "ann", "--", *wrong)[0] == 2
    assert [entry.after for entry in AuditEntry.select().order_by(AuditEntry.id)] == [
        {"active_tasks": 3},
        {"active_tasks": None},
        {"active_tasks": 100},
    ]


def test_each_command_that_changes_something_is_in_the_audit(app):
    ann = make_user("ann", totp_secret="sealed")
    Session.begin(ann, "key")
    for command, typed in (
        (("role", "ann", "viewer"), ""),
        (("sessions", "ann", "--end"), ""),
        (("password", "ann"), f"{NEW_PASSWORD}\n{NEW_PASSWORD}\n"),
        (("second-factor", "ann", "--off"), ""),
        (("delete", "ann"), "ann\n"),
        (("keep", "ann"), ""),
    ):
        code, said = run(app, *command, input=typed)
        assert code == 0, said
    done = [(entry.action, entry.about_id) for entry in AuditEntry.select().order_by(AuditEntry.id)]
    actions = "change role", "end sessions", "set password", "turn off second factor", "delete person", "keep person"
    assert done == [(action, ann.id) for action in actions]
    texts = str([entry.__data__ for entry in AuditEntry.select()])
    assert NEW_PASSWORD not in texts
    assert "'ann'" not in texts
