"""To do: what waits for those who look after the site, as the overview says it. Who knows of something registers it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class ToDo:
    """What waits, in `words` like “3 open reports”, and the page of it."""

    words: str
    url: str


Ask = Callable[[], ToDo | None]
_ASKED: list[Ask] = []


def tells_to_do(ask: Ask) -> Ask:
    """Let that function say what waits, if anything does, by a query or two. Beside the page that it leads to."""
    _ASKED.append(ask)
    return ask


def to_do() -> list[ToDo]:
    """All that waits now."""
    return [found for ask in _ASKED if (found := ask())]
