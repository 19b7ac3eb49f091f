"""A mail to many as it is sent: made of its template, and of what its sender has written, attached and done."""

import re
from contextlib import suppress

from flask import current_app

from webapp.mail.headers import InvalidHeader, address
from webapp.mail.marked_text import LINK_MARK, filled
from webapp.mail.mime import Attachment
from webapp.mail.outgoing import OutgoingMail
from webapp.mail.rendering import logo, render
from webapp.mail.senders import own_address
from webapp.mail.templates import MOST_LISTED, Template, template_of
from webapp.mail.unsubscribing import links_of
from webapp.models import Mailing, Task, User


def render_mailing(mailing: Mailing, user: User) -> tuple[str, str]:
    """The text and the HTML of a mailing as it would be sent now. Needs an app context. At most three queries.

    The task that sends it is not among the tasks that it lists.
    """
    tasks, more = _listed(mailing, user, template_of(mailing))
    body = mailing.body.strip()
    paragraphs = re.split(r"\n\s*\n", body)
    said = {"tasks": tasks, "more": more, "body": body, "paragraphs": paragraphs}
    mark = LINK_MARK if current_app.config["BASE_URL"] else ""
    return render(mailing.template, user=user, sender_address=own_address(user), unsubscribe=mark, **said)


def outgoing_mail(mailing: Mailing, user: User) -> OutgoingMail:
    """What is sent to each recipient of a mailing that has been `kept`, with all its files in memory. One query."""
    files = [Attachment(file.name, file.content_type, file.read()) for file in mailing.files()]
    return OutgoingMail(
        mailing.subject,
        mailing.text,
        mailing.html,
        files,
        [logo()],
        reply_to(user),
        is_automatic=False,
        links=links_of(user),
    )


def without_mark(text: str, words: str) -> str:
    """The text or the HTML of a mailing to look at, with these words in place of the link of each recipient."""
    return filled(text, LINK_MARK, words)


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


def reply_to(user: User) -> str | None:
    """Where answers go: an address that is the sender's own. One that most mail servers cannot write would keep the
    mail from everybody."""
    with suppress(InvalidHeader):
        return address(own_address(user), "Reply-To")
    return None
