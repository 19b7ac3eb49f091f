"""The table of owner actions: what a task's owner may ask of it, when, and what it then becomes.

Whatever asks whether an action works goes by these rows: `Task.can` by the row in memory, a press for many tasks by a
query, and the verb itself by the condition of its UPDATE.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from peewee import Expression

from tasks.engine.models.composition import Composition
from tasks.engine.models.row import TaskRow
from tasks.engine.models.sealed import has_lost_secrets, lost_secrets_in
from tasks.engine.models.state import FINISHED, State


@dataclass(frozen=True)
class Condition:
    """What must hold of a task, said twice: of a row in memory, and of the rows of a query."""

    of_row: Callable[[TaskRow], bool]
    of_query: Callable[[type[TaskRow]], Expression]


_IS_SINGLE = Condition(
    lambda task: task.composition == Composition.SINGLE, lambda model: model.composition == Composition.SINGLE
)
_IS_NO_CHILD = Condition(lambda task: task.parent_id is None, lambda model: model.parent.is_null())
_HAS_ALERT = Condition(lambda task: task.dismissed_at is None, lambda model: model.dismissed_at.is_null())
_HAS_RUN = Condition(lambda task: task.started_at is not None, lambda model: model.started_at.is_null(False))
# A child that has ended is retried with its workflow.
_IS_RETRIED_ALONE = Condition(
    lambda task: task.parent_id is None or not task.is_finished,
    lambda model: model.parent.is_null() | model.state.not_in(sorted(FINISHED)),
)
# They are deleted at the end of a task, and entered again in its form.
_HAS_ITS_SECRETS = Condition(
    lambda task: not has_lost_secrets(task.arguments), lambda model: ~lost_secrets_in(model.arguments)
)


@dataclass(frozen=True, kw_only=True)
class OwnerAction:
    """One action. `name` is also that of the method of `Task` that does it.

    `moves` are the states in which it works, each with the one to which it leads: itself where the task stays in it, or
    is deleted. All of the `conditions` must hold besides; for many tasks at once, also those `in_bulk`. `holds` are the
    states in which it is so already what is asked for: who asks twice, as after an answer that was lost, wants no more.
    `by_operators`: it is not the owner's alone to ask for.
    """

    name: str
    moves: Mapping[State, State]
    holds: frozenset[State] = frozenset()
    conditions: tuple[Condition, ...] = ()
    in_bulk: tuple[Condition, ...] = ()
    by_operators: bool = True

    def is_met_by(self, task: TaskRow) -> bool:
        """Whether it is so already what is asked for, so that nothing is left to do. No query."""
        return task.state in self.holds

    @property
    def targets(self) -> frozenset[State]:
        """The states to which it leads."""
        return frozenset(self.moves.values())

    def allows(self, task: TaskRow, *, in_bulk: bool = False) -> bool:
        """Whether it would work on a row as this one is. No query."""
        return task.state in self.moves and all(condition.of_row(task) for condition in self._conditions(in_bulk))

    def where(self, model: type[TaskRow], *, in_bulk: bool = False) -> Expression:
        """The condition of a query for the tasks on which it would work."""
        where = model.state.in_(sorted(self.moves))
        for condition in self._conditions(in_bulk):
            where &= condition.of_query(model)
        return where

    def _conditions(self, in_bulk: bool) -> tuple[Condition, ...]:
        return self.conditions + (self.in_bulk if in_bulk else ())


# In the order in which pages offer them for many tasks.
_TABLE = (
    OwnerAction(
        name="retry",
        # Nothing holds already: whether what runs is the try that was asked for, or one before it, nobody can say.
        moves={
            State.FAILED: State.PENDING,
            State.CANCELED: State.PENDING,
            State.RETRYING: State.PENDING,
            State.SCHEDULED: State.PENDING,
        },
        conditions=(_IS_RETRIED_ALONE, _HAS_ITS_SECRETS),
        # What never ran, a mail before its time say, is not tried again by that: it would be started after all.
        in_bulk=(_HAS_RUN,),
    ),
    OwnerAction(
        name="pause",
        moves={State.PENDING: State.PAUSED, State.IN_PROGRESS: State.PAUSING},
        holds=frozenset({State.PAUSING, State.PAUSED}),
        conditions=(_IS_SINGLE,),
    ),
    OwnerAction(
        name="resume",
        moves={State.PAUSED: State.PENDING},
        holds=frozenset({State.PENDING, State.IN_PROGRESS}),
    ),
    OwnerAction(
        name="cancel",
        moves={
            State.SCHEDULED: State.CANCELED,
            State.WAITING: State.CANCELED,
            State.PENDING: State.CANCELED,
            State.RETRYING: State.CANCELED,
            State.PAUSED: State.CANCELED,
            State.IN_PROGRESS: State.CANCELING,
            State.PAUSING: State.CANCELING,
        },
        holds=frozenset({State.CANCELING, State.CANCELED}),
    ),
    OwnerAction(
        name="dismiss",
        moves={state: state for state in FINISHED},
        holds=FINISHED,
        conditions=(_HAS_ALERT,),
        by_operators=False,
    ),
    OwnerAction(name="remove", moves={state: state for state in FINISHED}, conditions=(_IS_NO_CHILD,)),
)
OWNER_ACTIONS: Mapping[str, OwnerAction] = {action.name: action for action in _TABLE}
