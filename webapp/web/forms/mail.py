"""The form of a mail to many. What is typed goes into a draft, whatever is wrong with it, and is checked to be sent."""

from typing import Any

from flask_wtf import FlaskForm
from wtforms import (
    Field,
    FileField,
    HiddenField,
    MultipleFileField,
    SelectChoice,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, Length, ValidationError

from webapp import mail
from webapp.db import database
from webapp.lib.i18n import ngettext, number
from webapp.lib.normalization import clean
from webapp.mail.headers import is_text
from webapp.mail.recipients import Recipients, cut
from webapp.mail.templates import FREE, TEMPLATES, subject_for
from webapp.models import Mailing, User
from webapp.models.mailing.row import BODY_LENGTH, SUBJECT_LENGTH, WRITTEN
from webapp.models.quotas import OverQuota
from webapp.web import idempotency
from webapp.web.form_recovery import label_options
from webapp.web.forms.attachments import Unattached, attach_files, chosen_files
from webapp.web.forms.recipient_input import read_recipient_input, recipients_error
from webapp.web.forms.start_time import StartTimeField

DEFAULT_TEMPLATE = "welcome"  # of what programs post without one; a page begins with FREE

label_options("template", {name: template.label for name, template in TEMPLATES.items()})


class MailForm(FlaskForm):
    """A mail to many. `write_to` puts it into a draft, valid or not; `validate` then says what is wrong.

    Recipients are parsed once, when the form is made: those of an uploaded file are added to the typed ones, so that
    both are one text in the field.
    """

    recipients = TextAreaField("To", filters=[clean])
    recipients_file = FileField("Add addresses from a file")
    subject = StringField(
        "Subject",
        [
            DataRequired("Add a subject."),
            Length(max=SUBJECT_LENGTH, message=f"Use at most {SUBJECT_LENGTH} characters."),
        ],
        filters=[clean],
    )
    template = SelectField(
        "Template",
        choices=[SelectChoice(name, known.label) for name, known in TEMPLATES.items()],
        default=DEFAULT_TEMPLATE,
    )
    body = TextAreaField("Text", filters=[clean])
    attachment = MultipleFileField("Attachments")
    send_at = StartTimeField("Send at")
    form_key = HiddenField(filters=[idempotency.clean_key], render_kw={"autocomplete": "off"})

    def __init__(self, zone: str, mailing: Mailing | None = None, **kwargs: Any) -> None:
        """`zone` is the time zone of `send_at`; a `mailing` fills the form in where none was posted."""
        super().__init__(data=_content_of(mailing) if mailing else None, **kwargs)
        if mailing is None and self.template.raw_data is None:
            self.template.data = FREE  # with the field to write in, which the others hide
        self.send_at.zone = zone
        self.unattached = Unattached()
        self.unsaved = ""  # why what was typed could not be saved
        uploads = chosen_files(self.recipients_file.data)
        self._input = read_recipient_input(self.recipients.data or "", uploads[0] if uploads else None)
        self.recipients.data = self._input.text

    @property
    def parsed_recipients(self) -> Recipients:
        """The addresses in what was typed and uploaded, and what is wrong with the rest."""
        return self._input.parsed

    @property
    def skipped_rows_message(self) -> str:
        """How many rows of the file had no address; empty if all had one."""
        count = self._input.rows_without_address
        if not count:
            return ""
        return ngettext("Skipped %(num)s row without an address.", "Skipped %(num)s rows without an address.", count)

    @property
    def content(self) -> dict[str, Any]:
        """What a draft of this form has in its columns, as far as it fits there."""
        return {
            "recipients": cut(self.recipients.data or "")[0],
            "subject": " ".join((self.subject.data or "").split("\n"))[:SUBJECT_LENGTH],
            "template": self.template.data if self.template.data in TEMPLATES else DEFAULT_TEMPLATE,
            "body": (self.body.data or "")[: 2 * BODY_LENGTH],
            "send_at": self.send_at.data,
            "form_key": self.form_key.data or "",
        }

    def has_content_of(self, mailing: Mailing) -> bool:
        """Whether it says what that mail says, as when a button was pressed twice. Ignores files."""
        return all(getattr(mailing, name) == value for name, value in self.content.items() if name in WRITTEN)

    def fill_in_subject(self, user: User) -> None:
        """Set the subject to that of the chosen template, unless somebody typed one of their own."""
        self.subject.data = subject_for(self.template.data or "", self.subject.data or "", user)

    def remove_invalid_recipients(self) -> None:
        """Remove the entries that are not addresses."""
        self._input = self._input.without_invalid()
        self.recipients.data = self._input.text

    def forget_key(self) -> None:
        """Make it another form, whatever was sent from this one."""
        self.form_key.data = ""

    def write_to(self, draft: Mailing) -> None:
        """Save everything in the draft, as far as it fits. Does nothing if it is not a draft any more.

        Where its writer has no room for the text, nothing is saved, and `unsaved` and `validate` say so.
        """
        self.unsaved = ""
        try:
            with database.atomic():  # two presses of one button add each file once: the second waits at the row
                if draft.write(people=len(self.parsed_recipients.addresses), **self.content):
                    self.unattached = attach_files(draft, chosen_files(self.attachment.data))
        except OverQuota as error:
            self.unsaved = f"{error.words()} This isn’t saved yet."

    def validate_recipients(self, field: Field) -> None:
        """Requires at least one recipient, at most MOST_RECIPIENTS, and that each is an address."""
        self.validate_room(field)
        if problem := recipients_error(self.parsed_recipients):
            raise ValidationError(problem)
        if not mail.is_configured():
            raise ValidationError("This site has no mail server, so it can’t send email.")

    def validate_subject(self, field: Field) -> None:
        """Refuses a second line, which would be another header of the mail."""
        if not all(is_text(character) for character in field.data or ""):
            raise ValidationError("Use a single line of text.")

    def validate_body(self, field: Field) -> None:
        """Requires a text where the template has none of its own."""
        if self.template.data == FREE and not field.data:
            raise ValidationError("Write some text, or choose another template.")
        if len(field.data or "") > BODY_LENGTH:
            raise ValidationError(
                f"Your text has {number(len(field.data))} characters. The limit is {number(BODY_LENGTH)}."
            )

    def validate_recipients_file(self, _: Field) -> None:
        """Refuses a file without addresses, and one that was too long to be read to its end."""
        if self._input.file_error:
            raise ValidationError(self._input.file_error)

    def validate_attachment(self, _: Field) -> None:
        """Names the files for which there was no room."""
        if self.unattached.names:
            raise ValidationError(f"{self.unattached.reason} Not attached: {', '.join(self.unattached.names)}")

    def validate_room(self, _: Field) -> None:
        """Says that what was typed is not saved."""
        if self.unsaved:
            raise ValidationError(self.unsaved)

    def validate_files(self) -> bool:
        """Check the files, and whether all was saved, for somebody who is not done yet. False if something is wrong."""
        checks = {
            self.recipients: MailForm.validate_room,
            self.recipients_file: MailForm.validate_recipients_file,
            self.attachment: MailForm.validate_attachment,
        }
        return all([field.validate(self, [check]) for field, check in checks.items()])


def _content_of(mailing: Mailing) -> dict[str, Any]:
    names = ("recipients", "subject", "template", "body", "send_at")
    key = mailing.form_key if mailing.is_draft else ""  # its changes are another form than the one it was sent from
    return {name: getattr(mailing, name) for name in names} | {"form_key": key}
