"""Entries of the audit as pages show them: who did what to what, why, and what came of it."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from webapp.lib.i18n import number
from webapp.lib.times import clock_words, exact_iso
from webapp.models import AuditEntry, User
from webapp.models.audit import AUDITED, Audited, Outcome, Via
from webapp.models.permissions import Action, may
from webapp.web.presenters.desk.links import target_url

VIAS = {Via.PAGE: "desk", Via.API: "API", Via.COMMAND: "command line"}
DELETED = "Deleted account"
NONE = "none"
SHORT = 8  # characters of an id that is not for reading
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?")  # as `before` and `after` keep one, in UTC


@dataclass(frozen=True)
class ShownEntry:
    """An entry, and the names that people have by now."""

    entry: AuditEntry
    names: Mapping[int, str]
    shows_network: bool
    zone: str = ""

    @property
    def who(self) -> str:
        """The name as it is now; of a command, who was signed in to the machine."""
        if self.entry.actor_id:
            return self.names.get(self.entry.actor_id, DELETED)
        return self.entry.command_user or DELETED

    @property
    def whose(self) -> str:
        """The name of the person it was about; empty if it was about nobody."""
        return self.names.get(self.entry.about_id, DELETED) if self.entry.about_id else ""

    @property
    def owner(self) -> str:
        """The same to be read beside `target`: empty where that names the person already."""
        return "" if self.entry.target == f"person {self.entry.about_id}" else self.whose

    @property
    def request(self) -> str:
        """The start of the id of its request; empty for a command."""
        return (self.entry.request_id or "")[:SHORT]

    @property
    def came_by(self) -> str:
        """The role of then and the door, and the network for those who may read it: “operator, desk”."""
        entry = self.entry
        via = VIAS[Via(entry.via)] if entry.via in set(Via) else entry.via
        return ", ".join(filter(None, [entry.role, via, self.network]))

    @property
    def network(self) -> str:
        """Where the request came from. It is told to those who look after accounts, and to nobody else."""
        return str(self.entry.network) if self.shows_network else ""

    @property
    def words(self) -> str:
        """What was done, or only asked for: “Canceled a task”, “Retried tasks (1,200)”."""
        action = self.entry.action
        words = AUDITED[Audited(action)].words if action in set(Audited) else str(action)  # of a later release
        return words if self.entry.count == 1 else f"{words} ({number(self.entry.count)})"

    @property
    def is_refused(self) -> bool:
        """Whether nothing came of it."""
        return self.entry.outcome != Outcome.DONE

    @property
    def refusal(self) -> str:
        """Why nothing came of it."""
        return str(self.entry.error)

    @property
    def target(self) -> str:
        """What it was about, to be read: “person ann”, “kind countdown”, “task 01a2b3c4”."""
        noun, _, found = self.entry.target.partition(" ")
        if noun == "person" and found.isdecimal():
            return f"person {self.names.get(int(found), found)}"
        return f"{noun} {found[:SHORT]}" if noun in ("task", "worker", "failure") else str(self.entry.target)

    @property
    def url(self) -> str:
        """The page of what it was about; empty if there is none."""
        return target_url(str(self.entry.target))

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """What has become something else: its name, how it was and how it is, in words."""
        before, after = (_by_name(value, self.zone) for value in (self.entry.before, self.entry.after))
        names = [*before, *(name for name in after if name not in before)]
        pairs = [(name, before.get(name, NONE), after.get(name, NONE)) for name in names]
        return [(name.replace("_", " "), was, now) for name, was, now in pairs if was != now]


def shown_entries(entries: Sequence[AuditEntry], reader: User) -> list[ShownEntry]:
    """Entries as somebody may see them, for `desk/audit/entries.html`. One query for all names, none for no entry."""
    ids = {found for entry in entries for found in (entry.actor_id, entry.about_id, _person_of(entry.target)) if found}
    people = User.select(User.id, User.username, User.deletion_due_at).where(User.id.in_(sorted(ids))) if ids else ()
    names = {user.id: DELETED if user.is_deleted else user.username for user in people}
    shows_network = may(reader, Action.MANAGE_PEOPLE)
    return [ShownEntry(entry, names, shows_network, reader.time_zone) for entry in entries]


EXPORTED = (
    *("time", "who", "role", "via", "network", "action", "target", "whose", "count"),
    *("before", "after", "reason", "outcome", "error", "request"),
)


def exported_cells(shown: ShownEntry) -> list[Any]:
    """What a row of a file says of an entry, in the order of EXPORTED."""
    entry = shown.entry
    values = (
        "" if entry.before is None else json.dumps(entry.before),
        "" if entry.after is None else json.dumps(entry.after),
    )
    return [
        *(exact_iso(entry.at), shown.who, entry.role or "", entry.via, shown.network, entry.action, entry.target),
        *(shown.whose, entry.count, *values, entry.reason, entry.outcome, entry.error, entry.request_id or ""),
    ]


def _person_of(target: str) -> int | None:
    noun, _, found = target.partition(" ")
    return int(found) if noun == "person" and found.isdecimal() and len(found) < 19 else None


def _by_name(value: Any, zone: str) -> dict[str, str]:
    if value is None:
        return {}
    named = value if isinstance(value, dict) else {"": value}
    return {name: _in_words(text, zone) for name, text in named.items()}


def _in_words(value: Any, zone: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        return _clock(value, zone)
    return NONE if value in (None, "") else value if isinstance(value, str) else json.dumps(value)


def _clock(text: str, zone: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return clock_words(at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at, zone)
