"""The filter of the desk: it finds what a look at each row finds, in order, and by index."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any
from uuid import uuid4

import pytest

from tasks.engine.models.state import FINISHED
from tests import task_plans
from webapp.db import database, is_postgres
from webapp.dev.factories import make_artifact, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import State, Task, User, desk_filter, desk_parts, ordered_parts
from webapp.models.bulk_actions import BULK_NAME
from webapp.models.bulk_actions.outcome_file import COLUMNS, FILE, Acted
from webapp.models.bulk_actions.outcomes import Outcome
from webapp.models.desk_filter import WORKFLOW, DeskFilter

NOON = utcnow().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=100)
KINDS = ("countdown", "export_posts", "mail_digest", "gone_since", "")
EACH = 2  # rows of each sort


@pytest.fixture
def people(each_database) -> list[User]:
    """Two people with tasks of all sorts, some of which are a workflow's, internal or rescued."""
    people = [make_user("ann"), make_user("bob")]
    sorts = list(product(people, State, KINDS))
    tops = {person.id: _row(0, person, State.IN_PROGRESS, "") for person in people}
    rows = [_row(number, *sort) for number, sort in enumerate(sorts * EACH)]
    for number, row in enumerate(rows):
        row["parent"] = row["root"] = tops[row["user"].id]["id"] if number % 7 == 3 else None
    for begin in range(0, len(rows), 50):
        Task.insert_many(([*tops.values()] if not begin else []) + rows[begin : begin + 50]).execute()
    return people


def _row(number: int, user: User, state: State, name: str) -> dict[str, Any]:
    created = NOON + timedelta(minutes=number // 3)  # some at the same time
    ended = created + timedelta(hours=number % 5) if state in FINISHED else None
    error = "The disk is full." if state == State.FAILED and number % 2 else ""
    return {
        **{"id": uuid4(), "user": user, "name": name, "title": f"Task no{number % 9}", "state": state, "error": error},
        **{"created_at": created, "finished_at": ended, "rescues": int(number % 11 == 0), "parent": None, "root": None},
        **{
            "hidden": name == "mail_digest",
            "arguments": {"seconds": number % 3, "format": "json", "sure": number % 2 == 0},
        },
        "worker": f"worker{number % 3}",
        "fingerprint": f"cause{number % 4}" if state == State.FAILED else None,
        "run_at": created if state == State.SCHEDULED else None,
    }


FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"owner": "ann"},
    {"kind": "countdown"},
    {"kind": WORKFLOW},
    {"kind": "never_there"},
    {"states": {State.FAILED}},
    {"states": {State.PENDING, State.SUCCEEDED, State.PAUSED}},
    {"kind": "export_posts", "states": {State.FAILED}},
    {"owner": "bob", "kind": "countdown"},
    {"owner": "bob", "states": {State.FAILED, State.PENDING}},
    {"owner": "bob", "states": {State.FAILED}, "kind": "countdown"},
    {"owner": "ann", "states": {State.SUCCEEDED}, "created_after": NOON + timedelta(minutes=40)},
    {"rescued": True},
    {"rescued": True, "owner": "ann", "internal": True},
    {"rescued": True, "states": {State.FAILED}, "owner": "ann"},
    {"worker": "worker1"},
    {"worker": "worker1", "states": {State.FAILED}, "kind": "countdown", "rescued": True},
    {"fingerprint": "cause2"},
    {"fingerprint": "cause2", "worker": "worker1", "owner": "ann"},
    {"text": "no5"},
    {"text": "FULL disk", "states": {State.FAILED}},
    {"text": "full disk", "titles_only": True},
    {"text": "%"},
    {"created_after": NOON + timedelta(minutes=30), "created_before": NOON + timedelta(minutes=60)},
    {"created_before": NOON + timedelta(minutes=60), "states": {State.FAILED}},
    {"ended_after": NOON + timedelta(minutes=130), "ended_before": NOON + timedelta(minutes=190)},
    {"ended_before": NOON + timedelta(minutes=190), "kind": "countdown", "created_after": NOON + timedelta(minutes=9)},
    {"owner": "ann", "ended_after": NOON + timedelta(minutes=130)},
    {"states": {State.PENDING}, "ended_after": NOON},
    {"arguments": (("seconds", "2"),)},
    {"arguments": (("format", "json"), ("sure", "true")), "kind": "countdown"},
    {"arguments": (("seconds", "json"),)},
)
WITHIN = ({}, {"internal": True}, {"children": True}, {"internal": True, "children": True})


@pytest.mark.parametrize("size", [25, 1000])
def test_each_filter_finds_what_a_look_at_each_row_finds_in_order_and_page_by_page(people, monkeypatch, size) -> None:
    """Also where it has to stop looking on the way."""
    rows = list(Task.select())
    if size == 25:
        monkeypatch.setattr(desk_parts, "MOST_LOOKED_AT", 20)
        monkeypatch.setattr(ordered_parts, "LEAST_EACH", 5)
    for each, within in product(FILTERS, WITHIN):
        asked = _filter(people, each | within)
        expected = [row for row in rows if _is_wanted(asked, row)]
        found = list(_pages(asked, size))
        times = [task.finished_at or task.created_at if _by_end(asked) else task.created_at for task in found]
        assert len(found) == len({task.id for task in found}), (each, within)
        assert {task.id for task in found} == {task.id for task in expected}, (each, within)
        assert list(zip(times, (task.id for task in found), strict=True)) == sorted(
            zip(times, (task.id for task in found), strict=True), reverse=True
        ), (each, within)


