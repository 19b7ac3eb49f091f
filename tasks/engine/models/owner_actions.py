"""What a task's owner may ask of it."""

from datetime import datetime

from peewee import Case

from tasks.engine.models import actor, column_changes, fair_queue, observers, removal, transitions, workflow
from tasks.engine.models.action_table import OWNER_ACTIONS
from tasks.engine.models.composition import Composition
from tasks.engine.models.locks import changing
from tasks.engine.models.row import TaskTrait
from tasks.engine.models.sealed import has_lost_secrets
from tasks.engine.models.state import FINISHED, State
from tasks.engine.models.transitions import IllegalTransition, SecretsGone
from tasks.engine.models.unique_key import holding_unique_key
from tasks.engine.models.words import Changes, kept
from webapp.db import database, locking, locks_rows
from webapp.lib.phrases import Words
from webapp.lib.times import utcnow


class OwnerActions(TaskTrait):
    """Cancel, pause, resume, retry, reschedule, dismiss and remove. Safe to call from any process.

    Where an operator asks instead, call them within `actor.by_operator()`.

    Each raises IllegalTransition, and changes nothing, in a state that does not allow it: `can` tells beforehand.
    """

    def can(self, action: str) -> bool:
        """Whether one of OWNER_ACTIONS would work on the state of this row."""
        return OWNER_ACTIONS[action].allows(self)

    def cancel(self) -> None:
        """Ask for this task to stop: now if it waits, else at its next step; with all its children."""
        workflow.cancel(self)

    def pause(self) -> None:
        """Ask for this task to pause: now if it waits, else at its next step.

        Raises IllegalTransition where it cannot.
        """
        with changing(self):
            transitions.ask(self, "pause", queue_key=None)

    def resume(self) -> None:
        """Let a paused task wait for a worker, which goes on where it stopped.

        Raises IllegalTransition if it is not paused.
        """
        with changing(self):
            transitions.ask(self, "resume", **column_changes.joining_queue(self) | column_changes.resuming(self))

    def retry(self) -> None:
        """Try a failed or canceled task again, or do now what is scheduled for later. It goes on where it stopped.

        Raises IllegalTransition in other states, and for a child whose workflow has to be retried; SecretsGone if it
        had secrets; AlreadyRunning if another task has its unique key by now; StartRefused, as for a quota of the app.
        """
        was_hidden = self.hidden
        if self.reload().hidden != was_hidden or not self.can("retry"):
            needs_secrets = self.is_unsuccessful and has_lost_secrets(self.arguments)
            raise (SecretsGone if needs_secrets else IllegalTransition)(self, State.PENDING)
        anew = column_changes.NO_TROUBLE | {"finished_at": None, "dismissed_at": None}
        changes = {"active_unique_key": self.unique_key, "share": column_changes.nothing_done(self)}
        was_finished = self.is_finished
        changes |= anew if was_finished else {}

        def start_again() -> None:
            with changing(self):
                queued = column_changes.joining_queue(self) | column_changes.resuming(self)
                transitions.ask(self, "retry", self.state, **queued | changes)
                if self.is_workflow:
                    workflow.reset_children(self)
                    workflow.start_next_step(self)
                if was_finished:
                    observers.starting(self)

        holding_unique_key(self, start_again)

    def reschedule(self, run_at: datetime | None = None, title: Words | None = None) -> None:
        """Give a scheduled task another time, another title or both, in one transaction with its timeline.

        Raises IllegalTransition once it is not scheduled any more.
        """
        self._change_plan((kept(title=title) if title is not None else {}) | ({"run_at": run_at} if run_at else {}))

    def put_off(self) -> None:
        """Take the time of a scheduled task away: it stays scheduled, and waits until `reschedule` gives it one.

        In one transaction with its timeline. Raises IllegalTransition once it is not scheduled any more.
        """
        self._change_plan({"run_at": None})

    def _change_plan(self, changes: Changes) -> None:
        with database.transaction():
            if not transitions.write(self, type(self).state == State.SCHEDULED, updated_at=utcnow(), **changes):
                raise IllegalTransition(self.fresh(), State.SCHEDULED)
            if "run_at" in changes:
                observers.rescheduled(self)
            by = actor.current()
            transitions.tell(self, "scheduled", by.says(by.by.changed))

    def prioritize(self, priority: int) -> None:
        """Let it go before what has a lower priority, and after what has a higher one; operators alone may ask this.

        What waits goes to the end of its owner's tasks of that priority. Raises IllegalTransition for what has ended,
        and for a workflow, which does not wait itself; ValueError outside `fair_queue.PRIORITIES`.
        """
        model = type(self)
        queue_key = fair_queue.next_queue_key(self.party, priority)
        waits = Case(None, [(model.queue_key.is_null(False), queue_key)], None)
        with changing(self):
            active = model.state.not_in(sorted(FINISHED)) & (model.composition == Composition.SINGLE)
            if not transitions.write(self, active, priority=priority, queue_key=waits, updated_at=utcnow()):
                raise IllegalTransition(self.fresh(), "prioritized")
            by = actor.current()
            transitions.tell(self, "prioritized", by.says(by.by.changed))

    def dismiss(self) -> None:
        """Close its alert, on every page and for good. Raises IllegalTransition while it is active; twice is once."""
        model = type(self)
        with changing(self):
            closed = transitions.write(self, OWNER_ACTIONS["dismiss"].where(model), dismissed_at=utcnow())
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
            finished = model.id == self.id, OWNER_ACTIONS["remove"].where(model)
            if locks_rows() and list(locking(model.select(model.id).where(*finished))):
                removal.detach(model, self.id)
                observers.removing(self)
            if not model.delete().where(*finished).execute():
                raise IllegalTransition(self.fresh(), "deleted")
            observers.removed(self)
            observers.refreshed(self.user_id)
