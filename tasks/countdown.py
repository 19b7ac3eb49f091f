"""The smallest task: one step a second."""

from typing import Annotated

from annotated_types import Interval

from tasks.engine import Run, user_task
from webapp.lib.phrases import phrase


@user_task(title=phrase("countdown.title", "Count down from {seconds}"), total=lambda seconds: seconds)
def countdown(task: Run, seconds: Annotated[int, Interval(ge=1, le=600)] = 60) -> None:
    """Count down to zero, one step a second. A good way to try progress, pause and cancel."""
    for _ in task.each(range(seconds)):
        task.wait(1)
