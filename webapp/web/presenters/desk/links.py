"""Links from numbers to the tasks that they count."""

from datetime import datetime
from urllib.parse import urlencode

from webapp.lib.times import iso

TASKS = "/desk/tasks"


def tasks_url(
    *, state: str = "", kind: str = "", ended_after: datetime | None = None, ended_before: datetime | None = None
) -> str:
    """The list of all tasks of a kind in some states, that ended in a span; internal ones and children too, as
    numbers count them. Spelled here, as a chart has hundreds."""
    spans = {"ended_after": ended_after and iso(ended_after), "ended_before": ended_before and iso(ended_before)}
    said = {"state": state, "kind": kind} | spans
    words = {name: value for name, value in said.items() if value} | {"internal": "1", "children": "1"}
    return f"{TASKS}?{urlencode(words, safe=':,')}"


def ended_url(since: datetime, until: datetime, state: str, kind: str = "") -> str:
    """Those that ended so in a span of time, of a kind or of all."""
    return tasks_url(state=state, kind=kind, ended_after=since, ended_before=until)