def _filter(people: list[User], said: dict[str, Any]) -> DeskFilter:
    owner = {person.username: person for person in people}.get(said.get("owner", ""))
    return DeskFilter(**said | {"owner": owner, "states": frozenset(said.get("states", ()))})


def _by_end(asked: DeskFilter) -> bool:
    if asked.worker or asked.fingerprint or (asked.rescued and not asked.owner):
        return False
    if asked.owner and not (asked.internal or asked.children):
        return asked.wanted != frozenset(State)
    return bool(asked.kind) or asked.wanted != frozenset(State)


def _pages(asked: DeskFilter, size: int) -> Iterator[Task]:
    after = None
    while True:
        tasks, after = asked.page(after, size)
        yield from tasks
        if after is None:
            return


def _is_wanted(asked: DeskFilter, row: Task) -> bool:
    read = row.title.lower() + ("" if asked.titles_only else f"\n{row.error.lower()}")
    return all(
        (
            asked.internal or not row.hidden or asked.worker or asked.fingerprint,
            asked.children or row.parent_id is None or asked.worker or asked.fingerprint,
            not asked.worker or row.worker == asked.worker,
            not asked.fingerprint or row.fingerprint == asked.fingerprint,
            not asked.owner or row.user_id == asked.owner.id,
            asked.name is None or row.name == asked.name,
            not asked.states or row.state in asked.states,
            not asked.rescued or row.rescues > 0,
            all(word in read for word in asked.text.lower().split()),
            not asked.created_after or row.created_at >= asked.created_after,
            not asked.created_before or row.created_at < asked.created_before,
            not asked.ended_after or (row.finished_at is not None and row.finished_at >= asked.ended_after),
            not asked.ended_before or (row.finished_at is not None and row.finished_at < asked.ended_before),
            all(str(row.arguments[name]).lower() == value for name, value in asked.arguments),
        )
    )


def _acted_on(tasks: list[Task]) -> Acted:
    """What a bulk action has acted on, by its file: every second one is done."""
    outcomes = [Outcome.DONE, Outcome.BUSY] * len(tasks)
    rows = [",".join(COLUMNS), *(f"{task.id},,,,{each}" for task, each in zip(tasks, outcomes, strict=False))]
    bulk = make_task(State.SUCCEEDED, name=BULK_NAME)
    make_artifact(bulk, FILE, "\r\n".join(rows))
    return Acted(bulk.id, Outcome.DONE)


@pytest.mark.parametrize("size", [5, 1000])
def test_what_a_bulk_action_has_done_is_found_whatever_else_is_asked_for(people, monkeypatch, size) -> None:
    monkeypatch.setattr(desk_parts, "MOST_LOOKED_AT", 20)
    rows = list(Task.select().order_by(Task.id))
    acted = _acted_on(rows)
    for each in FILTERS:
        asked = _filter(people, each | {"acted": acted, "internal": True, "children": True})
        expected = {row.id for row in rows[::2] if _is_wanted(asked, row)}
        found = list(_pages(asked, size))
        assert (len(found), {task.id for task in found}) == (len(expected), expected), each
        assert [task.created_at for task in found] == sorted((task.created_at for task in found), reverse=True), each


def test_what_a_bulk_action_has_done_is_found_by_its_ids(each_database, queries) -> None:
    task_plans.fill([make_user("ann"), make_user("bob")])
    asked = DeskFilter(acted=_acted_on(list(Task.select().limit(4))))
    if is_postgres():
        database.execute_sql("SET enable_sort = on")
    with queries() as seen:
        asked.page((NOON + timedelta(days=30), uuid4()), 20)
    assert seen.count <= 4
    [(sql, plan)] = task_plans.plans(seen)
    assert task_plans.is_by_index(sql, plan), plan
    assert re.search(r"tasks_pkey|sqlite_autoindex_tasks", plan), plan


def test_no_filter_reads_all_tasks_or_asks_more_than_four_queries(each_database, queries) -> None:
    people = [make_user("ann"), make_user("bob")]
    task_plans.fill(people)
    if is_postgres():
        database.execute_sql("SET enable_seqscan = off")  # so few rows would be read at once
    for each, within in product(FILTERS, WITHIN):
        asked = _filter(people, each | within)
        with queries() as seen:
            asked.page((NOON + timedelta(days=30), uuid4()), 20)
        assert seen.count <= 4, (each, within)
        for sql, plan in task_plans.plans(seen):
            assert task_plans.is_by_index(sql, plan), (each, within, sql, plan)


def test_a_walk_meets_each_once_and_none_that_starts_meanwhile(people, monkeypatch) -> None:
    monkeypatch.setattr(desk_filter, "AT_ONCE", 10)
    asked, met = DeskFilter(kind="countdown", children=True), []
    for tasks, _ in asked.walk():
        met += tasks
        _ = Task.insert(_row(1, people[0], State.PENDING, "countdown") | {"created_at": utcnow()}).execute()
    assert len({task.id for task in met}) == len(met) == len(people) * len(State) * EACH
