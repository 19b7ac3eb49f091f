"""The unique key: of the tasks that have the same one, at most one is active."""

from collections.abc import Callable

from peewee import IntegrityError

from tasks.engine.models.row import TaskRow
from webapp.db import database

TRIES = 3


class AlreadyRunning(Exception):
    """Only one such task may be active at a time. `task` is the one that is."""

    def __init__(self, task: TaskRow) -> None:
        super().__init__(f"{task} is already under way")
        self.task = task


def holding_unique_key(task: TaskRow, act: Callable[[], None]) -> None:
    """Do what makes the task active. Raises AlreadyRunning when another active task has its unique key.

    Raises IntegrityError for any other constraint, or when others took the key and gave it back TRIES times.
    """
    model = type(task)
    for number in range(1, TRIES + 1):
        try:
            with database.atomic():
                return act()
        except IntegrityError as error:
            if task.unique_key is None:
                raise
            if holder := model.get_or_none(model.active_unique_key == task.unique_key):
                raise AlreadyRunning(holder) from error
            if number == TRIES:
                raise
            # Whoever held the key has finished between the two queries, so now it is free.
