"""What an operator may do about a task whose step never ends: end it by force.

It ends as canceled, as its owner would expect of what somebody has stopped: nothing is known to be wrong with the task,
nothing tries it again by itself, and its owner may. So it is `canceling` at once. From there each way leads to its
end: its own worker kills the process of its run; the sweeper ends it where the worker is gone; and where its run
happens to end in that moment, success or failure stands, and anything else has become `canceled` by that.
"""

from tasks.engine.models import actor, transitions, workflow
from tasks.engine.models.force_end import ForceEnd
from tasks.engine.models.locks import changing_if_free
from tasks.engine.models.row import TaskTrait
from tasks.engine.models.state import FINISHED, LEASED, State
from tasks.engine.models.transitions import IllegalTransition, is_mine
from webapp.db import database
from webapp.lib.times import utcnow


class AlreadyForced(IllegalTransition):
    """Somebody has asked for this before, and it is under way."""


class ForcedEnding(TaskTrait):
    """The request, and what sweepers do about it."""

    @property
    def is_held(self) -> bool:
        """Whether a run has it, as this row says, so that it can be ended by force."""
        return self.state in LEASED and self.fencing_token is not None

    def force_end(self, reason: str = "") -> None:
        """End it as canceled within seconds, whatever its run does; the owner reads the reason in the timeline.

        Waits for no lock that the run holds. Raises IllegalTransition, having changed nothing, unless a worker holds
        it, and AlreadyForced where this was asked for before. Whether somebody may is the caller's to know.
        """
        with changing_if_free(self) as free:
            now = self.fresh()
            if not now.is_held:
                raise IllegalTransition(now, State.CANCELED)
            about = {"task": now.id, "fencing_token": now.fencing_token}
            ForceEnd.delete().where(ForceEnd.task == now.id, ForceEnd.fencing_token != now.fencing_token).execute()
            asking = ForceEnd.insert(**about, reason=reason[: actor.LONGEST_REASON], asked_at=utcnow(), is_told=False)
            if not database.execute(asking.on_conflict_ignore().returning(ForceEnd.id)).fetchall():
                raise AlreadyForced(now, State.CANCELED)
            if free:
                now.tell_of(ForceEnd.get(ForceEnd.task == now.id))

    def tell_of(self, request: ForceEnd) -> None:
        """Let it be canceling because of this request, in a transaction of the caller's. `self` is as the row is."""
        if self.state == State.CANCELING:
            transitions.tell(self, State.CANCELING, request.words())
        else:
            transitions.attempt(self, State.CANCELING, request.words(), is_mine(self))
        ForceEnd.update(is_told=True).where(ForceEnd.id == request.id).execute()

    def end_by_force(self) -> None:
        """Its process was killed for this, and `self` is as that run had it: it has ended as canceled.

        Raises IllegalTransition when the run does not hold it any more.
        """
        with database.transaction():
            request = ForceEnd.get_or_none(ForceEnd.task == self.id, ForceEnd.fencing_token == self.fencing_token)
            if request is not None and not request.is_told:
                self.tell_of(request)
            transitions.give_up_lease(self)
            ForceEnd.delete().where(ForceEnd.task == self.id).execute()

    def follow_up(self, request: ForceEnd, can_be_lost: bool) -> bool:
        """What a sweeper that leads does about a request that is not done. `self` is as the row was. Whether it could.

        `can_be_lost` says whether a lease that is over means that the worker is gone.
        """
        with changing_if_free(self) as free:
            if not free:
                return False
            now = self.fresh()
            if now.is_held and now.fencing_token == request.fencing_token:
                if not request.is_told:
                    now.tell_of(request)
                if can_be_lost and now.lease_until is not None and now.lease_until < utcnow():
                    now.end_by_force()
                return True
            # Its run has let go of it by itself. What was canceling has ended by that, and may be retried by now.
            if not request.is_told and now.state not in FINISHED:
                with actor.by_operator(request.reason):
                    workflow.cancel(now)
            ForceEnd.delete().where(ForceEnd.id == request.id).execute()
        return True
