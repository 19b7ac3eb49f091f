"""The statements of a claim: each takes a task that waits for a run, and gives its row as it is then."""

from peewee import Case, Expression, ModelUpdate, Select, fn

from tasks.engine.models import fair_queue, open_kinds
from tasks.engine.models.fair_share import NOW, fair, full, head, lock
from tasks.engine.models.line_start import LineStart
from tasks.engine.models.row import TaskRow
from tasks.engine.models.state import State
from webapp.db import Param, compiled, is_postgres, locking, params_of

_line_start = LineStart()


def _parts() -> tuple[Expression, ...]:
    """What is searched, one after the other: on PostgreSQL what comes first by its priority, then the line from a
    `start` in the `level` of that. The whole line on SQLite.
    """
    if not is_postgres():
        return (TaskRow.queue_key.is_null(False),)
    return TaskRow.queue_key < Param("level", int), TaskRow.queue_key >= Param("start", int)


def starts() -> tuple[dict[str, int], ...]:
    """From where to search: what is taken lately is passed over, until nothing is found. One query a second.

    Nowhere, where that query says that nothing waits: whoever is idle asks nothing else. On SQLite, the whole line.
    """
    if not is_postgres():
        return ({},)
    start = _line_start.known()
    if start is None:
        _line_start.found(start := fair_queue.first_key())
    if start is None:
        return ()
    here = {"level": fair_queue.level_of(start), "start": start}
    return here, {"level": fair_queue.FIRST, "start": fair_queue.FIRST}


@compiled
def take_head() -> ModelUpdate:
    """The task at the head of the line, for who is alone in it."""
    return _taking(_heads(), shared=True).where(~open_kinds.any_control())


@compiled
def take_fairly() -> ModelUpdate:
    """The first task of somebody who is not full, or if there is none, the head of the line."""
    fairest = Select(columns=[Case(None, [(fn.EXISTS(full()), fair(*_parts(), lock=True))])])
    return _taking([fairest, *_heads()], shared=False).where(~open_kinds.any_control())


@compiled
def take_open() -> ModelUpdate:
    """The same among what may be taken while kinds are held."""
    fairest = open_kinds.nearest(lock=True), open_kinds.first_of_pairs(lock=True)
    return _taking([*fairest, open_kinds.nearest(lock=True, fair=False)], shared=False)


def _heads() -> list[Select]:
    """On PostgreSQL they pass over what another is claiming."""
    return [locking(head(part), skip_locked=True) for part in _parts()]


def _taking(choices: list[Select], shared: bool) -> ModelUpdate:
    """Takes the first of these that there is: gives its row as it is then, or none when nothing waits.

    On PostgreSQL with its person's lock, maybe a `shared` one, and one more column for that.
    """
    chosen = TaskRow.id == (fn.COALESCE(*choices) if len(choices) > 1 else choices[0])
    run = params_of(TaskRow.fencing_token, TaskRow.lease_until, TaskRow.worker)
    run |= dict.fromkeys((TaskRow.started_at, TaskRow.updated_at), NOW)
    run |= {TaskRow.attempts: TaskRow.attempts + 1, TaskRow.moves: TaskRow.moves + 1}
    begun = {TaskRow.state: State.IN_PROGRESS, TaskRow.queue_key: None, TaskRow.stage: "", TaskRow.error: ""}
    begun |= dict.fromkeys((TaskRow.stage_phrase, TaskRow.error_phrase))
    locks = [lock(shared)] if is_postgres() else []
    return TaskRow.update(run | begun).where(TaskRow.state == State.PENDING, chosen).returning(TaskRow, *locks)
