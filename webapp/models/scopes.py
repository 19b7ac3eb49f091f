"""Scopes: what a program may do in the name of whoever gave it a token. The one table is `SCOPES`."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from webapp.lib.complete import complete
from webapp.models.permissions import Account, Action, may


class Scope(StrEnum):
    """What a token may be for. Most tokens need a few of them."""

    TASKS_READ = "tasks:read"
    TASKS_WRITE = "tasks:write"
    ARTIFACTS_READ = "artifacts:read"
    POSTS = "posts"
    MESSAGES = "messages"
    MAIL = "mail"
    DESK_READ = "desk:read"
    DESK_WRITE = "desk:write"


@dataclass(frozen=True, slots=True)
class ScopeRow:
    """A scope in words: its `label`, and what a program with such a token can do, as in “It can …”.

    With `needs`, it is of use only while the account may do that as well.
    """

    label: str
    words: str
    needs: Action | None = None

    @property
    def sentence(self) -> str:
        """The words on their own."""
        return f"{self.words[0].upper()}{self.words[1:]}."


SCOPES = complete(
    "SCOPES",
    Scope,
    {
        Scope.TASKS_READ: ScopeRow("See tasks", "see your tasks, how far they are, and your notifications"),
        Scope.TASKS_WRITE: ScopeRow(
            "Manage tasks", "start, schedule, change, cancel, pause, retry and delete your tasks"
        ),
        Scope.ARTIFACTS_READ: ScopeRow("Download files", "download what your tasks made and were given"),
        Scope.POSTS: ScopeRow("Posts", "read posts, and write, change and delete your own"),
        Scope.MESSAGES: ScopeRow("Messages", "read, send, change and delete your messages"),
        Scope.MAIL: ScopeRow("Emails", "write, test and send emails in your name"),
        Scope.DESK_READ: ScopeRow(
            "See everybody’s tasks", "see tasks of other people, as far as your role allows", Action.VIEW_DESK
        ),
        Scope.DESK_WRITE: ScopeRow(
            "Act on everybody’s tasks",
            "cancel, pause, retry or delete tasks of other people, as far as your role allows",
            Action.STEER,
        ),
    },
)


def grantable(user: Account | None) -> list[Scope]:
    """The scopes that somebody can give a token, in the order of the table. No query."""
    return [scope for scope, row in SCOPES.items() if row.needs is None or may(user, row.needs)]


def as_stored(scopes: Iterable[Scope]) -> str:
    """Scopes as OAuth spells them: separated by spaces, in the order of the table."""
    given = set(scopes)
    return " ".join(scope for scope in Scope if scope in given)


@lru_cache(1024)
def from_stored(text: str) -> frozenset[Scope]:
    """The same back. What only a later release knows is left out: nobody can say what it allows."""
    known = set(Scope)
    return frozenset(Scope(each) for each in text.split() if each in known)
