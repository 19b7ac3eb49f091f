"""Commands for operators."""

from datetime import timedelta

from tests.browsing import browse
from webapp.dev.account_factories import make_report
from webapp.dev.factories import PASSWORD, make_artifact, make_message, make_post, make_task, make_user
from webapp.dev.mail_factories import make_suppression
from webapp.lib.times import utcnow
from webapp.models import AccountMail, Artifact, Deletion, Session, State, Suppression, Task, User
from webapp.models.mailing.suppression import Reason


def _run(app, *command: str) -> str:
    result = app.test_cli_runner().invoke(args=command)
    assert result.exit_code == 0, result.output
    return result.output


def test_purging_deletes_all_that_is_old_and_says_how_much(app):
    old, new = make_task(State.SUCCEEDED), make_task(State.SUCCEEDED)
    Task.update(finished_at=utcnow() - timedelta(days=31)).where(Task.id == old.id).execute()
    artifact = make_artifact(new)
    Artifact.update(expires_at=utcnow() - timedelta(hours=1)).where(Artifact.id == artifact.id).execute()
    assert "Purged 2 " in _run(app, "tasks", "purge")
    assert [task.id for task in Task.select()] == [new.id]
    assert "Purged 0 " in _run(app, "tasks", "purge")


# People


def _refused(app, *command: str, **kwargs: str) -> str:
    """What a command says that ends with an error."""
    result = app.test_cli_runner().invoke(args=command, **kwargs)
    assert result.exit_code == 1
    assert len(result.output.splitlines()) <= 3, "an error is a line, below what was asked"
    return result.output


def test_an_operator_gives_the_first_role_and_takes_it_again(app, written):
    ann = make_user("ann", email="ann@example.com")
    lines = written("json")
    said = _run(app, "people", "role", " ANN ", "operator")
    assert said.startswith("ann now has the role operator.\nIt counts once they turn on two-factor authentication")
    assert _run(app, "people", "role", "ann", "operator").startswith("ann already had the role operator.")
    assert _run(app, "people", "role", "ann", "none") == "ann now has no role.\n"
    assert _run(app, "people", "role", "ann", "none") == "ann already had no role.\n"
    assert User.get_by_id(ann.id).role is None
    told = [(line["event"], line["account_id"], line["role"], line["via"]) for line in lines.objects("errand.security")]
    assert told == [("role changed", ann.id, role, "command") for role in ("operator", "none")]


def test_who_cannot_be_told_of_a_role_is_named_to_the_operator(app):
    make_user("ann", totp_secret="sealed")
    assert _run(app, "people", "role", "ann", "viewer") == (
        "ann now has the role viewer.\nThey have no confirmed email address, so nobody has told them.\n"
    )


def test_a_role_that_cannot_be_given_is_refused_in_words(app):
    make_user("guest", guest=True)
    assert "Error: guest is a guest" in _refused(app, "people", "role", "guest", "viewer")
    assert "Error: nobody here is called nobody" in _refused(app, "people", "role", "nobody", "viewer")
    wrong = app.test_cli_runner().invoke(args=["people", "role", "guest", "root"])
    assert wrong.exit_code == 2
    assert "'none', 'viewer', 'operator', 'admin'" in wrong.output


def test_who_has_a_role_is_listed_with_what_it_lacks(app):
    for name, role, factor in (
        ("zoe", "admin", "sealed"),
        ("ann", "viewer", None),
        ("bob", None, None),
        ("cem", "auditor", "sealed"),
    ):
        make_user(name, role=role, totp_secret=factor)
    first, later, second = _run(app, "people", "list").splitlines()
    assert first.split(maxsplit=2) == ["ann", "viewer", "(doesn’t count without two-factor authentication)"]
    assert later.split(maxsplit=2) == ["cem", "auditor", "(doesn’t count: this release doesn’t know it)"]
    assert second.split() == ["zoe", "admin"]
    assert _run(app, "people", "list", "--role", "admin").split() == ["zoe", "admin"]


def test_sessions_are_listed_and_ended(app, written):
    ann = make_user("ann")
    assert _run(app, "people", "sessions", "ann") == "ann isn’t signed in anywhere.\n"
    browsers = [browse(app, ann) for _ in range(2)]
    Session.update(browser="Firefox on Linux\x1b[2J", network="192.0.2.0/24").execute()
    listed = _run(app, "people", "sessions", "ann").splitlines()
    assert len(listed) == 2
    assert all(line.endswith(r": Firefox on Linux\x1b[2J, 192.0.2.0/24") for line in listed)
    lines = written("json")
    assert _run(app, "people", "sessions", "ann", "--end") == "Ended 2 sessions.\n"
    assert [browser.get("/tasks").status_code for browser in browsers] == [303, 303]
    [told] = lines.objects("errand.security")
    assert (told["event"], told["account_id"], told["sessions"]) == ("session ended", ann.id, 2)


def test_a_guest_is_not_signed_out_for_good_by_mistake(app):
    guest = make_user("guest", guest=True)
    Session.begin(guest, "key")
    assert "would lose the account" in _refused(app, "people", "sessions", "guest", "--end", input="n\n")
    assert Session.of(guest, 1)
    assert _run(app, "people", "sessions", "guest", "--end", "--yes") == "Ended 1 session.\n"


