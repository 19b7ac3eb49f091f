"""Errors: how a task function says that it cannot go on, and how its clock ends it."""

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
    """A TaskError that may pass: the task is tried again, if it has attempts left.

    With `after`, it is what the task has to wait for, and nothing went wrong: the task lets go of its worker, goes on
    after that many seconds, and has used up no attempt. So raise it with that only where the wait is sure to end.
    """

    def __init__(self, *args: object, field: str = "", after: float | None = None) -> None:
        super().__init__(*args, field=field)
        self.after = None if after is None else float(after)


class TimedOut(BaseException):
    """The run's deadline has passed. Not an Exception, so that no task function catches it by mistake."""
