"""The files that go with a mailing."""

from typing import Final

from flask import request

from webapp.models import MailingFile
from webapp.models.scopes import Scope
from webapp.web.api.call import Call
from webapp.web.api.etags import tagged
from webapp.web.api.forms import refuse
from webapp.web.api.json_body import pointer
from webapp.web.api.mail_finding import find_mailing, find_waiting
from webapp.web.api.mail_refusals import refusals
from webapp.web.api.operation import Answer, Once, Rate, operation
from webapp.web.api.problems import (
    CONFLICT,
    ILLEGAL_TRANSITION,
    NOT_FOUND,
    PRECONDITION_FAILED,
    Fault,
    Problem,
)
from webapp.web.api.resource import Schema
from webapp.web.api.resources.mailing import MAILING, see
from webapp.web.forms.attachments import attach_files, chosen_files

ALL: Final = "/mailings/{mailing_id}/attachments"
FIELD: Final = "files"
FORM: Final[Schema] = {
    "type": "object",
    "properties": {
        FIELD: {"type": "array", "items": {"type": "string", "contentMediaType": "application/octet-stream"}}
    },
    "required": [FIELD],
}
REFUSED: Final = (CONFLICT, ILLEGAL_TRANSITION, PRECONDITION_FAILED)


@operation(
    "POST",
    ALL,
    allows=Scope.MAIL,
    answers={200: MAILING},
    body=FORM,
    takes_files=True,
    takes_json=False,
    problems=REFUSED,
    rate=Rate.WRITE,
    once=Once.ALL,
)
def attach_to_mailing(call: Call, mailing_id: int) -> Answer:
    """Attach files to a draft, or to a mailing that is scheduled: all of them, or none.

    A form (`multipart/form-data`) with a field `files` for each. One that is attached already isn’t attached again.
    """
    mailing = find_waiting(call, mailing_id).mailing
    files = chosen_files(request.files.getlist(FIELD))
    if not files:
        refuse([Fault("Send at least one file.", pointer=pointer(FIELD))])
    with refusals(call.user), mailing.changing_files():
        unattached = attach_files(mailing, files)
        if unattached.names:
            words = f"{unattached.reason} Not attached: {', '.join(unattached.names)}"
            refuse([Fault(words, pointer=pointer(FIELD))], "Nothing was attached.")
    return tagged(MAILING, see(find_mailing(call, mailing_id)))


@operation(
    "DELETE", ALL + "/{attachment_id}", allows=Scope.MAIL, answers={204: None}, problems=REFUSED, rate=Rate.WRITE
)
def delete_attachment(call: Call, mailing_id: int, attachment_id: int) -> Answer:
    """Remove a file from a draft, or from a mailing that is scheduled."""
    mailing = find_waiting(call, mailing_id).mailing
    its = MailingFile.id == attachment_id, MailingFile.mailing == mailing.id
    with refusals(call.user), mailing.changing_files():
        if not MailingFile.delete().where(*its).execute():
            raise Problem(NOT_FOUND, "There is no such file.")
    return Answer(status=204)
