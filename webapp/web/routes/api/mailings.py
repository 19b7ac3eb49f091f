"""Mailings: drafts of programs, and what was sent and scheduled."""

from dataclasses import replace

from flask import current_app, url_for

from tasks.send_mail import rewrite
from webapp.db import database
from webapp.lib.times import utcnow
from webapp.mail.senders import demand_permission
from webapp.models import Delivery, Mailing, Task, User
from webapp.models.scopes import Scope
from webapp.web.api.call import Call
from webapp.web.api.etags import tagged
from webapp.web.api.mail_finding import demand_same, find_mailing, find_waiting
from webapp.web.api.mail_forms import ProgramsMail
from webapp.web.api.mail_refusals import refusals
from webapp.web.api.operation import Answer, Once, Rate, operation
from webapp.web.api.pages import PAGING, page_of
from webapp.web.api.problems import (
    CONFLICT,
    FORBIDDEN,
    ILLEGAL_TRANSITION,
    OVER_QUOTA,
    PRECONDITION_FAILED,
    QUOTA_EXCEEDED,
)
from webapp.web.api.resource import Listed
from webapp.web.api.resources.mailing import (
    DELIVERY,
    MAILING,
    MAILING_SUMMARY,
    SeenMailing,
    body_schema,
    see,
)
from webapp.web.paging import Page, page

ONE = "/mailings/{mailing_id}"


@operation("GET", "/mailings", allows=Scope.MAIL, answers={200: Listed(MAILING_SUMMARY)}, query=PAGING)
def list_mailings(call: Call) -> Answer:
    """What you have sent and scheduled, and the drafts of your programs; newest first.

    The draft that you write on the site isn’t among them: no program can get in its way.
    """

    def find(cursor: str | None, most: int) -> Page:
        found = page(Mailing.for_programs(call.user), cursor, most)
        return replace(found, items=[SeenMailing(mailing, mailing.task) for mailing in found.items])

    return page_of(call, find, MAILING_SUMMARY)


@operation(
    "POST",
    "/mailings",
    allows=Scope.MAIL,
    answers={201: MAILING},
    body=body_schema(minProperties=1),
    problems=(OVER_QUOTA,),
    rate=Rate.WRITE,
    once=Once.ALL,
)
def create_mailing(call: Call) -> Answer:
    """Begin a draft, which can lack what is not known yet.

    A POST to `/mailings/{mailing_id}/sending` sends it. You find it on the site as well, and can send it from there.
    """
    mail = ProgramsMail(call.user, call.body)
    mail.demand_right()
    with refusals(call.user):
        mailing = Mailing.begin_by_program(call.user, **mail.columns)
    where = url_for("api.show_mailing", mailing_id=mailing.id)
    return tagged(MAILING, see(mailing), status=201, headers={"Location": where})


@operation("GET", ONE, allows=Scope.MAIL, answers={200: MAILING, 304: None})
def show_mailing(call: Call, mailing_id: int) -> Answer:
    """One mailing, with all that it says and how its deliveries stand."""
    return tagged(MAILING, see(find_mailing(call, mailing_id)))


@operation(
    "PATCH",
    ONE,
    allows=Scope.MAIL,
    answers={200: MAILING},
    body=body_schema(minProperties=1),
    problems=(FORBIDDEN, CONFLICT, ILLEGAL_TRANSITION, PRECONDITION_FAILED, OVER_QUOTA, QUOTA_EXCEEDED),
    rate=Rate.WRITE,
)
def change_mailing(call: Call, mailing_id: int) -> Answer:
    """Change a draft, or a mailing that is scheduled.

    One that is scheduled stays complete, and goes out at its new time; without one, at once.
    """
    seen = find_waiting(call, mailing_id)
    mail = ProgramsMail(call.user, call.body, seen.mailing)
    with refusals(call.user):
        if seen.task:
            mail.demand_complete()
            _rewrite(call.user, seen.mailing, mail)
        else:
            mail.demand_right()
            with database.atomic():
                User.hold(call.user.id)
                demand_same(seen.mailing)
                seen.mailing.write(**mail.columns)
    return tagged(MAILING, see(find_mailing(call, mailing_id)))


@operation(
    "DELETE",
    ONE,
    allows=Scope.MAIL,
    answers={204: None},
    problems=(ILLEGAL_TRANSITION, PRECONDITION_FAILED),
    rate=Rate.WRITE,
)
def delete_mailing(call: Call, mailing_id: int) -> Answer:
    """Delete a draft; or a mailing with its task and all that is known of its deliveries.

    Cancel the task first if it hasn’t finished.
    """
    seen = see(find_mailing(call, mailing_id))
    call.demand_match(tagged(MAILING, seen).etag)
    if seen.task:
        seen.task.remove()
    else:
        seen.mailing.discard()
    return Answer(status=204)


@operation("GET", ONE + "/deliveries", allows=Scope.MAIL, answers={200: Listed(DELIVERY)}, query=PAGING)
def list_deliveries(call: Call, mailing_id: int) -> Answer:
    """What came of a mailing to each recipient, in the order of their addresses."""
    mailing = find_mailing(call, mailing_id)

    def find(cursor: str | None, most: int) -> Page:
        rows = Delivery.of(mailing, cursor or "", most + 1)
        return Page(rows[:most], rows[most - 1].address if len(rows) > most else None)

    return page_of(call, find, DELIVERY, mailing=mailing.id)


def _rewrite(user: User, mailing: Mailing, mail: ProgramsMail) -> Task:
    """Change what is scheduled, whose changes need no draft: they are complete."""
    demand_permission(user, mail.addresses, mail.at or utcnow())
    return rewrite(mailing, mail.columns, mail.addresses, current_app.config["SETTINGS"].mail_daily_limit)
