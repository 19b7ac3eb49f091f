"""What is done with a mailing once it is written: looked at, tested and sent."""

from typing import Any, Final

from flask import current_app

from tasks.send_mail import submit, submit_test
from webapp.db import database
from webapp.lib.times import utcnow
from webapp.mail.mailings import render_mailing, without_mark
from webapp.mail.recipients import read_recipients
from webapp.mail.senders import address_for_test, demand_permission
from webapp.models import IllegalTransition, State, User
from webapp.models.scopes import Scope
from webapp.web.api.call import Call
from webapp.web.api.etags import tagged
from webapp.web.api.mail_finding import demand_same, find_mailing, find_waiting
from webapp.web.api.mail_forms import ProgramsMail
from webapp.web.api.mail_refusals import refusals
from webapp.web.api.operation import Answer, Once, Rate, operation
from webapp.web.api.problems import (
    CONFLICT,
    FORBIDDEN,
    ILLEGAL_TRANSITION,
    OVER_QUOTA,
    PRECONDITION_FAILED,
    QUOTA_EXCEEDED,
)
from webapp.web.api.resource import INTEGER, STRING, TIME, UUID, Field, Resource, Schema, nullable
from webapp.web.api.resources.mailing import MAILING, see
from webapp.web.api.resources.seen_task import RETRY_AFTER
from webapp.web.api_paths import ROOT
from webapp.web.presenters.mail_preview import OWN_LINK, Preview, preview_of

ONE: Final = "/mailings/{mailing_id}"
REFUSED: Final = (FORBIDDEN, CONFLICT, ILLEGAL_TRANSITION, PRECONDITION_FAILED, OVER_QUOTA, QUOTA_EXCEEDED)

PREVIEW = Resource[tuple[str, Preview, str]](
    "MailingPreview",
    "A mailing as it would be sent now.",
    (
        Field("subject", STRING, lambda seen: seen[0]),
        Field("sender", STRING, lambda seen: seen[1].sender, "Whom it comes from."),
        Field("reply_to", nullable(STRING), lambda seen: seen[1].reply_to, "Where answers go; null if to nobody."),
        Field("text", STRING, lambda seen: seen[1].plain),
        Field("html", STRING, lambda seen: seen[2]),
        Field("recipients", INTEGER, lambda seen: seen[1].total, "How many people it goes to, each once."),
        Field(
            "suppressed",
            {"type": "object", "additionalProperties": INTEGER},
            lambda seen: {str(reason): number for reason, number in seen[1].suppressed.items()},
            "How many of them won’t get it, by the reason.",
        ),
    ),
)
TEST = Resource[dict[str, Any]](
    "MailingTest",
    "A test of a mailing, on its way to you.",
    (
        Field("address", STRING, lambda test: test["address"]),
        Field("task", UUID, lambda test: str(test["task"].id), "What sends it."),
    ),
)
RUN_AT: Final[Schema] = {
    "type": "object",
    "properties": {
        "run_at": nullable(TIME) | {"description": "When, within a year; null is at once. Otherwise as it is drafted."}
    },
    "additionalProperties": False,
}


@operation("GET", ONE + "/preview", allows=Scope.MAIL, answers={200: PREVIEW, 304: None})
def preview_mailing(call: Call, mailing_id: int) -> Answer:
    """A mailing as it would be sent now, complete or not."""
    mailing = find_mailing(call, mailing_id)
    preview = preview_of(mailing, read_recipients(mailing.recipients).addresses)
    html = without_mark(render_mailing(mailing, call.user)[1], OWN_LINK)
    return tagged(PREVIEW, (mailing.subject, preview, html))


@operation(
    "POST", ONE + "/test", allows=Scope.MAIL, answers={202: TEST}, problems=REFUSED, rate=Rate.LAUNCH, once=Once.ALL
)
def test_mailing(call: Call, mailing_id: int) -> Answer:
    """Send a mailing as it is to your own address alone, with all that everybody would get."""
    mailing = find_waiting(call, mailing_id).mailing
    ProgramsMail(call.user, {}, mailing).demand_complete("recipients", "run_at")  # it goes now, and to nobody else
    with refusals(call.user):
        address = address_for_test(call.user)
        task = submit_test(mailing, address, _limit())
    return Answer(TEST.of({"address": address, "task": task}), 202, _under_way(str(task.id)))


@operation(
    "POST",
    ONE + "/sending",
    allows=Scope.MAIL,
    answers={202: MAILING},
    body=RUN_AT,
    may_lack_body=True,
    problems=REFUSED,
    rate=Rate.LAUNCH,
    once=Once.ALL,
)
def send_mailing(call: Call, mailing_id: int) -> Answer:
    """Send a draft to its recipients, now or at a time.

    That is a task, as `task` says: it can be followed, paused and canceled as such.
    """
    seen = find_waiting(call, mailing_id)
    if seen.task:
        raise IllegalTransition(seen.task, State.SCHEDULED)
    mailing, mail = seen.mailing, ProgramsMail(call.user, call.body or {}, seen.mailing)
    mail.demand_complete()
    with refusals(call.user), database.atomic():
        demand_permission(call.user, mail.addresses, mail.at or utcnow())
        User.hold(call.user.id)
        demand_same(mailing)
        mailing.write(**mail.columns)
        task = submit(mailing, mail.addresses, _limit())
    return tagged(MAILING, see(find_mailing(call, mailing_id)), status=202, headers=_under_way(str(task.id)))


def _limit() -> int:
    return int(current_app.config["SETTINGS"].mail_daily_limit)


def _under_way(task_id: str) -> dict[str, str]:
    """Where to follow what was started. The task is another noun’s."""
    return {"Location": f"{ROOT}/tasks/{task_id}", "Retry-After": str(RETRY_AFTER)}
