"""Delete accounts whose owners want that, and those of guests who have gone. A sweep hook and a part of the purge, no
task: nobody is left to own one."""

from tasks.engine import sweep_hook
from webapp.models import deletion_batches  # noqa: F401 - which a purge calls
from webapp.models.hiding import hide_or_show
from webapp.models.stopping import stop_some


@sweep_hook
def stop_tasks_of_the_deleted(at_once: int) -> None:
    """Cancel tasks of accounts that are to be deleted, which their owners' press did not reach. Else a small query."""
    stop_some(at_once)


@sweep_hook
def hide_posts_of_the_deleted(_at_once: int) -> None:
    """Hide some of their posts, or show some of whoever has returned. Else two small queries."""
    hide_or_show()
