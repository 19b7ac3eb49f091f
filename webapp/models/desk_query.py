"""A DeskFilter as the query of a URL, which is how a search is saved, and in words."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from tasks.engine import registry
from tasks.engine.models.failure_group import FailureGroup
from tasks.engine.models.state import ACTIVE, FINISHED, State
from webapp.lib.i18n import number
from webapp.lib.normalization import clean
from webapp.lib.times import clock_words, exact_iso, from_local
from webapp.models.bulk_actions.outcome_file import Acted
from webapp.models.desk_filter import WORKFLOW, DeskFilter
from webapp.models.user import User

LONGEST: Final = 100  # characters of one of its values
MOST_ARGUMENTS: Final = 5
ARGUMENT: Final = "arg."  # before the name of an argument
STATES: Final = {state.value: frozenset({state}) for state in State} | {"active": ACTIVE, "finished": FINISHED}
SPANS: Final = {
    "created_after": "created at {} or later",
    "created_before": "created before {}",
    "ended_after": "ended at {} or later",
    "ended_before": "ended before {}",
}
FLAGS: Final = ("rescued", "internal", "children")
TEXTS: Final = ("kind", "worker", "fingerprint")
FIELDS: Final = ("owner", "kind", "state", "q", "worker", "fingerprint", "bulk", *FLAGS, *SPANS)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,59}")
_TOKEN = re.compile(r"[A-Za-z0-9_.:-]*")


class BadFilter(ValueError):
    """A query that says what it may not say: `problems` has the words for each field that is wrong."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {words}" for name, words in problems.items()))
        self.problems = dict(problems)


def parse(said: Mapping[str, str], *, may_steer: bool, zone: str = "UTC") -> DeskFilter:
    """The filter that a query says; names that it does not know say nothing. Three queries at most, for the owner, and
    one for a bulk action.

    Times end in Z, or are those of a clock in `zone`. Who may not steer searches titles alone. Raises BadFilter, also
    for arguments from whom they are not shown.
    """
    fields: dict[str, Any] = {"titles_only": not may_steer}
    problems: dict[str, str] = {}
    texts = {name: text for name in said if (text := clean(said[name]) or "") or name.startswith(ARGUMENT)}
    for name, text in texts.items():
        if name not in FIELDS and not name.startswith(ARGUMENT):
            continue
        try:
            if len(text) > LONGEST:
                raise ValueError(f"This has {number(len(text))} characters. The limit is {LONGEST}.")
            if name.startswith(ARGUMENT):
                fields["arguments"] = _with_argument(fields.get("arguments", ()), name, text, may_steer)
            else:
                fields |= _READ[name](name, text, zone)
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        raise BadFilter(problems)
    return DeskFilter(**fields)


def _with_argument(
    others: tuple[tuple[str, str], ...], name: str, text: str, may_steer: bool
) -> tuple[tuple[str, str], ...]:
    if not may_steer:
        raise ValueError("Arguments are for operators.")
    if not _NAME.fullmatch(name.removeprefix(ARGUMENT)):
        raise ValueError("There is no argument of that name.")
    if not text:
        raise ValueError("Say name=value, like seconds=40.")
    if len(others) == MOST_ARGUMENTS:
        raise ValueError(f"Give at most {MOST_ARGUMENTS} arguments.")
    return (*others, (name.removeprefix(ARGUMENT), text))


def _owner(_: str, text: str, __: str) -> dict[str, Any]:
    owner = User.by_any_name(text)
    if owner is None:
        raise ValueError("Nobody is called that.")
    return {"owner": owner}


def _states(_: str, text: str, __: str) -> dict[str, Any]:
    names = [name.strip() for name in text.split(",")]
    if not set(names) <= STATES.keys():
        raise ValueError(f"Choose among {', '.join(STATES)}.")
    return {"states": frozenset[State]().union(*(STATES[name] for name in names))}


