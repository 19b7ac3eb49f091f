"""The phrases of tasks: what the engine itself writes into timelines and errors.

Their ids stand in rows: they are never given another meaning, and one that is not used any more stays as long as rows
may have it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.engine.models.state import ON_RELEASE, State
from webapp.lib.complete import complete
from webapp.lib.phrases import Wording, phrase


@dataclass(frozen=True)
class By:
    """What the timeline says of who let a task go on, changed it, or stopped it, by the state that it came to."""

    started: Wording
    changed: Wording
    resumed: Wording
    retried: Wording
    stopped: Mapping[State, Wording]


# What its owner did
STARTED_BY_OWNER = phrase("task.started", "Started by you", others="Started by {owner}")
SCHEDULED_BY_OWNER = phrase("task.scheduled", "Scheduled by you", others="Scheduled by {owner}")
BY_OWNER = By(
    started=STARTED_BY_OWNER,
    changed=phrase("task.changed", "Changed by you", others="Changed by {owner}"),
    resumed=phrase("task.resumed", "Resumed by you", others="Resumed by {owner}"),
    retried=phrase("task.retried", "Retried by you", others="Retried by {owner}"),
    stopped={
        State.CANCELED: phrase("task.canceled", "Canceled by you", others="Canceled by {owner}"),
        State.CANCELING: phrase(
            "task.canceling",
            "Canceled by you; stopping after the current step",
            others="Canceled by {owner}; stopping after the current step",
        ),
        State.PAUSED: phrase("task.paused", "Paused by you", others="Paused by {owner}"),
        State.PAUSING: phrase(
            "task.pausing",
            "Paused by you; stopping after the current step",
            others="Paused by {owner}; stopping after the current step",
        ),
    },
)
# What an operator did with somebody else's
BY_OPERATOR = By(
    started=phrase("task.started_by_operator", "Started by an operator"),
    changed=phrase("task.changed_by_operator", "Changed by an operator"),
    resumed=phrase("task.resumed_by_operator", "Resumed by an operator"),
    retried=phrase("task.retried_by_operator", "Retried by an operator"),
    stopped={
        State.CANCELED: phrase("task.canceled_by_operator", "Canceled by an operator"),
        State.CANCELING: phrase(
            "task.canceling_by_operator", "Canceled by an operator; stopping after the current step"
        ),
        State.PAUSED: phrase("task.paused_by_operator", "Paused by an operator"),
        State.PAUSING: phrase("task.pausing_by_operator", "Paused by an operator; stopping after the current step"),
    },
)
# The same, with the reason that the operator gave
BY_OPERATOR_BECAUSE = By(
    started=phrase("task.started_because", "Started by an operator: {reason}"),
    changed=phrase("task.changed_because", "Changed by an operator: {reason}"),
    resumed=phrase("task.resumed_because", "Resumed by an operator: {reason}"),
    retried=phrase("task.retried_because", "Retried by an operator: {reason}"),
    stopped={
        State.CANCELED: phrase("task.canceled_because", "Canceled by an operator: {reason}"),
        State.CANCELING: phrase(
            "task.canceling_because", "Canceled by an operator, stopping after the current step: {reason}"
        ),
        State.PAUSED: phrase("task.paused_because", "Paused by an operator: {reason}"),
        State.PAUSING: phrase(
            "task.pausing_because", "Paused by an operator, stopping after the current step: {reason}"
        ),
    },
)
FORCED = phrase("task.forced", "Canceled by an operator, without waiting for the current step")
FORCED_BECAUSE = phrase(
    "task.forced_because", "Canceled by an operator, without waiting for the current step: {reason}"
)
UNDO_STARTED = phrase("task.undoing", "Undo started by you", others="Undo started by {owner}")
UNDONE = phrase("task.undone", "Undone by you: {what}", others="Undone by {owner}: {what}")
RESTORED = phrase(
    "task.restored",
    "Canceled because the site was restored from a backup; retry it if it still needs to be done",
)

# What workers and the sweeper do
PICKED_UP = phrase("task.picked_up", "Picked up by a worker")
PICKED_UP_AGAIN = phrase("task.picked_up_again", "Picked up by a worker (attempt {attempt})")
CONTINUED = phrase("task.continued", "Continued by a worker after step {step}")
SUCCEEDED = phrase("task.succeeded", "Finished")
RETRYING = phrase("task.retrying", "{error} Retrying (attempt {attempt} of {attempts})")
CONTINUING = phrase("task.continuing", "{error} Continuing from the latest step")
HANDED_BACK = phrase("task.handed_back", "Worker shut down; waiting for another")
MADE_WAY = phrase("task.made_way", "Making way for people who wait; goes on when it’s its turn again")
TIME_CAME = phrase("task.time_came", "Scheduled time reached")
NEXT_ATTEMPT = phrase("task.next_attempt", "Time for the next attempt")
LOST = complete(
    "LOST",
    [State.PENDING, *ON_RELEASE.values()],
    {
        State.PENDING: phrase("task.lost", "Lost contact with the worker; waiting for another"),
        State.PAUSED: phrase("task.lost_and_paused", "Lost contact with the worker; paused"),
        State.CANCELED: phrase("task.lost_and_canceled", "Lost contact with the worker; canceled"),
    },
)
STOPPED = complete(
    "STOPPED",
    ON_RELEASE.values(),
    {
        State.PAUSED: phrase("task.stopped_for_pause", "Paused"),
        State.CANCELED: phrase("task.stopped_for_cancel", "Canceled"),
    },
)
STOPPED_BY_ERROR = complete(
    "STOPPED_BY_ERROR",
    ON_RELEASE.values(),
    {
        State.PAUSED: phrase("task.paused_by_error", "Paused: {error}"),
        State.CANCELED: phrase("task.canceled_by_error", "Canceled: {error}"),
    },
)

# What went wrong
UNEXPECTED = phrase("task.unexpected", "Something went wrong on our side. We’ve logged the error.")
UNKNOWN = phrase("task.unknown_function", "This version of the site doesn’t know this kind of task.")
NOT_SAVED = phrase("task.not_saved", "The database didn’t respond.")
DIED_REPEATEDLY = phrase("task.died_repeatedly", "The worker crashed repeatedly while running this task.")
INTERRUPTED_REPEATEDLY = phrase(
    "task.interrupted_repeatedly", "The database failed repeatedly while this task was running."
)
NO_PROGRESS = phrase("task.no_progress", "It made no progress for {seconds:duration} and was stopped.")
TOOK_TOO_LONG = phrase("task.took_too_long", "It took longer than {seconds:duration} and was stopped.")
TOO_MUCH_MEMORY = phrase("task.too_much_memory", "It needed more memory than a task may use and was stopped.")
DID_NOT_STOP = phrase("task.did_not_stop", "It didn’t reach its next step within {seconds:duration} and was stopped.")
DELETED = phrase(
    "upload.deleted",
    "You deleted {file}, which this task needs. Start a new task instead.",
    others="{owner} deleted {file}, which this task needs.",
)
NO_TEXT = phrase("upload.no_text", "{file} isn’t UTF-8 text. Save it as UTF-8, then try again.")

# Of workflows
CHAIN = phrase("workflow.chain", "{titles:then}")
GROUP = phrase("workflow.group", "{titles}")
CHORD = phrase("workflow.chord", "{header}, then {body}")
WITH_THE_REST = {
    State.CANCELED: phrase("workflow.canceled_with_the_rest", "Canceled with the other parts"),
    State.CANCELING: phrase(
        "workflow.canceling_with_the_rest", "Canceled with the other parts; stopping after the current step"
    ),
}
STEP_CAME = phrase("workflow.step_came", "Earlier steps are done")
RETRIED_WITH_THE_REST = phrase("workflow.retried_with_the_rest", "The whole task is being retried")
PART_STARTED = phrase("workflow.part_started", "First part started")
PART_CANCELED = phrase("workflow.part_canceled", "A part was canceled")
PART_FAILED = phrase("workflow.part_failed", "{title}: {error}")
PARTS_FAILED = phrase("workflow.parts_failed", "{failed} of {parts} parts failed. {first}")
ALL_FINISHED = phrase("workflow.finished", "All parts finished")
CANCELED = phrase("workflow.canceled", "Canceled")
