"""The tasks of a bulk action: the same that the list of the desk has, found and counted as fast as 10,000 need it."""

import random

import pytest

from tasks.engine.models.state import FINISHED
from tests import task_plans
from webapp.db import database, is_postgres
from webapp.dev.factories import make_user
from webapp.models import State, Task, User, desk_parts
from webapp.models.bulk_actions import selection
from webapp.models.bulk_actions.outcomes import Outcome
from webapp.models.bulk_actions.selection import select_all, select_some, uuid_of
from webapp.models.bulk_actions.snapshot import take_snapshot
from webapp.models.desk_filter import DeskFilter

ENDED = frozenset(FINISHED)
EVERYTHING = DeskFilter(states=frozenset(State), internal=True, children=True)


@pytest.fixture
def people(each_database) -> list[User]:
    """Each has tasks of two kinds in all states."""
    people = [make_user() for _ in range(2)]
    task_plans.fill(people)
    return people


def _filters(people: list[User]) -> list[DeskFilter]:
    return [
        DeskFilter(states=ENDED),
        DeskFilter(states=frozenset({State.FAILED, State.PENDING}), kind="countdown", children=True),
        DeskFilter(owner=people[0]),
        DeskFilter(owner=people[1], states=ENDED, kind="export_posts"),
        DeskFilter(states=ENDED, text="down"),
        DeskFilter(states=ENDED, text="nowhere"),
        DeskFilter(kind="never_there"),
    ]


def test_it_has_what_the_list_has_in_the_same_order(people):
    for asked in (*_filters(people), EVERYTHING):
        listed, place = list[Task](), None
        while True:
            tasks, place = asked.page(place, 25)
            listed += tasks
            if place is None:
                break
        assert [uuid_of(row) for row in select_all(asked).rows] == [task.id for task in listed], asked


def test_it_is_found_by_index_in_a_few_queries(people, queries):
    if is_postgres():  # it would rather read all of so few rows than some by an index
        database.execute_sql("SET enable_seqscan = off")
    for asked in _filters(people):
        with queries() as seen:
            take_snapshot("retry", select_all(asked))
        assert seen.count <= 4, asked
        for sql, plan in task_plans.plans(seen):
            assert task_plans.is_by_index(sql, plan), (asked, sql, plan)


def test_it_ends_at_the_most_that_may_be_and_where_too_much_was_looked_at(people, monkeypatch):
    monkeypatch.setattr(selection, "MOST", 30)
    cut = select_all(DeskFilter(states=ENDED))
    assert (len(cut.rows), cut.is_cut, cut.is_unsearched) == (30, True, True)
    monkeypatch.setattr(desk_parts, "MOST_LOOKED_AT", 1)
    monkeypatch.setattr("webapp.models.ordered_parts.LEAST_EACH", 1)
    unsearched = select_all(DeskFilter(states=ENDED, text="nowhere"))
    assert (unsearched.rows, unsearched.is_cut, unsearched.is_unsearched) == ([], False, True)


def test_ids_are_looked_for_by_one_query_of_a_few_parameters_however_many_they_are(people, queries):
    ids = [task.id for task in Task.select(Task.id)]
    random.shuffle(ids)
    gone = Task().id
    with queries() as seen:
        some = select_some([*ids, ids[0], gone])
    assert [uuid_of(row) for row in some.rows] == ids, "in the order in which they were given, each once"
    assert (some.gone, take_snapshot("retry", some).passed[Outcome.GONE]) == (1, 1)
    [asked] = seen.get_queries()
    assert len(asked.msg[1]) < 20


def test_a_snapshot_counts_all_of_a_selection_without_a_query(people, queries):
    chosen = select_all(EVERYTHING)
    with queries() as seen:
        snapshot = take_snapshot("remove", chosen)
    assert seen.count == 0
    assert snapshot.total == len(chosen.rows) == Task.select().count()
    assert snapshot.states.total() == len(snapshot.able) == len(snapshot.seen())
    assert set(snapshot.states) == ENDED