def test_an_operator_sets_a_password_and_nobody_reads_it(app, written):
    ann = make_user("ann")
    Session.begin(ann, "key")
    new = "quite another password"
    lines = written("json")
    result = app.test_cli_runner().invoke(args=["people", "password", "ann"], input=f"{new}\n{new}\n")
    assert result.output.endswith("ann has a new password, and is signed out everywhere.\n")
    assert User.get_by_id(ann.id).has_password(new)
    assert not Session.of(User.get_by_id(ann.id), 1)
    [told] = lines.objects("errand.security")
    assert (told["event"], told["account_id"], told["via"]) == ("password changed", ann.id, "command")
    assert new not in result.output + lines.stream.getvalue()


def test_a_password_that_anybody_would_try_first_is_refused_to_operators_too(app):
    make_user("annabella-maria")
    twice = {"input": "annabella-maria\nannabella-maria\n"}
    assert "Error: Your password can’t be your username." in _refused(
        app, "people", "password", "annabella-maria", **twice
    )
    assert "Error: Use " in _refused(app, "people", "password", "annabella-maria", input="short\nshort\n")
    assert User.by_username("annabella-maria").has_password(PASSWORD)


def test_who_has_lost_the_app_and_the_codes_gets_back_in_and_is_told(app, written):
    ann = make_user("ann", email="ann@example.com", role="operator", totp_secret="sealed")
    lines = written("json")
    assert _run(app, "people", "second-factor", "ann", "--off") == "ann signs in by password alone now.\n"
    assert User.get_by_id(ann.id).totp_secret is None
    assert AccountMail.get().kind == "second_factor_off"
    [told] = lines.objects("errand.security")
    assert (told["event"], told["account_id"], told["via"]) == ("second factor turned off", ann.id, "command")
    assert _run(app, "people", "second-factor", "ann", "--off") == "ann has no two-factor authentication.\n"
    assert app.test_cli_runner().invoke(args=["people", "second-factor", "ann"]).exit_code == 2


def test_an_operator_deletes_an_account_by_its_name_and_takes_that_back(app):
    make_user("ann", email="ann@example.com")
    assert "another name; nothing has changed" in _refused(app, "people", "delete", "ann", input="bob\n")
    result = app.test_cli_runner().invoke(args=("people", "delete", "Ann"), input="ann\n")
    assert "ann can’t be seen or used anymore, and is deleted on " in result.output
    assert "--now doesn’t wait" in _refused(app, "people", "delete", "ann")
    assert _run(app, "people", "keep", "ann") == "ann is kept, and is signed out everywhere.\n"
    assert "no account called ann" in _refused(app, "people", "keep", "ann")
    for _ in range(2):  # the second time where it is to be deleted later
        app.test_cli_runner().invoke(args=("people", "delete", "ann"), input="ann\n")
        result = app.test_cli_runner().invoke(args=("people", "delete", "ann", "--now"), input="ann\n")
    assert Deletion.get().due_at <= utcnow()
    assert "nobody here is called ann" in _refused(app, "people", "delete", "ann")


def test_what_is_reported_is_listed_the_oldest_first(app):
    assert _run(app, "people", "reports") == "Nothing is reported.\n"
    ann, bob = make_user("ann"), make_user("bob")
    first = make_report(ann, make_post(bob, "Buy now\nSecurity: forged"), "It’s an ad.")
    second = make_report(make_user("carl"), make_message(bob, User.by_username("carl"), "You!"), "")
    User.delete().where(User.username == "carl").execute()
    said = _run(app, "people", "reports").splitlines()
    assert [line.partition("  ")[0] for line in said if not line.startswith(" ")] == [str(first.id), str(second.id)]
    assert said[0].endswith("spam: a post by bob, reported by ann")
    assert said[1:3] == ["    it said: Buy now\\nSecurity: forged", "    ann says: It’s an ad."]
    assert said[3].endswith("spam: a message by bob, reported by a deleted account")
    assert said[4:] == ["    it said: You!"]
    Deletion.begin(bob)
    assert "by a deleted account, reported by ann" in _run(app, "people", "reports")


# Mail to many


def test_an_operator_suppresses_an_address_for_the_whole_site_and_lets_it_be_mailed_again(app, written):
    lines = written("json")
    said = _run(app, "mail", "suppress", "Bea <Bea@Example.com>")
    assert said == "Bea@example.com gets no mail to many from this site.\n"
    assert "as before" in _run(app, "mail", "suppress", "bea@example.com")
    assert _run(app, "mail", "suppressed").split()[2:] == ["operator", "bea@example.com"]
    assert "may be mailed again" in _run(app, "mail", "unsuppress", "BEA@example.com")
    assert "was not suppressed" in _run(app, "mail", "unsuppress", "bea@example.com")
    assert _run(app, "mail", "suppressed") == ""
    told = [(line["event"], line["via"]) for line in lines.objects("errand.security")]
    assert told == [("address suppressed", "command"), ("address no longer suppressed", "command")]
    assert "bea" not in str(lines).casefold(), "no address is logged"
    assert "must have an @-sign" in _refused(app, "mail", "suppress", "bea")


def test_who_has_unsubscribed_is_mailed_again_only_if_that_is_said(app):
    make_suppression(None, "bea@example.com", Reason.UNSUBSCRIBED)
    make_suppression(make_user(), "bea@example.com")
    assert "has unsubscribed" in _refused(app, "mail", "unsuppress", "bea@example.com")
    assert "may be mailed again" in _run(app, "mail", "unsuppress", "--unsubscribed", "bea@example.com")
    assert [row.sender_id is None for row in Suppression.select()] == [False], "those of senders stay"
