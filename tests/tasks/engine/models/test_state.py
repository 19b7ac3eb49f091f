"""A task's states: the tables write most of these tests, each verb in each state; the sentences catch a wrong table."""

from datetime import datetime, timedelta
from itertools import product

import pytest

from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.state import ACTIVE, FINISHED, LEASED, ON_RELEASE, TRANSITIONS, sources_of
from tests.webapp.models.everything import everything, row
from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import Composition, IllegalTransition, State, Task

LEASE = timedelta(seconds=15)
GONE = "gone"
PAST = timedelta(seconds=1)

# What each verb makes of a task in each state in which it works.
VERBS = {name: action.moves for name, action in OWNER_ACTIONS.items()} | {
    "remove": {state: GONE for state in FINISHED},
    "claim": {State.PENDING: State.IN_PROGRESS},
    "succeed": dict.fromkeys(LEASED, State.SUCCEEDED),
    "fail": dict.fromkeys(LEASED, State.FAILED),
    "hand_back": ON_RELEASE | {State.IN_PROGRESS: State.PENDING},
    "make_way": ON_RELEASE | {State.IN_PROGRESS: State.PENDING},
    "retry_later": ON_RELEASE | {State.IN_PROGRESS: State.RETRYING},
    "postpone": ON_RELEASE | {State.IN_PROGRESS: State.RETRYING},
    "interrupt": ON_RELEASE | {State.IN_PROGRESS: State.RETRYING},
    "acknowledge_stop": ON_RELEASE,
    "enqueue": dict.fromkeys((State.SCHEDULED, State.RETRYING), State.PENDING),
    "rescue": ON_RELEASE | {State.IN_PROGRESS: State.PENDING},
    "reset_for_retry": dict.fromkeys((State.FAILED, State.CANCELED), State.WAITING),
}
ARGUMENTS = {
    "fail": ["It broke."],
    "retry_later": [30.0, "It broke."],
    "postpone": [datetime(2099, 1, 1), "It is for later."],
    "interrupt": ["It was cut off."],
}
AUTHORS = {words for arguments in ARGUMENTS.values() for words in arguments}
OF_ITS_RUN = ("succeed", "fail", "hand_back", "make_way", "retry_later", "postpone", "interrupt", "acknowledge_stop")


def _do(task: Task, verb: str) -> bool:
    """Whether the verb worked; it says that it did not by what it returns or by IllegalTransition."""
    if verb == "claim":
        return Task.claim(LEASE) is not None
    try:
        return getattr(task, verb)(*ARGUMENTS.get(verb, [])) is not False
    except IllegalTransition as refused:
        return refused.task.state != row(task).state


def _due(state: State, **fields) -> Task:
    return make_task(
        state, **{"run_at": utcnow() - PAST} if state in (State.SCHEDULED, State.RETRYING) else {}, **fields
    )


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", State)
def test_a_verb_moves_a_task_where_the_table_says_and_is_else_refused_and_changes_nothing(app, state, verb):
    task = _due(state)
    before, ready_at, target = everything(), task.ready_at, VERBS[verb].get(state)
    assert _do(task, verb) == (target is not None)
    if target is None:
        assert everything() == before
    elif target == GONE:
        assert not Task.select().exists()
    else:
        assert row(task).state == target
        assert target in TRANSITIONS[state] or target == state, "each move is in the table"
        if target != state:
            last = task.timeline()[-1]
            assert last.kind in (target, "started")
            assert (last.phrase is None) == (last.text in AUTHORS), "what the engine says is a phrase"
        assert row(task).moves == 1, "each counts once"
        assert (row(task).ready_at != ready_at) == (target == State.PENDING), "since then it waits for a worker"


@pytest.mark.parametrize("verb", OWNER_ACTIONS)
@pytest.mark.parametrize("state", State)
def test_a_button_is_there_when_it_works(app, state, verb):
    task = make_task(state)
    assert task.can(verb) == (state in VERBS[verb])


