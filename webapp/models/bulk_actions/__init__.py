"""Bulk actions: an operator does one thing to many tasks, whosoever they are, as they were when it was asked for."""

from typing import Final

MOST: Final = 10_000  # tasks at once
PER_SECOND: Final = 20  # so that neither the site nor whatever the tasks need is felled by them
BATCH: Final = 100  # tasks, after which it is asked anew whether the operator still may
BULK_NAME: Final = "act_on_tasks"  # of the task function that does it
