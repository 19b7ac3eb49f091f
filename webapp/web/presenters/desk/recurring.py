"""The site's own recurring work: what the leading sweeper does, how often, and when it last did."""

from dataclasses import dataclass
from datetime import datetime

from tasks.engine.config import config
from tasks.engine.sweep_hooks import sweep_hooks
from webapp.lib.i18n import duration
from webapp.models import site_health
from webapp.models.statistics import final_until

EACH_MINUTE = {"count_tasks", "watch_site"}  # called with each sweep, and then mostly with nothing to do


@dataclass(frozen=True)
class Recurring:
    """Something that happens again and again: what, how often, and when it last did; None if nobody knows."""

    words: str
    every: str
    last: datetime | None = None


def recurring() -> list[Recurring]:
    """All of it, the sweep first. Two small queries."""
    sweep, purge = duration(config().sweep.total_seconds()), duration(config().purge_every)
    hooks = [
        Recurring(
            hook.__name__.replace("_", " ").capitalize(),
            "1 minute" if hook.__name__ in EACH_MINUTE else sweep,
            final_until() if hook.__name__ == "count_tasks" else None,
        )
        for hook in sweep_hooks
    ]
    return [
        Recurring("Find runs that were lost, and wake what is due", sweep, site_health.swept_at()),
        *hooks,
        Recurring("Delete what is older than the settings allow", purge),
    ]
