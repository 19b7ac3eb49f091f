"""Errors: how a task function says that it cannot go on, and how its clock ends it."""

from datetime import datetime

from webapp.lib.phrases import Phrase, Words


class TaskError(Exception):
    """Raise it in a task function to end the task as failed. Its text, or its phrase, is what the task's owner reads.

    A preview raises it to say what is wrong with a form: at the `field` of the parameter so named, or at the top.
    """

    def __init__(self, *args: object, field: str = "") -> None:
        super().__init__(*args)
        self.field = field

    @property
    def words(self) -> Words:
        """What people read: the phrase that it was raised with, or else its text."""
        return self.args[0] if len(self.args) == 1 and isinstance(self.args[0], Phrase) else str(self)


class TemporaryError(TaskError):
    """A TaskError that may pass: the task is tried again, if it has attempts left."""


class Postponed(TaskError):
    """The rest of the task is for later: it goes on at `until`, naive UTC, from its latest checkpoint.

    Nothing has failed by that, so no attempt is used up. Its text, or its phrase, is why.
    """

    def __init__(self, *args: object, until: datetime) -> None:
        super().__init__(*args)
        self.until = until


class TimedOut(BaseException):
    """The run's deadline has passed. Not an Exception, so that no task function catches it by mistake."""
