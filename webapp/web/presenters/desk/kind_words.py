"""Kinds as pages of the desk call them: by the label of their task function, also what this release does not know."""

from tasks.engine import registry
from tasks.engine.models.failure_group import FailureGroup
from webapp.lib.i18n import number
from webapp.web.presenters.desk.axis import time_words


def kind_label(name: str) -> str:
    """What a kind is called; the name itself where no task function of this release has it."""
    function = registry.functions.get(name)
    return function.label if function else name


def kind_note(name: str) -> str:
    """What else is to be said of it: that people see nothing of it, or that this release does not know it; or empty."""
    function = registry.functions.get(name)
    if function is None:
        return "unknown to this release"
    return "internal" if function.internal else ""


def is_internal(name: str) -> bool:
    """Whether it is work of the site itself, of which people see nothing."""
    function = registry.functions.get(name)
    return function is not None and function.internal


def cause_words(group: FailureGroup) -> str:
    """Why tasks fail, as a heading has it: the exception without its module, or what was said where there is none."""
    return str(group.exception).rpartition(".")[2] or str(group.message)


def bounded(found: int, most: int) -> str:
    """A number that was counted no further than one more than `most`: '12', and '10,000+' for whatever is more."""
    return f"{number(most)}+" if found > most else number(found)


def brief(milliseconds: float | None) -> str:
    """A duration for a table, as charts have it; a dash for none."""
    return "–" if milliseconds is None else time_words(milliseconds)


def percent(share: float | None) -> str:
    """A share, 0 to 1: '3%', '<1%', '0%'; a dash for none."""
    if share is None:
        return "–"
    return "<1%" if 0 < share < 0.005 else f"{round(share * 100)}%"
