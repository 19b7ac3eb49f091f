"""The task as programs see it."""

from typing import Final

from tasks.engine.models.state import ACTIVE, FINISHED
from webapp.models import State
from webapp.web.api.resource import (
    ANYTHING,
    BOOLEAN,
    INTEGER,
    STRING,
    TIME,
    UUID,
    Field,
    Resource,
    Schema,
    array,
    described,
    nullable,
    time,
)
from webapp.web.api.resources.seen_task import BY_ITSELF, SeenTask

WORKFLOW: Final = "workflow"  # as a kind: its work is that of its children


def _object(**members: Schema) -> Schema:
    return {"type": "object", "properties": {**members}, "required": [*members]}


_STATES: Final = (
    f"Where it is in its life. Now there are {', '.join(state for state in State if state in ACTIVE)}; and at its end "
    f"{', '.join(state for state in State if state in FINISHED)}. Later releases may add others: go by `done` and "
    "`actions` where you can."
)
_PROGRESS: Final = _object(
    done=described(INTEGER, "Steps that are done; of a workflow, thousandths."),
    total=described(nullable(INTEGER), "Steps in all; null while that is unknown."),
    stage=described(STRING, "What it is doing now, in words; empty while it doesn’t say."),
    eta=described(
        nullable(TIME),
        "When it will be done, at its pace up to its latest progress; null while there is too little to go by. "
        "It changes with progress alone, so it may have passed.",
    ),
)
_ERROR: Final = _object(
    code=described(
        STRING, f"For programs: `{BY_ITSELF}` where the task says by itself what went wrong. There may be others later."
    ),
    words=described(nullable(STRING), "For people. Null where only its owner and operators may read it."),
)
_HELD: Final = _object(
    by=described(
        STRING,
        "`pause`: an operator has paused all tasks of its kind. `limit`: as many of its kind run as may at once, in "
        "all or of its owner. There may be others later.",
    ),
    until=described(nullable(TIME), "When the pause ends, at the latest; null for a limit."),
    reason=described(STRING, "Why, in the operator’s words; empty where they gave none."),
)
_NOT_YET: Final = "Null before then."

TASK = Resource[SeenTask](
    "Task",
    "A piece of work that somebody started.",
    (
        Field("id", UUID, lambda seen: str(seen.task.id)),
        Field("kind", STRING, lambda seen: seen.task.name or WORKFLOW, f"The name of its kind, or `{WORKFLOW}`."),
        Field(
            "composition",
            STRING,
            lambda seen: seen.task.composition,
            "`single` does its own work; a `chain` has children that run one after the other, a `group` side by side, "
            "and a `chord` is a group with one more child after it.",
        ),
        Field("title", STRING, lambda seen: seen.task.title_words(seen.named)),
        Field("state", STRING, lambda seen: seen.task.state, _STATES),
        Field("done", BOOLEAN, lambda seen: seen.task.is_finished, "Whether nothing more will happen by itself."),
        Field("progress", _PROGRESS, lambda seen: seen.progress),
        Field(
            "position",
            nullable(INTEGER | {"minimum": 1}),
            lambda seen: seen.position,
            "Its place among all tasks that wait for a worker, from 1; null unless it waits for one, and while it is "
            "`held`.",
        ),
        Field(
            "held",
            nullable(_HELD),
            lambda seen: seen.held,
            "Why no worker takes it now, though it waits for one; null where nothing keeps them from it.",
        ),
        Field(
            "arguments",
            nullable({"type": "object"}),
            lambda seen: seen.arguments,
            "What it was given. A secret is masked, and null once it is deleted; a file is its id, name and size. "
            "Only its owner reads them: null for others.",
        ),
        Field(
            "attempt", INTEGER, lambda seen: seen.task.attempts, "The number of its latest attempt; 0 before the first."
        ),
        Field(
            "result",
            ANYTHING,
            lambda seen: seen.result,
            "What it returned. Null if that is nothing, before its end, and for others than its owner.",
        ),
        Field(
            "error",
            nullable(_ERROR),
            lambda seen: seen.error,
            "What went wrong: at its end, or the last time while it is tried again. Null where there is a result.",
        ),
        Field(
            "parent",
            nullable(UUID),
            lambda seen: str(seen.task.parent_id) if seen.task.parent_id else None,
            "The workflow of which it is a child.",
        ),
        Field(
            "owner",
            _object(id=INTEGER, username=STRING),
            lambda seen: {"id": seen.task.user_id, "username": seen.owner},
        ),
        Field("created_at", TIME, lambda seen: time(seen.task.created_at)),
        Field("started_at", nullable(TIME), lambda seen: time(seen.task.started_at), "When its latest run began."),
        Field("finished_at", nullable(TIME), lambda seen: time(seen.task.finished_at), _NOT_YET),
        Field(
            "run_at",
            nullable(TIME),
            lambda seen: time(seen.task.run_at),
            "When it is to start, or to be tried again; of a task that was canceled before that, when it was to start.",
        ),
        Field(
            "request_id",
            nullable(STRING),
            lambda seen: seen.task.request_id,
            "The “X-Request-ID” of the request that started it, if one did.",
        ),
        Field(
            "actions",
            array(STRING),
            lambda seen: seen.actions,
            "What works on it now, as the nouns of addresses: POST to its address followed by one of them; `deletion` "
            "is a DELETE of the address itself.",
        ),
        Field(
            "links",
            _object(
                self=STRING,
                events=STRING,
                children=described(nullable(STRING), "Null unless it is a workflow."),
                artifacts=described(nullable(STRING), "Null for others than its owner."),
                html=described(nullable(STRING), "Its page. Null for others than its owner."),
            ),
            lambda seen: seen.links,
        ),
    ),
    headers=("ETag", "Retry-After"),
)
