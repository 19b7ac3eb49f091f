"""Rows for tests and for demonstration: each function makes one valid row. They need a configured database alone."""

from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any
from uuid import uuid4

from tasks.engine.models.artifact import Kind
from tasks.engine.models.state import FINISHED, LEASED, TIMED
from webapp.lib.times import utcnow
from webapp.mail.recipients import read_recipients
from webapp.models import (
    Artifact,
    ArtifactWriter,
    Delivery,
    FormKey,
    Mailing,
    MailingFile,
    Message,
    Notification,
    NotificationKind,
    Post,
    State,
    Task,
    TaskEvent,
    User,
)
from webapp.models.notification_kinds import SUCCEEDED, UNREAD_MESSAGE_COUNT
from webapp.models.passwords import hash_password
from webapp.models.user_passwords import new_session_key
from webapp.models.usernames import skeleton

PASSWORD = "correct horse battery"  # noqa: S105 - of nobody real
_numbers = count(1)

# What a row in each state says about its run, apart from the times; of any other state, that it has been run.
_RUNNING = {"attempts": 1, "done": 12, "total": 40}
_STARTED = ("started", "A worker started it")
_NEVER_RAN = frozenset({State.SCHEDULED, State.WAITING, State.PENDING})
_FIELDS: dict[State, dict[str, Any]] = {
    State.SCHEDULED: {},
    State.WAITING: {},
    State.PENDING: {"queue_key": 0},
    State.RETRYING: _RUNNING | {"error": "The mail server did not answer in time.", "retries": 3},
    State.PAUSING: _RUNNING | {"stage": "Collecting your posts"},
    State.PAUSED: _RUNNING | {"attempts": 0},  # a pause is none
    State.IN_PROGRESS: _RUNNING | {"stage": "Collecting your posts"},
    State.CANCELING: _RUNNING | {"stage": "Collecting your posts"},
    State.CANCELED: _RUNNING,
    State.SUCCEEDED: _RUNNING | {"done": 40},
    State.FAILED: _RUNNING | {"error": "The mail server refused the address."},
}
_TIMELINE: dict[State, list[tuple[str, str]]] = {
    State.SCHEDULED: [],
    State.WAITING: [],
    State.PENDING: [],
    State.RETRYING: [
        _STARTED,
        ("retrying", "The mail server did not answer in time. It is tried again, attempt 2 of 4"),
    ],
    State.PAUSING: [_STARTED, ("pausing", "Paused by you, stopping at its next step")],
    State.PAUSED: [_STARTED, ("pausing", "Paused by you, stopping at its next step"), ("paused", "Paused")],
    State.IN_PROGRESS: [_STARTED],
    State.CANCELING: [_STARTED, ("canceling", "Canceled by you, stopping at its next step")],
    State.CANCELED: [_STARTED, ("canceling", "Canceled by you, stopping at its next step"), ("canceled", "Canceled")],
    State.SUCCEEDED: [_STARTED, ("succeeded", "Finished")],
    State.FAILED: [_STARTED, ("failed", "The mail server refused the address.")],
}


def make_user(username: str = "", *, guest: bool = False, **fields: Any) -> User:
    """An account with PASSWORD, or a guest's, a week old. Its address, if it has one, is confirmed."""
    username = username or f"person-{next(_numbers)}"
    password_hash = "" if guest else _hash_of_the_password()
    key = username.lower()
    defaults: dict[str, Any] = {"username_key": key, "skeleton": skeleton(key), "session_key": new_session_key()}
    defaults["password_hash"] = password_hash
    defaults["created_at"] = utcnow() - timedelta(days=7)
    if fields.get("email"):
        defaults["email_confirmed_at"] = utcnow()
    return User.create(username=username, **defaults | fields)


def make_post(user: User | None = None, body: str = "", **fields: Any) -> Post:
    """A post, by somebody new unless said otherwise."""
    return Post.create(user=user or make_user(), body=body or f"Post number {next(_numbers)}", **fields)


def make_posts(user: User, number: int, **fields: Any) -> None:
    """Many posts at once, a second apart, the last one made now: `Post 1`, `Post 2`, …"""
    start = utcnow() - timedelta(seconds=number)
    rows = [
        {"user": user.id, "body": f"Post {n}", "created_at": start + timedelta(seconds=n)} | fields
        for n in range(1, number + 1)
    ]
    for begin in range(0, number, 200):
        Post.insert_many(rows[begin : begin + 200]).execute()


