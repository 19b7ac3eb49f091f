"""Hold what suspended accounts have under way, and let it go on once that is lifted. A sweep hook, no task."""

from tasks.engine import sweep_hook
from webapp.models.suspension_work import carry_out_some


@sweep_hook
def hold_tasks_of_the_suspended(at_once: int) -> None:
    """What the operator's press did not reach. Else a small query."""
    carry_out_some(at_once)
