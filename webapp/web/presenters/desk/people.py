"""People as the desk shows them: never a message, a draft, or a file of theirs."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from tasks.engine.models.state import State
from webapp.lib.i18n import number
from webapp.lib.quota_variables import Quota
from webapp.models import ApiToken, Session, Suspension, User
from webapp.models.counting import count_some
from webapp.models.people_list import COUNTED, active_by_state
from webapp.models.permissions import Role, needs_second_factor
from webapp.models.quota_use import QuotaUse, uses_of
from webapp.models.storage_count import stored_by
from webapp.web.forms.desk_people import QUOTA_LABELS
from webapp.web.presenters.desk.kind_words import bounded
from webapp.web.presenters.storage import MEGABYTE, StorageUse

MOST_SESSIONS = 100


def active_words(count: int) -> str:
    """How many active tasks, as far as they are counted."""
    return bounded(count, COUNTED - 1)


def size_words(size: int) -> str:
    """How much is stored."""
    return StorageUse(int(size), None).words


def standing_of(user: User) -> str:
    """What is to be known of an account at first sight: “suspended”, “to be deleted”, “guest”; empty for most."""
    if user.is_deleted:
        return "to be deleted"
    return "suspended" if user.is_suspended else "guest" if user.is_guest else ""


def role_words(user: User) -> str:
    """The role, and whether it counts; a dash for most people."""
    if not user.role:
        return "–"
    known = user.role if user.role in set(Role) else f"{user.role} (unknown to this release)"
    return f"{known}, without two-factor authentication" if needs_second_factor(user) else known


@dataclass(frozen=True)
class ShownQuota:
    """A row of the table of quotas."""

    use: QuotaUse

    @property
    def label(self) -> str:
        """What it is for."""
        return QUOTA_LABELS[self.use.quota]

    @property
    def used(self) -> str:
        """How much of it, in its unit."""
        return "–" if self.use.used is None else self._in_unit(self.use.used)

    @property
    def most(self) -> str:
        """The limit."""
        return "unlimited" if self.use.most is None else self._in_unit(self.use.most)

    @property
    def until(self) -> datetime | None:
        """Until when one of their own counts."""
        return self.use.own.until if self.use.own else None

    @property
    def reason(self) -> str:
        """Why they have one of their own; empty if they have none."""
        return self.use.own.reason if self.use.own else ""

    def _in_unit(self, amount: int) -> str:
        return number(round(amount / MEGABYTE, 1) if self.use.quota is Quota.STORAGE else amount)


class ShownPerson:
    """Somebody's page: what it tells of them, read as it is made. Some nine queries, each by index."""

    def __init__(self, user: User) -> None:
        self.user, self.suspension = user, Suspension.of(user)
        by_state = active_by_state(user)
        self.states = [(State(state).words, count) for state, count in sorted(by_state.items()) if state in set(State)]
        self._active = sum(by_state.values())
        self.active = active_words(self._active)
        self.stored = size_words(stored_by(user.id))
        self._sessions = len(Session.of(user, MOST_SESSIONS + 1))
        self.sessions = bounded(self._sessions, MOST_SESSIONS)
        self.quotas = [ShownQuota(use) for use in uses_of(user)]
        self.role, self.standing = role_words(user), standing_of(user)

    def suspension_effects(self) -> Iterator[str]:
        """What a suspension does to them, in words, with how much of each there is now. One query, for their tokens."""
        active, sessions, tokens = self._active, self._sessions, count_some(ApiToken.live_of(self.user))
        is_guest = self.user.is_guest
        end = (
            ("{} session is refused", "{} sessions are refused") if is_guest else ("{} session ends", "{} sessions end")
        )
        on_hold = "{} active task is put on hold", "{} active tasks are put on hold"
        yield _effect("No active task to put on hold", *on_hold, active, self.active)
        yield _effect("No session to end", *end, sessions, self.sessions)
        yield _effect(
            "No API token to refuse", "{} API token is refused", "{} API tokens are refused", tokens, number(tokens)
        )
        yield "Nobody can sign in to the account, see its posts and profile, or write to it"
        yield "All that goes on once it’s reinstated" + ("" if is_guest else ", but for the sessions")


def _effect(none: str, one: str, many: str, count: int, words: str) -> str:
    return (one if count == 1 else many).format(words) if count else none
