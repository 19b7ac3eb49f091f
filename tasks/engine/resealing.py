"""Resealing: the secrets of tasks, sealed anew by the present secret key, so that the one before can be thrown away."""

from collections.abc import Iterator
from functools import partial

from tasks.engine.models import Task
from tasks.engine.models.sealed import resealed, sealed_in
from tasks.engine.parameters.secret import CannotUnseal, reseal


def reseal_secrets() -> Iterator[bool]:
    """Seal the secrets of each task that has not finished anew; for each, whether that could be done.

    False where no key of this site opens them: that task fails in words. Those that are sealed by the present key are
    left out. One small write a task. One that ends meanwhile loses its secrets, as any that ends.
    """
    unfinished = Task.select(Task.id, Task.arguments).where(Task.finished_at.is_null(), sealed_in(Task.arguments))
    for task in list(unfinished):
        try:
            arguments = resealed(task.arguments, partial(reseal, task_id=task.id))
        except CannotUnseal:
            yield False
            continue
        if arguments is not None:
            Task.update(arguments=arguments).where(Task.id == task.id, Task.finished_at.is_null()).execute()
            yield True
