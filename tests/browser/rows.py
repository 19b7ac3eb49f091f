"""Puts tasks in any state into the database of a site that runs: `python -m tests.browser.rows NAME STATE …`."""

import json
import sys
from typing import Any

from tests.processes import Site
from webapp import database
from webapp.factories import make_artifact, make_task
from webapp.models import Shape, State, Task, User
from webapp.settings import Settings


def put(site: Site, username: str, *what: str) -> dict[str, str]:
    """Put a task in each of these states, or a `family`, there for a user; returns the paths of their pages.

    `nothing` takes all away.
    """
    made: dict[str, str] = json.loads(site.run("python", "-m", "tests.browser.rows", username, *what))
    return made


def _family(user: User) -> Task:
    """A whole whose parts are in every state, the last two in a part of their own."""
    whole = make_task(State.IN_PROGRESS, user, kind=Shape.CHORD, name="", title="Invite the choir, then write a report")
    parts: dict[str, Any] = {"user": user, "parent": whole, "root": whole}
    for state in State:
        make_task(state, title=f"A part that is {state.words}", **parts)
    group = make_task(State.FAILED, kind=Shape.GROUP, title="Invite the basses", **parts)
    for state in (State.SUCCEEDED, State.FAILED):
        make_task(state, title=f"Invite the {state.words}", **parts | {"parent": group})
    return whole


def _make(user: User, what: str) -> Task:
    if what == "family":
        return _family(user)
    task = make_task(State(what), user, arguments={"seconds": 2}, title=f"Count down while {State(what).words}")
    if task.is_finished:
        make_artifact(task, "a report with a name that is too long for a phone.txt")
        make_artifact(task, "what was kept for a while.txt", expired_at=task.finished_at)
    return task


def main() -> None:
    """Say as JSON what was made."""
    database.configure(Settings.from_env())
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
