"""A mail to many as it is sent: made of its template, and of what its sender has written, attached and done."""

import re
from contextlib import suppress

from webapp.mail.headers import InvalidHeader, address
from webapp.mail.mime import Attachment
from webapp.mail.outgoing import OutgoingMail
from webapp.mail.rendering import logo, render
from webapp.mail.templates import MOST_LISTED, Template, template_of
from webapp.models import Mailing, Task, User


def render_mailing(mailing: Mailing, user: User) -> tuple[str, str]:
    """The text and the HTML of a mailing as it would be sent now. Needs an app context. At most three queries.

    The task that sends it is not among the tasks that it lists.
    """
    tasks, more = _listed(mailing, user, template_of(mailing))
    body = mailing.body.strip()
    paragraphs = re.split(r"\n\s*\n", body)
    return render(mailing.template, user=user, tasks=tasks, more=more, body=body, paragraphs=paragraphs)


def outgoing_mail(mailing: Mailing, user: User) -> OutgoingMail:
    """What is sent to each recipient of a mailing that has been `kept`, with all its files in memory. One query."""
    files = [Attachment(file.name, file.content_type, file.read()) for file in mailing.files()]
    return OutgoingMail(
        mailing.subject, mailing.text, mailing.html, files, [logo()], _reply_to(user), is_automatic=False
    )


def _listed(mailing: Mailing, user: User, template: Template) -> tuple[list[Task], int]:
    """The tasks that it lists, and how many there are beyond these."""
    if not template.tasks:
        return [], 0
    sends = mailing.original if mailing.original_id else mailing
    mine = Task.of(user)
    query = template.tasks(mine.where(Task.id != sends.task_id) if sends.task_id else mine)
    tasks = list(query.limit(template.most))
    is_cut = len(tasks) == template.most == MOST_LISTED
    return tasks, query.count() - len(tasks) if is_cut else 0


def _reply_to(user: User) -> str | None:
    """Where answers go. An address that most mail servers cannot write would keep the mail from everybody."""
    with suppress(InvalidHeader):
        return address(user.email or "", "Reply-To")
    return None
