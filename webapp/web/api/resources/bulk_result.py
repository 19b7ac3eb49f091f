"""What an action on many tasks has done."""

from tasks.engine.models.bulk import BulkResult
from webapp.lib.json_types import Json
from webapp.models import OverQuota
from webapp.web.api.resource import INTEGER, STRING, Field, Resource, Schema, nullable

_PASSED: Schema = {"type": "object", "additionalProperties": INTEGER}
_REFUSED: Schema = {
    "type": "object",
    "properties": {"detail": STRING, "quota": nullable(STRING)},
    "required": ["detail", "quota"],
}


def _passed(result: BulkResult) -> Json:
    return {state: number for state, number in sorted(result.passed.items(), key=str) if state and number}


def _refused(result: BulkResult) -> Json:
    error = result.refused
    if error is None:
        return None
    return {"detail": error.words(), "quota": error.quota.value if isinstance(error, OverQuota) else None}


BULK_RESULT = Resource[BulkResult](
    "BulkResult",
    "What became of many tasks. Each of them is counted once.",
    (
        Field("done", INTEGER, lambda result: result.done, "For so many it has worked."),
        Field("stopping", INTEGER, lambda result: result.stopping, "So many of these stop at their next step."),
        Field(
            "left",
            INTEGER,
            lambda result: result.left,
            "So many were not reached in time, or not started, as `refused` says: send the request again.",
        ),
        Field(
            "duplicates",
            INTEGER,
            lambda result: result.duplicates,
            "So many can’t run while another like them is under way.",
        ),
        Field("passed", _PASSED, _passed, "How many it doesn’t work for, by their state."),
        Field("missing", INTEGER, lambda result: result.passed[None], "So many aren’t there, or somebody else’s."),
        Field("refused", nullable(_REFUSED), _refused, "Why no more of them were started; null if that is not so."),
    ),
    headers=("Retry-After",),
)