def make_task(state: State = State.PENDING, user: User | None = None, **fields: Any) -> Task:
    """A task in any state, with the timeline and the notification that such a row has."""
    user = user or make_user()
    defaults = {"name": "countdown", "title": "Count down from 40", "arguments": {"seconds": 40}}
    said = _FIELDS.get(state, _RUNNING) | _times(state, utcnow())
    lived = _TIMELINE.get(state, [_STARTED, (state, state.words.capitalize())])
    task = Task.create(user=user, state=state, **defaults | said | fields)
    for kind, text in [("launched", "Started by you"), *lived]:
        TaskEvent.create(task=task, kind=kind, text=text)
    Notification.put_progress(task)
    return task


def make_artifact(
    task: Task | None = None, name: str = "posts.json", data: str | bytes = "{}", **fields: Any
) -> Artifact:
    """A finished artifact; of a task that succeeded, unless said otherwise."""
    with ArtifactWriter(task or make_task(State.SUCCEEDED), name, fields.pop("kind", Kind.FILE)) as out:
        out.write(data)
    if fields:
        Artifact.update(**fields).where(Artifact.id == out.artifact.id).execute()
    return Artifact.get_by_id(out.artifact.id)


def make_message(sender: User | None = None, recipient: User | None = None, body: str = "") -> Message:
    """A message that its recipient has not read, between people who are new unless said otherwise."""
    return Message.send(sender or make_user(), recipient or make_user(), body or f"Message number {next(_numbers)}")


def make_notification(
    user: User | None = None, title: str = "", kind: NotificationKind = SUCCEEDED, task: Task | None = None
) -> Notification:
    """A notification that has not been read, about a task that has succeeded unless said otherwise."""
    user = user or make_user()
    task = task or make_task(State.SUCCEEDED, user, title=title or f"Task number {next(_numbers)}")
    Notification.tell_end(user, kind, kind.phrase(task.title, "It broke."), task)
    return Notification.get(Notification.user == user, Notification.about(task.id))


def make_form_key(user: User | None = None, key: str = "", **fields: Any) -> FormKey:
    """A form that was sent and started a task, unless said otherwise."""
    user = user or make_user()
    fields = {"task": make_task(State.SUCCEEDED, user), "location": "/"} | fields
    return FormKey.create(user=user, key=key or f"key-{next(_numbers)}", **fields)


def make_unread_messages(user: User, number: int) -> None:
    """The record that this user has so many unread messages."""
    Notification.put(user.id, UNREAD_MESSAGE_COUNT, {"count": number})


def make_draft(user: User | None = None, **fields: Any) -> Mailing:
    """Somebody's draft of a new mail."""
    draft = Mailing.begin_draft(user or make_user())
    fields = {"recipients": "bea@example.com", "subject": "Hello"} | fields
    draft.write(people=len(read_recipients(fields["recipients"]).addresses), **fields)
    return draft


def make_mailing(
    user: User | None = None,
    addresses: tuple[str, ...] = ("bea@example.com", "cem@example.com"),
    state: State = State.SCHEDULED,
    **fields: Any,
) -> Mailing:
    """A mail to some people with a task in any state, and with no delivery made; scheduled unless said otherwise."""
    user = user or make_user()
    mailing = Mailing.create(user=user, **{"recipients": "\n".join(addresses), "subject": "Hello"} | fields)
    title = f"Email to {len(addresses)} people: {mailing.subject}"
    task = make_task(state, user, name="send_mail", title=title, arguments={"mailing": mailing.id})
    Mailing.update(task=task, send_at=task.run_at).where(Mailing.id == mailing.id).execute()
    Delivery.plan(mailing, list(addresses))
    return Mailing.get_by_id(mailing.id)


def make_mailing_file(mailing: Mailing, name: str = "notes.txt", data: bytes = b"Notes", **fields: Any) -> MailingFile:
    """A file that goes with a mail."""
    defaults = {"content_type": "text/plain", "size": len(data)}
    return MailingFile.create(mailing=mailing, name=name, data=data, **defaults | fields)


def _times(state: State, now: datetime) -> dict[str, Any]:
    times: dict[str, Any] = {"created_at": now - timedelta(seconds=70)}
    if state in TIMED:
        times["run_at"] = now + timedelta(minutes=5)
    if state == State.PENDING or state not in _NEVER_RAN:
        times["ready_at"] = times["created_at"]
    if state in _NEVER_RAN:
        return times
    times |= {"started_at": now - timedelta(seconds=60), "updated_at": now}
    if state in LEASED:
        return times | {"fencing_token": uuid4().hex, "lease_until": now + timedelta(seconds=15)}
    return times | {"run_seconds": 60.0} | ({"finished_at": now} if state in FINISHED else {})


@cache
def _hash_of_the_password() -> str:
    return hash_password(PASSWORD)