@pytest.mark.parametrize("verb", OWNER_ACTIONS)
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("place", ["a whole", "a part"])
def test_a_button_of_a_whole_or_of_a_part_is_there_when_it_works(app, state, verb, place):
    parent = make_task(State.IN_PROGRESS, composition=Composition.GROUP)
    task = parent if place == "a whole" else make_task(state, parent.user, parent=parent, root=parent)
    make_task(State.IN_PROGRESS, parent.user, parent=parent, root=parent)  # so that the whole goes on
    if task == parent:
        Task.update(state=state, queue_key=None).where(Task.id == parent.id).execute()
        task.reload()
    before, can = everything(), task.can(verb)
    assert _do(task, verb) == can
    if not can:
        assert everything() == before


def test_what_its_owner_may_ask_for_is_in_the_table_of_moves():
    moves = [move for action in OWNER_ACTIONS.values() for move in action.moves.items()]
    assert all(target in TRANSITIONS[source] or target == source for source, target in moves)


def test_an_action_allows_of_a_row_what_it_finds_by_a_query(each_database):
    """Whatever a task is like: so a button and a press for many tasks cannot disagree."""
    parent, now = make_task(State.IN_PROGRESS, composition=Composition.GROUP), utcnow()
    for state, *kind in product(
        State, (None, parent), (Composition.SINGLE, Composition.CHAIN), (None, now), (None, now)
    ):
        fields = dict(zip(("parent", "composition", "started_at", "dismissed_at"), kind, strict=True))
        make_task(state, parent.user, root=fields["parent"], **fields)
    for action, in_bulk in product(OWNER_ACTIONS.values(), (False, True)):
        allowed = {task.id for task in Task.select() if action.allows(task, in_bulk=in_bulk)}
        assert allowed == {task.id for task in Task.select().where(action.where(Task, in_bulk=in_bulk))}
        assert {task.state for task in Task.select() if task.id in allowed} == action.moves.keys()


def test_each_action_is_a_verb_of_the_task():
    assert all(getattr(Task, name).__doc__ for name in OWNER_ACTIONS)


def test_a_task_that_waits_for_a_whole_or_that_is_a_whole_has_fewer_buttons(app):
    parent = make_task(State.FAILED, composition=Composition.GROUP)
    part = make_task(State.FAILED, parent.user, parent=parent, root=parent)
    assert parent.can("retry")
    assert not part.can("retry"), "the whole is tried again, and its part with it"
    assert not part.can("remove")
    assert not make_task(State.PENDING, composition=Composition.GROUP, queue_key=None).can("pause")


def test_a_state_without_an_exit_is_finished():
    assert {State.SUCCEEDED, State.FAILED, State.CANCELED} == FINISHED
    assert set(State) == FINISHED | ACTIVE
    assert all(reason for targets in TRANSITIONS.values() for reason in targets.values())
    assert [state for state, targets in TRANSITIONS.items() if not targets] == [State.SUCCEEDED]


@pytest.mark.parametrize("state", State)
def test_every_state_can_be_reached_and_is_said_in_words(state):
    assert state in {State.PENDING, State.SCHEDULED} or sources_of(state)
    assert "_" not in state.words


@pytest.mark.parametrize("verb", OF_ITS_RUN)
@pytest.mark.parametrize("state", sorted(LEASED))
def test_a_run_that_lost_its_task_writes_nothing(app, state, verb):
    lost = make_task(state)
    Task.update(fencing_token="another run").where(Task.id == lost.id).execute()
    before = everything()
    assert not _do(lost, verb)
    assert not lost.advance(39, 40, "I still believe it is mine")
    assert not lost.checkpoint({"done": 39}, 39, 40, "", LEASE)
    assert not lost.renew(LEASE)
    assert not lost.is_mine_and_running()
    assert not lost.rescue()
    assert everything() == before


@pytest.mark.parametrize("state", State)
def test_run_without_a_lease_cannot_finish_a_task(app, state):
    """No owner token is not the same as the owner token of a task that nobody holds."""
    task = make_task(state)
    task.fencing_token = None
    before = everything()
    assert not any(_do(task, verb) for verb in OF_ITS_RUN)
    assert not task.renew(LEASE)
    assert everything() == before


@pytest.mark.parametrize("state", [State.SCHEDULED, State.RETRYING])
def test_nothing_is_woken_before_its_time(app, state):
    task = make_task(state)
    before = everything()
    assert not task.enqueue()
    assert list(Task.due(10)) == []
    assert everything() == before
