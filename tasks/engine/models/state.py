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
        return _WORDS.get(self, self.value.replace("_", " "))


_WORDS = {State.PENDING: "waiting", State.SUCCEEDED: "finished"}

# Every legal move, with its reason.
TRANSITIONS: dict[State, dict[State, str]] = {
    State.SCHEDULED: {
        State.PENDING: "its time came, or its owner started it early",
        State.CANCELED: "its owner canceled it before its time",
    },
    State.WAITING: {
        State.PENDING: "earlier steps are done",
        State.CANCELED: "earlier steps were not done",
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
        State.PENDING: "its worker shut down and gave it back, or was lost",
        State.PAUSING: "its owner paused it",
        State.CANCELING: "its owner canceled it",
    },
    State.RETRYING: {
        State.PENDING: "its time came, or its owner started it early",
        State.CANCELED: "its owner canceled it before the next attempt",
    },
    State.PAUSING: {
        State.PAUSED: "it reached its next step, or its worker was lost",
        State.CANCELING: "its owner canceled it after all",
        State.SUCCEEDED: "its last step was already done",
        State.FAILED: "an error came before the next step",
    },
    State.PAUSED: {
        State.PENDING: "its owner resumed it",
        State.CANCELED: "its owner canceled it",
    },
    State.CANCELING: {
        State.CANCELED: "it reached its next step, or its worker was lost",
        State.SUCCEEDED: "its last step was already done",
        State.FAILED: "an error came before the next step",
    },
    State.FAILED: {
        State.PENDING: "its owner retried it",
        State.WAITING: "the whole was retried, and its step comes later",
    },
    State.CANCELED: {
        State.PENDING: "its owner retried it",
        State.WAITING: "the whole was retried, and its step comes later",
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
