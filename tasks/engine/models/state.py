"""State: where a task is in its life, and the one table of how it may move and what that means."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from webapp.lib.complete import complete


class Group(StrEnum):
    """What people filter tasks by: each state is in one group. The value is what URLs say."""

    QUEUED = "waiting"  # for a worker, for earlier steps, or for the next attempt
    SCHEDULED = "scheduled"
    RUNNING = "in_progress"
    PAUSED = "paused"
    SUCCEEDED = "finished"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def words(self) -> str:
        """As people read it, like 'In progress'."""
        return self.value.replace("_", " ").capitalize()

    @property
    def states(self) -> frozenset["State"]:
        """The states that are in it."""
        return frozenset(state for state, row in STATES.items() if row.group == self)


class State(StrEnum):
    """Where a task is in its life."""

    SCHEDULED = "scheduled"  # its time has not come
    WAITING = "waiting"  # a part of a larger task, for whose step it is too early
    PENDING = "pending"  # in line for a worker
    IN_PROGRESS = "in_progress"  # a worker holds it
    RETRYING = "retrying"  # it failed, and will be tried again by itself
    PAUSING = "pausing"  # its owner wants it to pause; the worker notices at its next step
    PAUSED = "paused"
    CANCELING = "canceling"  # its owner wants it to stop; the worker notices at its next step
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"
    FAILED = "failed"

    @property
    def words(self) -> str:
        """As people read it, like 'in progress'."""
        return STATES[self].words


@dataclass(frozen=True, kw_only=True)
class StateRow:
    """What the engine knows of a state. What is not said does not apply to it.

    `words` are how people read it. `to` are the states that may follow, each with the reason. `is_timed`: it ends by
    itself at `run_at`. `is_leased`: a worker holds the task; `on_release` is what becomes of it when that worker lets
    go of it before its end, where its owner has asked for something that is done by that. `severity` is that of an end:
    0 where all is done; a workflow ends as the most severe of its children does.
    """

    words: str
    group: Group
    to: Mapping[State, str]
    is_timed: bool = False
    is_leased: bool = False
    on_release: State | None = None
    severity: int | None = None


STATES: Mapping[State, StateRow] = complete(
    "STATES",
    State,
    {
        State.SCHEDULED: StateRow(
            words="scheduled",
            group=Group.SCHEDULED,
            is_timed=True,
            to={
                State.PENDING: "its time came, or its owner started it early",
                State.CANCELED: "its owner canceled it before its time",
            },
        ),
        State.WAITING: StateRow(
            words="waiting",
            group=Group.QUEUED,
            to={
                State.PENDING: "earlier steps are done",
                State.CANCELED: "earlier steps were not done",
            },
        ),
        State.PENDING: StateRow(
            words="waiting",
            group=Group.QUEUED,
            to={
                State.IN_PROGRESS: "a worker claimed it",
                State.PAUSED: "its owner paused it before it started",
                State.CANCELED: "its owner canceled it before it started",
            },
        ),
        State.IN_PROGRESS: StateRow(
            words="in progress",
            group=Group.RUNNING,
            is_leased=True,
            to={
                State.SUCCEEDED: "all its work is done",
                State.FAILED: "an error ended it",
                State.RETRYING: "an error ended this attempt and there is another, or the database ended the run",
                State.PENDING: "its worker shut down and gave it back, or was lost",
                State.PAUSING: "its owner paused it",
                State.CANCELING: "its owner canceled it",
            },
        ),
        State.RETRYING: StateRow(
            words="retrying",
            group=Group.QUEUED,
            is_timed=True,
            to={
                State.PENDING: "its time came, or its owner started it early",
                State.CANCELED: "its owner canceled it before the next attempt",
            },
        ),
        State.PAUSING: StateRow(
            words="pausing",
            group=Group.RUNNING,
            is_leased=True,
            on_release=State.PAUSED,
            to={
                State.PAUSED: "it reached its next step, or its worker was lost",
                State.CANCELING: "its owner canceled it after all",
                State.SUCCEEDED: "its last step was already done",
                State.FAILED: "an error came before the next step",
            },
        ),
        State.PAUSED: StateRow(
            words="paused",
            group=Group.PAUSED,
            to={
                State.PENDING: "its owner resumed it",
                State.CANCELED: "its owner canceled it",
            },
        ),
        State.CANCELING: StateRow(
            words="canceling",
            group=Group.RUNNING,
            is_leased=True,
            on_release=State.CANCELED,
            to={
                State.CANCELED: "it reached its next step, or its worker was lost",
                State.SUCCEEDED: "its last step was already done",
                State.FAILED: "an error came before the next step",
            },
        ),
        State.CANCELED: StateRow(
            words="canceled",
            group=Group.CANCELED,
            severity=1,
            to={
                State.PENDING: "its owner retried it",
                State.WAITING: "the whole was retried, and its step comes later",
            },
        ),
        State.SUCCEEDED: StateRow(words="finished", group=Group.SUCCEEDED, severity=0, to={}),
        State.FAILED: StateRow(
            words="failed",
            group=Group.FAILED,
            severity=2,
            to={
                State.PENDING: "its owner retried it",
                State.WAITING: "the whole was retried, and its step comes later",
            },
        ),
    },
)

# Every legal move, with its reason.
TRANSITIONS = {state: row.to for state, row in STATES.items()}
SEVERITY = {state: row.severity for state, row in STATES.items() if row.severity is not None}
FINISHED = frozenset(SEVERITY)
UNSUCCESSFUL = frozenset(state for state, severity in SEVERITY.items() if severity)
ACTIVE = frozenset(State) - FINISHED
LEASED = frozenset(state for state, row in STATES.items() if row.is_leased)
TIMED = frozenset(state for state, row in STATES.items() if row.is_timed)
# What becomes of a task whose worker lets go of it before its end: what its owner asked for is done by that.
ON_RELEASE = {state: row.on_release for state, row in STATES.items() if row.on_release}


def sources_of(target: State) -> list[State]:
    """The states from which a task may come to `target`."""
    return [source for source, targets in TRANSITIONS.items() if target in targets]
