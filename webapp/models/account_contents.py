"""What an account holds, counted as `count_some` does: what its owner is shown before it is deleted."""

from dataclasses import dataclass
from typing import Any

from peewee import Select

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.artifact import Artifact
from tasks.engine.models.state import State
from tasks.engine.models.task import Task
from webapp.db import database
from webapp.lib.times import utcnow
from webapp.models.counting import number_of
from webapp.models.mailing.mailing import Mailing
from webapp.models.message import Message
from webapp.models.notification import Notification
from webapp.models.post import Post
from webapp.models.session import Session
from webapp.models.user import User


@dataclass(frozen=True)
class Contents:
    """How many of each an account has, one more than MOST_COUNTED at most."""

    posts: int
    messages: int  # written by them
    tasks: int  # that have ended
    active: int  # that would be canceled, scheduled ones left out
    scheduled: int
    files: int
    mails: int  # drafts, too
    notifications: int
    sessions: int


def contents_of(user: User) -> Contents:
    """How many of each somebody has. One query, which reads no more rows of a kind than MOST_COUNTED, by index."""
    mine = Task.select().where(Task.user == user.id, Task.parent.is_null(), ~Task.hidden)
    able = OWNER_ACTIONS["cancel"].where(Task)
    queries: dict[str, Any] = {
        "posts": Post.select().where(Post.user == user.id),
        "messages": Message.select().where(Message.sender == user.id),
        "tasks": mine.where(Task.finished_at.is_null(False)),
        "active": mine.where(Task.finished_at.is_null(), able, Task.state != State.SCHEDULED),
        "scheduled": mine.where(Task.finished_at.is_null(), Task.state == State.SCHEDULED),
        "files": Artifact.visible_to(user),
        "mails": Mailing.select().where(Mailing.user == user.id),
        "notifications": Notification.select().where(Notification.user == user.id, Notification.told_at.is_null(False)),
        "sessions": Session.select().where(
            Session.user == user.id, Session.account_key != "", Session.ends_at > utcnow()
        ),
    }
    numbers = Select(columns=[number_of(query) for query in queries.values()]).tuples().bind(database.obj).get()
    return Contents(**dict(zip(queries, map(int, numbers), strict=True)))
