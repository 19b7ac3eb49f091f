"""State: where a task is in its life, and the one table of how it may move."""

from enum import StrEnum


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
        return "waiting" if self == State.PENDING else self.value.replace("_", " ")


# Every legal move, with its reason.
TRANSITIONS: dict[State, dict[State, str]] = {
    State.SCHEDULED: {
        State.PENDING: "its time has come, or its owner did not want to wait",
        State.CANCELED: "its owner canceled it before its time",
    },
    State.WAITING: {
        State.PENDING: "what goes before it is done",
        State.CANCELED: "what goes before it was not done",
    },
    State.PENDING: {
        State.IN_PROGRESS: "a worker claimed it",
        State.PAUSED: "its owner paused it before it started",
        State.CANCELED: "its owner canceled it before it started",
    },
    State.IN_PROGRESS: {
        State.SUCCEEDED: "all its work is done",
        State.FAILED: "an error ended it",
        State.RETRYING: "an error ended this attempt, and there is another",
        State.PENDING: "its worker is shutting down and gave it back, or was not heard from",
        State.PAUSING: "its owner asked it to pause",
        State.CANCELING: "its owner asked it to stop",
    },
    State.RETRYING: {
        State.PENDING: "its time has come, or its owner did not want to wait",
        State.CANCELED: "its owner canceled it before the next attempt",
    },
    State.PAUSING: {
        State.PAUSED: "it noticed, at a step, or its worker is gone",
        State.CANCELING: "its owner asked it to stop after all",
        State.SUCCEEDED: "its last step was already done",
        State.FAILED: "an error came before the next step",
    },
    State.PAUSED: {
        State.PENDING: "its owner resumed it",
        State.CANCELED: "its owner canceled it",
    },
    State.CANCELING: {
        State.CANCELED: "it noticed, at a step, or its worker is gone",
        State.SUCCEEDED: "its last step was already done",
        State.FAILED: "an error came before the next step",
    },
    State.FAILED: {
        State.PENDING: "its owner tries it again",
        State.WAITING: "the whole is tried again, and its step comes later",
    },
    State.CANCELED: {
        State.PENDING: "its owner tries it again",
        State.WAITING: "the whole is tried again, and its step comes later",
    },
    State.SUCCEEDED: {},
}
FINISHED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELED})
ACTIVE = frozenset(State) - FINISHED
# A worker holds it, by a lease.
LEASED = frozenset({State.IN_PROGRESS, State.PAUSING, State.CANCELING})

# What a task's owner may ask of it in which state, and what it then becomes.
OWNER_ACTIONS: dict[str, dict[State, State]] = {
    "cancel": {
        State.SCHEDULED: State.CANCELED,
        State.WAITING: State.CANCELED,
        State.PENDING: State.CANCELED,
        State.RETRYING: State.CANCELED,
        State.PAUSED: State.CANCELED,
        State.IN_PROGRESS: State.CANCELING,
        State.PAUSING: State.CANCELING,
    },
    "pause": {State.PENDING: State.PAUSED, State.IN_PROGRESS: State.PAUSING},
    "resume": {State.PAUSED: State.PENDING},
    "retry": {
        State.FAILED: State.PENDING,
        State.CANCELED: State.PENDING,
        State.RETRYING: State.PENDING,
        State.SCHEDULED: State.PENDING,
    },
}

# What becomes of a task whose worker lets go of it before its end: what its owner asked for is done by that.
ON_RELEASE = {State.PAUSING: State.PAUSED, State.CANCELING: State.CANCELED}


def sources_of(target: State) -> list[State]:
    """The states from which a task may come to `target`."""
    return [source for source, targets in TRANSITIONS.items() if target in targets]
