"""What a task's owner may ask of it."""

from datetime import datetime

from webapp.db import database, locking, locks_rows
from webapp.lib.times import utcnow
from webapp.models.task import changes as columns
from webapp.models.task import observers, removal, transitions, workflow
from webapp.models.task.locks import changing
from webapp.models.task.row import TaskTrait
from webapp.models.task.state import FINISHED, State
from webapp.models.task.transitions import IllegalTransition
from webapp.models.task.unique_key import holding_unique_key
from webapp.models.user import User


class OwnerActions(TaskTrait):
    """Cancel, pause, resume, retry, reschedule, dismiss and remove. Safe to call from any process.

    Each raises IllegalTransition, and changes nothing, in a state that does not allow it: `can` tells beforehand.
    """

    def cancel(self) -> None:
        """Ask for this task to stop: now if it waits, else at its next step; with all its children."""
        workflow.cancel(self)

    def pause(self) -> None:
        """Ask for this task to pause: now if it waits, else at its next step.

        Raises IllegalTransition where it cannot.
        """
        if self.is_workflow:
            raise IllegalTransition(self.fresh(), State.PAUSED)
        with changing(self):
            transitions.ask(self, "pause", queue_key=None)

    def resume(self) -> None:
        """Let a paused task wait for a worker, which goes on where it stopped.

        Raises IllegalTransition if it is not paused.
        """
        with changing(self):
            transitions.ask(self, "resume", **columns.joining_queue(self) | columns.resuming(self))

    def retry(self) -> None:
        """Try a failed or canceled task again, or do now what is scheduled for later. It goes on where it stopped.

        Raises IllegalTransition in other states, and for a child whose workflow has to be retried; AlreadyRunning if
        another task has its unique key by now.
        """
        was_hidden = self.hidden
        if self.reload().hidden != was_hidden or not self.can("retry"):
            raise IllegalTransition(self, State.PENDING)
        anew = columns.NO_TROUBLE | {"finished_at": None, "dismissed_at": None}
        changes = {"active_unique_key": self.unique_key, "share": columns.nothing_done(self)}
        changes |= anew if self.is_finished else {}

        def start_again() -> None:
            with changing(self):
                queued = columns.joining_queue(self) | columns.resuming(self)
                transitions.ask(self, "retry", self.state, **queued | changes)
                if self.is_workflow:
                    workflow.reset_children(self)
                    workflow.start_next_step(self)

        holding_unique_key(self, start_again)

    def reschedule(self, run_at: datetime, title: str) -> None:
        """Give a scheduled task another time and title, in one transaction with its timeline.

        Raises IllegalTransition once it is not scheduled any more.
        """
        model = type(self)
        changes = {"run_at": run_at, "title": title[:200], "updated_at": utcnow()}
        with database.transaction():
            scheduled = model.id == self.id, model.state == State.SCHEDULED
            if not model.update(**changes).where(*scheduled).execute():
                raise IllegalTransition(self.fresh(), State.SCHEDULED)
            self.__data__.update(changes)
            transitions.tell(self, "scheduled", "Changed by you")

    def dismiss(self) -> None:
        """Close its alert, on every page and for good. Raises IllegalTransition while it is active; twice is once."""
        model = type(self)
        with changing(self):
            closed = (
                model.update(dismissed_at=utcnow())
                .where(model.id == self.id, model.state.in_(FINISHED), model.dismissed_at.is_null())
                .execute()
            )
            if closed:
                observers.changed(self)
        if not closed and not (now := self.fresh()).is_finished:
            raise IllegalTransition(now, now.state)

    def remove(self) -> None:
        """Delete a finished task with all that it made. Raises IllegalTransition while it is active.

        And for a child: that goes with its workflow.
        """
        model = type(self)
        with database.transaction():
            finished = model.id == self.id, model.state.in_(FINISHED), model.parent.is_null()
            if locks_rows() and list(locking(model.select(model.id).where(*finished))):
                removal.detach(model, self.id)
                User.hold(self.user_id)  # what goes with it may be theirs: notifications, mails
            if not model.delete().where(*finished).execute():
                raise IllegalTransition(self.fresh(), "deleted")
            User.count_change(self.user_id)
