"""Draft: the mail that somebody is writing, from the first word to its sending."""

from dataclasses import dataclass
from typing import Any, Self

from flask import abort, current_app

from tasks.send_mail import change, submit
from webapp.db import database
from webapp.lib.times import utcnow
from webapp.mail.senders import demand_permission
from webapp.models import IllegalTransition, Mailing, MailingFile, State, Task, User
from webapp.web.auth import signed_in_user
from webapp.web.forms.mail import MailForm


@dataclass
class Draft:
    """A new mail, or the changes to the scheduled mail `original`. `row` is None until it is loaded or kept."""

    user: User
    original: Mailing | None = None
    row: Mailing | None = None
    by_program: int | None = None

    @classmethod
    def find(cls, mailing_id: int | None) -> Self:
        """This person's draft of changes to that mail, or of a new one; not loaded yet. Or the draft of that id, which
        a program of theirs has begun. Aborts with 404."""
        mailing = None if mailing_id is None else find_mailing(mailing_id)
        if mailing and mailing.is_draft:
            return cls(signed_in_user(), by_program=mailing.id)
        return cls(signed_in_user(), mailing)

    @classmethod
    def of_file(cls, file_id: int) -> Self:
        """The draft in whose form a file of this person is shown. Aborts with 404."""
        file = MailingFile.visible_to(signed_in_user()).where(MailingFile.id == file_id).get_or_none() or abort(404)
        its_own = file.mailing.is_by_program or not file.mailing.is_draft
        return cls.find(file.mailing.id if its_own else file.mailing.original_id)

    def load(self) -> Self:
        """Load its row, if there is one. One query."""
        if self.by_program is None:
            self.row = Mailing.draft_of(self.user, self.original)
        else:
            self.row = Mailing.find_for_programs(self.user, self.by_program)
        return self

    @property
    def shown(self) -> Mailing | None:
        """What its form shows: the draft, or the mail that it would change; None for a new mail."""
        return self.row or self.original

    @property
    def files(self) -> list[MailingFile]:
        """The attachments of what is shown. One query."""
        return self.shown.files() if self.shown else []

    @property
    def is_begun(self) -> bool:
        """Whether there is something to discard: a draft with any content, or changes to a scheduled mail."""
        return self.row is not None and (self.original is not None or not self.row.is_blank)

    @property
    def url_args(self) -> dict[str, Any]:
        """The arguments of the URLs of its form."""
        mailing_id = self.original.id if self.original else self.by_program
        return {} if mailing_id is None else {"mailing_id": mailing_id}

    def keep(self, form: MailForm) -> Mailing:
        """Save a form, valid or not. Raises IllegalTransition, having saved nothing, once the original has started."""
        if self.original and not (task := self.original.current_task()).is_scheduled:
            raise IllegalTransition(task, State.SCHEDULED)
        if self.by_program is None:
            self.row = Mailing.begin_draft(self.user, self.original)
        else:
            self.row = self.load().row or abort(404)
        form.write_to(self.row)
        return self.row

    def remove_file(self, file_id: int, form: MailForm) -> None:
        """Save a form and remove one of the files that it shows, which may be the original's.

        Where there is no room for the form, the file goes all the same, which may make some. Aborts with 404, having
        saved nothing, if the file is gone or changes to the original were begun elsewhere.
        """
        with database.atomic():
            User.hold(self.user.id)  # a second press waits here, and then finds no such file
            User.count_change(self.user.id)
            file = next((file for file in self.load().files if file.id == file_id), None) or abort(404)
            row = self.keep(form)
            _copy_of(file, row.files()).delete_instance()
            if form.unsaved:  # there may be room for it now
                form.write_to(row)

    def discard(self) -> None:
        """Delete it; a scheduled mail stays as it was. Does nothing if there is none."""
        if row := self.load().row:
            row.discard()
            self.row = None

    def submit(self, form: MailForm) -> Task:
        """Send it to the recipients of the form that it keeps, or save the changes; returns the task.

        Raises MayNotMail, OverLimit, DraftGone and IllegalTransition.
        """
        limit = current_app.config["SETTINGS"].mail_daily_limit
        addresses, row = form.parsed_recipients.addresses, self.row or self.keep(form)
        demand_permission(self.user, addresses, row.send_at or utcnow())
        return change(self.original, row, addresses, limit) if self.original else submit(row, addresses, limit)

    def sent_from(self, form: MailForm) -> Mailing | None:
        """The mail that this very form was sent or changed by before, if it was."""
        return Mailing.sent_from(self.user.id, form.form_key.data or "")

    def is_outdated(self, form: MailForm) -> bool:
        """Whether a form was sent while it was still being saved, so that saving it would begin another draft.

        Different words than those that were sent are another mail's: somebody went back, and typed on.
        """
        sent = self.sent_from(form)
        if sent is None:
            return False
        return sent.change_key == form.form_key.data if self.original else form.has_content_of(sent)


def find_mailing(mailing_id: int) -> Mailing:
    """A mail that this person has sent or scheduled, or that a program of theirs writes. Aborts with 404 for anybody
    else's, and for the draft that they write."""
    return Mailing.find_for_programs(signed_in_user(), mailing_id) or abort(404)


def find_sent(mailing_id: int) -> Mailing:
    """A mail that this person has sent or scheduled. Aborts with 404."""
    mailing = find_mailing(mailing_id)
    return abort(404) if mailing.is_draft else mailing


def _copy_of(file: MailingFile, copies: list[MailingFile]) -> MailingFile:
    """The file itself, or its copy among the files of a draft: a mail has no two of the same name and content."""
    same = [copy for copy in copies if copy.id == file.id]
    same = same or [copy for copy in copies if (copy.name, copy.size) == (file.name, file.size)]
    return same[0] if len(same) == 1 else next(copy for copy in same if copy.read() == file.read())
