"""Finding a mailing by its address: one that this person and their programs may see, in a state that allows it."""

from webapp.models import IllegalTransition, Mailing, State
from webapp.web.api.call import Call
from webapp.web.api.etags import etag_of
from webapp.web.api.problems import CONFLICT, NOT_FOUND, Problem
from webapp.web.api.resources.mailing import MAILING, SeenMailing, see


def find_mailing(call: Call, mailing_id: int) -> Mailing:
    """A mailing; 404 for anybody else's, and for the draft that this person writes in a browser. One query."""
    if mailing := Mailing.find_for_programs(call.user, mailing_id):
        return mailing
    raise Problem(NOT_FOUND, "There is no such mailing.")


def find_waiting(call: Call, mailing_id: int) -> SeenMailing:
    """A draft or a scheduled mailing, in the version that it is to be changed in; 409 once its sending has begun."""
    seen = see(find_mailing(call, mailing_id))
    call.demand_match(etag_of(MAILING.of(seen)))
    if seen.task and not seen.is_waiting:
        raise IllegalTransition(seen.task, State.SCHEDULED)
    return seen


def demand_same(mailing: Mailing) -> None:
    """Raise Problem (409) if a mailing has changed since it was read. In a transaction that holds its sender."""
    fresh = Mailing.find_for_programs(mailing.user, mailing.id)
    if fresh is None or fresh.__data__ != mailing.__data__:
        raise Problem(CONFLICT, "The mailing was changed, sent or deleted at the same moment.")
