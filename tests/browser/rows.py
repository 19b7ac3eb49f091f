"""Puts tasks in any state into the database of a site that runs: `python -m tests.browser.rows NAME STATE …`."""

import json
import os
import sys
from itertools import count
from typing import Any

from tests.processes import Site
from webapp.dev import factories
from webapp.dev.account_factories import make_report
from webapp.dev.desk_factories import make_audit_entry, make_failure, make_suspension, make_worker
from webapp.dev.factories import make_artifact, make_mailing, make_mailing_file, make_message, make_task, make_user
from webapp.dev.mail_factories import make_suppression
from webapp.lib.error_shape import ErrorShape
from webapp.models import Composition, Delivery, State, Task, User
from webapp.models.mailing.delivery import Sending
from webapp.models.mailing.suppression import Reason
from webapp.models.permissions import Role
from webapp.settings import Settings
from webapp.storage import use_database


def put(site: Site, username: str, *what: str) -> dict[str, str]:
    """Put a task in each of these states, a `family` or a mail (`mail scheduled`) there for a user; returns paths.

    `failures` are two by one cause. `desk` gives that user a role, and the desk something to show.
    `nothing` takes all away.
    """
    made: dict[str, str] = json.loads(site.run("python", "-m", "tests.browser.rows", username, *what))
    return made


def change(site: Site, task_id: str, how: str) -> None:
    """Let a task of anybody come to its end (`succeed`, `fail`), or be deleted (`remove`)."""
    site.run("python", "-m", "tests.browser.rows", "--", task_id, how)


def _family(user: User) -> Task:
    """A whole whose parts are in every state, the last two in a part of their own."""
    parent = make_task(
        State.IN_PROGRESS, user, composition=Composition.CHORD, name="", title="Invite the choir, then write a report"
    )
    parts: dict[str, Any] = {"user": user, "parent": parent, "root": parent}
    for state in State:
        make_task(state, title=f"A part that is {state.words}", **parts)
    group = make_task(State.FAILED, composition=Composition.GROUP, title="Invite the basses", **parts)
    for state in (State.SUCCEEDED, State.FAILED):
        make_task(state, title=f"Invite the {state.words}", **parts | {"parent": group})
    return parent


def _mail(user: User, state: State) -> Task:
    """To three people, one of whom it does not reach once it is sent."""
    mailing = make_mailing(user, ("bea@example.com", "cem@example.com", f"{'d' * 60}@example.com"), state)
    make_mailing_file(mailing, "the minutes of a meeting that was too long for a phone.pdf")
    if state == State.SUCCEEDED:
        mailing.keep("Hello", "<p>Hello</p>")
        first, *others = Delivery.unsettled(mailing)
        first.settle(Sending.REFUSED, f"The mail server refused the address {first.address}.")
        for delivery in others:
            delivery.settle(Sending.SENT)
    return Task.get_by_id(mailing.task_id)


def _desk(admin: User) -> dict[str, str]:
    """One of everything that the desk shows, with words that are too long for a phone; returns its pages."""
    User.update(role=Role.ADMIN, totp_secret="sealed").where(User.id == admin.id).execute()
    long = "averyveryverylongword" + "g" * 80
    person = make_user()
    group, task = make_failure(f"The server {long} is down", tasks=2), make_task(State.IN_PROGRESS, person)
    make_worker(f"a-host-with-{long[:60]}", quiet_at=task.created_at)
    make_report(person, make_message(make_user(), person, long))
    make_suppression(None, reason=Reason.REFUSED)
    make_suspension(person, make_task(State.PENDING, person), long)
    make_audit_entry(admin, target=f"task {task.id}", about=person, reason=long)
    pages = "tasks kinds failures workers people reports reports/suppressions schedule audit system".split()
    return {page: f"/desk/{page}" for page in pages} | {
        "overview": "/desk",
        "a wrong filter": "/desk/tasks?owner=nobody&created_after=nonsense",
        "a task": f"/desk/tasks/{task.id}",
        "a task that failed": f"/desk/tasks/{Task.get(Task.fingerprint == group.fingerprint).id}",
        "an end by force": f"/desk/tasks/{task.id}/forced-end",
        "many tasks": f"/desk/tasks/bulk?action=retry&fingerprint={group.fingerprint}",
        "a kind": "/desk/kinds/countdown?range=24h",
        "a failure": f"/desk/failures/{group.fingerprint}",
        "a person": f"/desk/people/{person.id}",
    }


def _failures(user: User) -> dict[str, str]:
    """Two tasks of that user, which would be done in a second, and failed by one cause."""
    words, place = "The server is down", "tasks/countdown.py:countdown"
    shape = ErrorShape("ConnectionError", place, words, "  tasks/countdown.py:20")
    tasks = [make_task(State.IN_PROGRESS, user, arguments={"seconds": 1}) for _ in range(2)]
    for task in tasks:
        task.fail(words, shape)
    return {str(task.id): f"/tasks/{task.id}" for task in tasks}


def _make(user: User, what: str) -> Task:
    if what == "family":
        return _family(user)
    if what.startswith("mail "):
        return _mail(user, State(what.removeprefix("mail ")))
    task = make_task(State(what), user, arguments={"seconds": 2}, title=f"Count down while {State(what).words}")
    if task.is_finished:
        make_artifact(task, "a report with a name that is too long for a phone.txt")
        make_artifact(task, "what was kept for a while.txt", expired_at=task.finished_at)
    return task


def main() -> None:
    """Say as JSON what was made."""
    use_database(Settings.from_env())
    factories._numbers = count(100 * os.getpid())  # other calls name people of this site, too
    if sys.argv[1] == "--":
        task = Task.get_by_id(sys.argv[2])
        getattr(task, sys.argv[3])(*(["It broke."] if sys.argv[3] == "fail" else []))
        return
    user, what, made = User.by_username(sys.argv[1]), sys.argv[2:], dict[str, str]()
    if user and what == ["nothing"]:
        Task.delete().where(Task.user == user).execute()
        User.count_change(user.id)
    elif user and what in (["desk"], ["failures"]):
        made = {"desk": _desk, "failures": _failures}[what[0]](user)
    elif user:
        made = {each: f"/tasks/{_make(user, each).id}" for each in what}
    print(json.dumps(made))


if __name__ == "__main__":
    main()
