"""What Huey alone does, at the least: a message that does nothing."""

from tasks.queue import huey


@huey.task(name="nothing")
def nothing() -> None:
    """No row, no progress, no outcome."""
