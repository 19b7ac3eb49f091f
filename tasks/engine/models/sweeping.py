"""What the sweeper does: tasks whose time has come, and tasks whose run is lost."""

from typing import Self

from peewee import ModelSelect

from tasks.engine.models import column_changes, phrases, signals, transitions, workflow
from tasks.engine.models.failure_group import failing
from tasks.engine.models.locks import changing, changing_if_free
from tasks.engine.models.row import TaskTrait
from tasks.engine.models.state import LEASED, ON_RELEASE, TIMED, State
from tasks.engine.models.transitions import is_mine
from tasks.engine.models.words import kept
from webapp.lib.times import utcnow

MOST_RESCUES = 5  # without any progress


class Sweeping(TaskTrait):
    """Queries and transitions of the sweeper. Several may sweep at once: each transition happens once."""

    @classmethod
    def lost(cls, limit: int) -> "ModelSelect[Self]":
        """Tasks whose run has stopped renewing its lease."""
        return cls.select().where(cls.state.in_(LEASED), cls.lease_until < utcnow()).limit(limit)

    @classmethod
    def due(cls, limit: int) -> "ModelSelect[Self]":
        """Tasks that were scheduled or are to be tried again, and whose time has come; the earliest first."""
        later = cls.state.in_(sorted(TIMED))
        return cls.select().where(later, cls.run_at <= utcnow()).order_by(cls.run_at).limit(limit)

    def enqueue(self) -> bool:
        """Let it wait for a worker, now that its time has come. False when it has moved on by itself."""
        model = type(self)
        words = phrases.NEXT_ATTEMPT if self.state == State.RETRYING else phrases.TIME_CAME
        with changing(self):
            is_due, queued = (
                model.run_at <= utcnow(),
                column_changes.joining_queue(self) | column_changes.resuming(self),
            )
            if not transitions.attempt(self, State.PENDING, words(), is_due, **queued):
                return False
            if self.is_workflow:
                workflow.start_next_step(self)
        return True

    def rescue(self) -> bool:
        """Take it from a run that is lost, for another. False if that run still holds it.

        After MOST_RESCUES by which it got no further it fails. A task that was to pause or to stop has done so by that.
        """
        model = type(self)
        mine = is_mine(self) & (model.lease_until == self.lease_until)
        with changing_if_free(self) as free:
            if not free:
                return False  # its run is just writing, and renews its lease by that
            if self.state == State.IN_PROGRESS and self.crashes >= MOST_RESCUES:
                lost, error = column_changes.releasing_lease(self), phrases.DIED_REPEATEDLY()
                with failing(self, error) as fingerprint:
                    lost |= kept(error=error) | {"fingerprint": fingerprint}
                    return transitions.attempt(self, State.FAILED, error, mine, **lost)
            target = ON_RELEASE.get(self.state, State.PENDING)
            changes = column_changes.releasing_lease(self, self.updated_at) | column_changes.one_more_crash(self)
            if target != State.CANCELED:
                changes["attempts"] = model.attempts - 1
            if target == State.PENDING:
                changes["queue_key"] = column_changes.next_queue_key(self)
            if target == State.PENDING or self.cursor:  # what the run had told last may be less than it has done
                changes |= column_changes.resuming(self)
            words = phrases.LOST[target]()
            rescued = transitions.attempt(self, target, words, mine & (model.state == self.state), **changes)
            if rescued:
                signals.announce(signals.rescued, self)
        return rescued
