"""Where at the desk the things are that its pages name: the tasks behind a number, and what an entry is about."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from flask import url_for

from webapp.lib.times import iso

# Of what is not shown by itself: the page that has it, and what its URL needs of the id.
_PAGES: Final[Mapping[str, tuple[str, str]]] = {
    "task": ("desk.task", "task_id"),
    "kind": ("desk.kind", "name"),
    "person": ("desk.person", "person_id"),
    "failure": ("desk.failure", "fingerprint"),
    "worker": ("desk.workers", "_anchor"),
}


def tasks_url(
    *, state: str = "", kind: str = "", ended_after: datetime | None = None, ended_before: datetime | None = None
) -> str:
    """The list of all tasks of a kind in some states, that ended in a span; internal ones and children too, as
    numbers count them. A chart has hundreds of these: the query is written by the library, and not by the router."""
    spans = {"ended_after": ended_after and iso(ended_after), "ended_before": ended_before and iso(ended_before)}
    said = {"state": state, "kind": kind} | spans
    words = {name: value for name, value in said.items() if value} | {"internal": "1", "children": "1"}
    return f"{url_for('desk.tasks')}?{urlencode(words, safe=':,')}"


def ended_url(since: datetime, until: datetime, state: str, kind: str = "") -> str:
    """Those that ended so in a span of time, of a kind or of all."""
    return tasks_url(state=state, kind=kind, ended_after=since, ended_before=until)


def target_url(target: str) -> str:
    """The page of what an entry of the audit is about, like `kind countdown`; empty if there is none. A worker's is its
    row among all, which stays there for some minutes after its end."""
    noun, _, found = target.partition(" ")
    if noun not in _PAGES or not found or (noun == "person" and not found.isdecimal()):
        return ""
    endpoint, name = _PAGES[noun]
    said: dict[str, Any] = {name: target.replace(" ", "-") if noun == "worker" else found}
    return url_for(endpoint, **said)
