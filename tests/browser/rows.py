"""Puts tasks in any state into the database of a site that runs: `python -m tests.browser.rows NAME STATE …`."""

import json
import sys
from typing import Any

from tests.processes import Site
from webapp.dev.factories import make_artifact, make_mailing, make_mailing_file, make_task
from webapp.models import Composition, Delivery, State, Task, User
from webapp.models.mailing.delivery import Sending
from webapp.settings import Settings
from webapp.storage import use_database


def put(site: Site, username: str, *what: str) -> dict[str, str]:
    """Put a task in each of these states, a `family` or a mail (`mail scheduled`) there for a user; returns paths.

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
    if sys.argv[1] == "--":
        task = Task.get_by_id(sys.argv[2])
        getattr(task, sys.argv[3])(*(["It broke."] if sys.argv[3] == "fail" else []))
        return
    user = User.by_username(sys.argv[1])
    if user and sys.argv[2:] == ["nothing"]:
        Task.delete().where(Task.user == user).execute()
        User.count_change(user.id)
    elif user:
        print(json.dumps({what: f"/tasks/{_make(user, what).id}" for what in sys.argv[2:]}))
        return
    print("{}")


if __name__ == "__main__":
    main()
