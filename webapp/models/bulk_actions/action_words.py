"""The words of bulk actions: of each of OWNER_ACTIONS that is not the owner's alone to ask for."""

from collections.abc import Mapping
from dataclasses import dataclass

from tasks.engine.models.action_table import OWNER_ACTIONS
from webapp.lib.complete import complete
from webapp.lib.phrases import Wording, phrase

BULK_ACTIONS = {name: action for name, action in OWNER_ACTIONS.items() if action.by_operators}


@dataclass(frozen=True, kw_only=True)
class BulkWords:
    """What the task of a bulk action is called, and what it says of those that it has `done`."""

    title: Wording
    done: Wording


def _words(name: str, asked: str, done: str) -> BulkWords:
    return BulkWords(
        title=phrase(f"bulk.{name}", f"{asked} {{number}} task", plural=f"{asked} {{number}} tasks"),
        done=phrase(f"bulk.{name}.done", f"{done} {{number}} task", plural=f"{done} {{number}} tasks"),
    )


BULK_WORDS: Mapping[str, BulkWords] = complete(
    "BULK_WORDS",
    BULK_ACTIONS,
    {
        "retry": _words("retry", "Retry", "Retried"),
        "pause": _words("pause", "Pause", "Paused"),
        "resume": _words("resume", "Resume", "Resumed"),
        "cancel": _words("cancel", "Cancel", "Canceled"),
        "remove": _words("remove", "Delete", "Deleted"),
    },
)
