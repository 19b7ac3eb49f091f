"""One of everything of somebody's, and a good request for each operation."""

from io import BytesIO
from typing import Any

from webapp.dev.factories import (
    make_artifact,
    make_mailing,
    make_mailing_file,
    make_message,
    make_post,
    make_task,
    make_user,
)
from webapp.lib.token_text import new_text
from webapp.models import Mailing, State, User
from webapp.web.api.operation import Operation
from webapp.web.api.parameters import names_in

# The state in which an operation works on a task.
STATES = {
    "resume_task": State.PAUSED,
    "retry_task": State.FAILED,
    "dismiss_task": State.SUCCEEDED,
    "remove_task": State.SUCCEEDED,
    "change_task": State.SCHEDULED,
    "undo_task": State.SCHEDULED,
}
# JSON that does what an operation is for, with the things of its person; those whose body is optional need none.
BODIES: dict[str, Any] = {
    "change_task": {"title": "Another title"},
    "create_task": {"kind": "countdown", "arguments": {"seconds": 1}},
    "act_on_tasks": {"action": "cancellation", "filter": {}},
    "revoke_found_token": {"token": new_text()},
    "create_post": {"body": "Hello"},
    "change_post": {"body": "Hello again"},
    "create_message": {"body": "Hello"},
    "change_message": {"body": "Hello again"},
    "create_mailing": {"subject": "Hello"},
    "change_mailing": {"subject": "Hello again"},
}
# The files of what is sent as a form.
FILES = {"attach_to_mailing": "files"}
MAIL = {"recipients": "bea@example.com", "subject": "Hello", "template": "free", "body": "Hello"}


def things_of(owner: User, operation: Operation) -> dict[str, Any]:
    """What stands for each part of a path: things of this person's, for which the operation works."""
    task = make_task(STATES.get(operation.name, State.IN_PROGRESS), owner)
    partner = make_user()
    is_sent = operation.path.endswith("/deliveries")
    mailing = make_mailing(owner) if is_sent else Mailing.begin_by_program(owner, **MAIL)
    return {
        "task_id": task.id,
        "artifact_id": make_artifact(make_task(State.SUCCEEDED, owner)).id,
        "post_id": make_post(owner).id,
        "mailing_id": mailing.id,
        "attachment_id": make_mailing_file(mailing).id,
        "username": partner.username,
        "message_id": make_message(owner, partner).id,
        "name": "countdown",
    }


def path_of(operation: Operation, things: dict[str, Any]) -> str:
    """The path with these things in it."""
    path = operation.path
    for name in names_in(path):
        assert name in things, f"tests/webapp/web/api/things.py has nothing for {{{name}}} of {operation.name}"
        path = path.replace(f"{{{name}}}", str(things[name]))
    return path


def request_of(operation: Operation) -> dict[str, Any]:
    """What goes with a request, besides its path."""
    if name := FILES.get(operation.name):
        return {"data": {name: (BytesIO(b"Hello"), "hello.txt")}}
    if operation.name in BODIES:
        return {"json": BODIES[operation.name]}
    assert operation.body is None or operation.may_lack_body, f"add what {operation.name} takes to BODIES"
    return {}
