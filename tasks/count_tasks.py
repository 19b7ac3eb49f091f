"""Keep the numbers of tasks. A sweep hook and no task."""

from datetime import datetime

from tasks.engine import sweep_hook
from webapp.lib.times import utcnow
from webapp.models import statistics


class _Counted:
    minute: datetime | None = None  # the latest one whose rollup is all done


@sweep_hook
def count_tasks(at_once: int) -> None:
    """Look at the line and roll up, once a minute; with each sweep while there is something to catch up on.

    Two that do this at once do no harm: see `statistics.rollup`.
    """
    now = utcnow()
    minute = now.replace(second=0, microsecond=0)
    if minute == _Counted.minute:
        return
    statistics.sample(now)
    if statistics.roll_up(now, at_once):
        _Counted.minute = minute