def _text(name: str, text: str, _: str) -> dict[str, Any]:
    if not _TOKEN.fullmatch(text):
        raise ValueError("There is none of that name.")
    return {name: text}


def _acted(_: str, text: str, __: str) -> dict[str, Any]:
    try:
        acted = Acted.read(text)
    except (ValueError, KeyError) as error:
        raise ValueError("There is no such bulk action.") from error
    if acted.file is None:
        raise ValueError("What it did to which tasks isn’t kept any more.")
    return {"acted": acted}


def _flag(name: str, text: str, _: str) -> dict[str, Any]:
    if text not in {"0", "1"}:
        raise ValueError("Say 1 or 0.")
    return {name: text == "1"}


def _moment(name: str, text: str, zone: str) -> dict[str, Any]:
    try:
        at = datetime.fromisoformat(text)
        naive = from_local(at, zone) if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        raise ValueError("Enter a time like 2026-11-21T09:30Z.") from error
    return {name: naive}


_READ: Final = (
    {"owner": _owner, "state": _states, "bulk": _acted, "q": lambda _, text, __: {"text": text}}
    | dict.fromkeys(TEXTS, _text)
    | dict.fromkeys(FLAGS, _flag)
    | dict.fromkeys(SPANS, _moment)
)


def written(asked: DeskFilter) -> dict[str, str]:
    """The query by which `parse` makes the same filter, without what it demands nothing of; times in UTC."""
    said = {"owner": asked.owner.username if asked.owner else "", "kind": asked.kind, "state": _written(asked.states)}
    said |= {"q": asked.text, "worker": asked.worker, "fingerprint": asked.fingerprint}
    said |= {"bulk": str(asked.acted)} if asked.acted else {}
    said |= {name: "1" for name in FLAGS if getattr(asked, name)}
    said |= {name: exact_iso(at) for name in SPANS if (at := getattr(asked, name))}
    said |= {f"{ARGUMENT}{name}": value for name, value in asked.arguments}
    return {name: text for name, text in said.items() if text}


def _written(states: frozenset[State]) -> str:
    return ",".join(sorted(states))


def describe(asked: DeskFilter, zone: str = "UTC") -> str:
    """What it lets through, in words, like “failed tasks of ann, of the kind export_posts, rescued”.

    One query, for the message of a failure, which is for those who may steer.
    """
    return ", ".join(_words(asked, zone))


def _words(asked: DeskFilter, zone: str) -> Iterator[str]:
    states = " or ".join(dict.fromkeys(state.words for state in State if state in asked.states))
    noun = "tasks with internal ones" if asked.internal else "tasks"
    of_owner = f"of {asked.owner.username}" if asked.owner else ""
    yield " ".join(filter(None, (states or "all", noun, of_owner, _failed_by(asked))))
    if asked.kind:
        function = registry.functions.get(asked.kind)
        yield "workflows" if asked.kind == WORKFLOW else f"of the kind {function.label if function else asked.kind}"
    if asked.children:
        yield "children of workflows included"
    if asked.worker:
        yield f"of the worker {asked.worker}"
    if asked.acted:
        yield "of a bulk action" + (f": {asked.acted.outcome}" if asked.acted.outcome else "")
    if asked.rescued:
        yield "rescued"
    if asked.text:
        yield f"with “{asked.text}” in the title" + ("" if asked.titles_only else " or the error")
    for name, words in SPANS.items():
        if at := getattr(asked, name):
            yield words.format(clock_words(at, zone))
    for name, value in asked.arguments:
        yield f"with {name} “{value}”"


def _failed_by(asked: DeskFilter) -> str:
    """By which failure: its message, or its fingerprint for who reads none."""
    if not asked.fingerprint:
        return ""
    group = None if asked.titles_only else FailureGroup.get_or_none(FailureGroup.fingerprint == asked.fingerprint)
    words = group and (group.message or group.exception)
    return f"that failed with “{words}”" if words else f"of the failure {asked.fingerprint}"
