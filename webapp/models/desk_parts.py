"""By which indexes the tasks are found that a DeskFilter asks for."""

import json
from collections.abc import Iterable
from dataclasses import replace
from math import isfinite
from typing import Any, Final
from uuid import UUID

from peewee import fn

from tasks.engine import registry
from tasks.engine.models.state import ACTIVE, FINISHED, State
from tasks.engine.models.task import Task
from webapp.db import database
from webapp.models.desk_asked import Asked
from webapp.models.ordered_parts import Part, is_among
from webapp.models.search import all_of
from webapp.models.task_filter import has_word, unindexed

MOST_LOOKED_AT: Final = 10_000
_ALL: Final = frozenset(State)


def parts_of(asked: Asked) -> tuple[Part, ...]:
    """The list that a filter asks for, by the index that finds it best. At most one query.

    There is no part where none can be in the list. What a bulk action has acted on costs the queries for its file.
    """
    if not asked.wanted:
        return ()
    if asked.worker or asked.acted:
        asked = replace(asked, internal=True, children=True)
    by_owner = _owner(asked)
    if asked.acted:
        return _of_bulk(asked, asked.acted.ids())
    if few := _few(asked):
        return (_by_start(asked, Task.select().where(few), *by_owner, *_state(asked), *_name(asked), *_shown(asked)),)
    if asked.owner and not (asked.internal or asked.children):
        return _of_owner(asked)
    if asked.kind or asked.wanted != _ALL:
        each = [(state, Task.select().where(Task.name == name)) for state, name in _kinds_in(asked)]
        return tuple(_by_state(asked, query, state, *by_owner, *_shown(asked)) for state, query in each)
    shown = _by_start(asked, Task.of_all(), *by_owner)
    if not (asked.internal or asked.children):
        return (shown,)
    inner = Task.select().where(Task.parent.is_null(False) | Task.hidden)
    return (shown, _by_start(asked, inner, *by_owner, *_shown(asked)))


def _few(asked: Asked) -> Any:
    """The condition on which there are fewest, by an index of its own; None where there is no such condition."""
    if asked.fingerprint:
        return Task.fingerprint == asked.fingerprint
    return Task.rescues > 0 if asked.rescued and not asked.owner else None


def _of_bulk(asked: Asked, ids: list[UUID]) -> tuple[Part, ...]:
    failed = [Task.fingerprint == asked.fingerprint] if asked.fingerprint else []
    ended = [Task.finished_at >= asked.ended_after] if asked.ended_after else []
    ended += [Task.finished_at < asked.ended_before] if asked.ended_before else []
    also = *_owner(asked), *_state(asked), *_name(asked), *failed, *ended
    return (replace(_by_start(asked, Task.select().where(is_among(ids)), *also), are_few=True),) if ids else ()


def _of_owner(asked: Asked) -> tuple[Part, ...]:
    whose = Task.of_all().where(Task.user == asked.owner)
    if asked.wanted != _ALL:
        return tuple(_by_state(asked, whose, state, *_name(asked)) for state in sorted(asked.wanted))
    return (_by_start(asked, whose if asked.name is None else whose.where(Task.name == asked.name)),)


def _by_start(asked: Asked, query: Any, *conditions: Any) -> Part:
    also = (*conditions, *_others(asked))
    return Part(query=query, time=Task.created_at, begin=asked.created_after, end=asked.created_before, conditions=also)


def _by_state(asked: Asked, query: Any, state: State, *conditions: Any) -> Part:
    """Its databases need to be told what follows from the state, to take the index."""
    query = query.where(Task.state == state)
    if state in ACTIVE:
        return _by_start(asked, query.where(Task.finished_at.is_null()), *conditions)
    also = [*conditions, *_others(asked)]
    if asked.created_after:
        also.append(Task.created_at >= asked.created_after)
    if asked.created_before:
        also.append(Task.created_at < asked.created_before)
    # Nothing ends before it is created.
    begin = max((time for time in (asked.ended_after, asked.created_after) if time), default=None)
    query = query.where(Task.finished_at.is_null(False))
    return Part(query=query, time=Task.finished_at, begin=begin, end=asked.ended_before, conditions=tuple(also))


def _kinds_in(asked: Asked) -> list[tuple[State, str]]:
    """Of which kinds there may be tasks in which of the states."""
    if asked.name is not None:
        return [(state, asked.name) for state in sorted(asked.wanted)]
    internal = () if asked.internal else {name for name, each in registry.functions.items() if each.internal}
    return [(state, name) for state, name in kinds_in(asked.wanted) if name not in internal]


def kinds_in(states: frozenset[State]) -> list[tuple[State, str]]:
    """Which kinds have tasks in which of these states; there is at least one. One query, by index."""
    return [(State(state), name) for state, name in database.execute_sql(_kinds_sql(states)).fetchall()]


def _kinds_sql(states: Iterable[State]) -> str:
    """From one kind to the next by index: so many steps as there are kinds, however many tasks they have."""
    steps, found = [], []
    for name, all_of_it, is_null in (("begun", ACTIVE, "IS NULL"), ("ended", FINISHED, "IS NOT NULL")):
        if wanted := sorted(all_of_it & frozenset(states)):
            least = f"SELECT MIN(name) FROM tasks WHERE finished_at {is_null} AND state"  # noqa: S608 - no input
            first = " UNION ALL ".join(f"SELECT '{state}', ({least} = '{state}')" for state in wanted)
            following = f"({least} = {name}.state AND name > {name}.name) FROM {name} WHERE name IS NOT NULL"
            steps.append(f"{name} (state, name) AS ({first} UNION ALL SELECT state, {following})")
            found.append(f"SELECT state, name FROM {name} WHERE name IS NOT NULL")  # noqa: S608 - no input
    return f"WITH RECURSIVE {', '.join(steps)} {' UNION ALL '.join(found)}"


def _owner(asked: Asked) -> list[Any]:
    return [fn.COALESCE(Task.user, 0) == asked.owner.id] if asked.owner else []


def _state(asked: Asked) -> list[Any]:
    states = [state.value for state in sorted(asked.wanted)]
    return [unindexed(Task.state).in_(states)] if asked.wanted != _ALL else []


def _name(asked: Asked) -> list[Any]:
    return [] if asked.name is None else [unindexed(Task.name) == asked.name]


def _shown(asked: Asked) -> list[Any]:
    if asked.fingerprint:
        return []
    return [*([] if asked.internal else [~Task.hidden]), *([] if asked.children else [Task.parent.is_null()])]


def _others(asked: Asked) -> list[Any]:
    """What no index finds, or another one."""
    conditions: list[Any] = [unindexed(Task.worker) == asked.worker] if asked.worker else []
    conditions += [fn.COALESCE(Task.rescues, 0) > 0] if asked.rescued else []
    if words := asked.text.lower().split():
        conditions.append(all_of([_has(asked, word) for word in words]))
    conditions += [_is(name, value) for name, value in asked.arguments]
    return conditions


def _has(asked: Asked, word: str) -> Any:
    found = has_word(Task.title, word)
    return found if asked.titles_only else found | has_word(Task.error, word)


def _is(name: str, value: str) -> Any:
    """Whether an argument is that text, or the number or the yes or no that the text says. What is sealed is not."""
    try:
        said = json.loads(value)
    except ValueError:
        said = value
    argument = Task.arguments[name]
    is_plain = isinstance(said, bool | int | float) and isfinite(said)  # JSON has no NaN, and PostgreSQL refuses it
    return (argument == value) | (argument == said) if is_plain else argument == value
