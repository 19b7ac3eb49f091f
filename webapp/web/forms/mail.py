"""The form of a mail to many: what is typed goes into a draft, and is checked before it is sent."""

import re
from functools import cached_property
from typing import Any

from flask import current_app
from flask_wtf import FlaskForm
from werkzeug.datastructures import FileStorage
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
from webapp.mail.address_files import AddressFile, read_file
from webapp.mail.headers import is_text
from webapp.mail.recipients import MOST_RECIPIENTS, Recipients, cut, read_recipients, without_invalid
from webapp.mail.templates import FREE, TEMPLATES, subject_for
from webapp.models import Mailing, User
from webapp.models.mailing.attachments import FILE_NAME_LENGTH
from webapp.models.mailing.row import BODY_LENGTH, SUBJECT_LENGTH, WRITTEN
from webapp.web import idempotency
from webapp.web.forms.start_time import MomentField
from webapp.web.request_guard import MEGABYTE

# Mail programs take a part of another type for something to look into, and not for a file as it is.
CONTENT_TYPE = re.compile(r"(?!multipart/|message/)[a-z]+/[a-z0-9.+_-]{1,80}", re.IGNORECASE)


class MailForm(FlaskForm):
    """A mail to many. `keep` puts what was typed and uploaded into a draft, whatever is wrong with it; `validate` then
    says what is. Uploaded recipients are added to the typed ones.
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
        default="welcome",  # of what programs post without one; a page begins with FREE
    )
    body = TextAreaField("Text", filters=[clean])
    attachment = MultipleFileField("Attachments")
    send_at = MomentField("Send at")
    form_key = HiddenField(filters=[idempotency.clean_key], render_kw={"autocomplete": "off"})

    def __init__(self, zone: str, mailing: Mailing | None = None, **kwargs: Any) -> None:
        """With the content of a mailing, where nothing was sent."""
        super().__init__(data=_content(mailing) if mailing else None, **kwargs)
        if mailing is None and self.template.raw_data is None:
            self.template.data = FREE  # with the field to write in, which the others hide
        self.send_at.zone = zone
        self.not_kept: list[str] = []  # files that were too large
        self.not_read = ""  # what is wrong with the file of addresses, in words
        self.left_out = 0  # rows of it in which there is no address

    def is_as(self, sent: Mailing) -> bool:
        """Whether it says what that mail says, as it does when a button was pressed twice. Files are not looked at."""
        return all(getattr(sent, name) == value for name, value in self._written().items() if name in WRITTEN)

    @cached_property
    def found(self) -> Recipients:
        """The addresses in what was typed and uploaded, which is then one text. Read once."""
        # Lines as the browser shows them, by whose numbers is said what is wrong.
        self.recipients.data = typed = "\n".join((self.recipients.data or "").splitlines())
        uploads = _chosen(self.recipients_file.data)
        self.recipients_file.data = None
        return self._add(typed, uploads[0]) if uploads else read_recipients(typed)

    def bring_subject(self, user: User) -> None:
        """Take the subject of the template that was chosen, unless another than a template's has been typed."""
        self.subject.data = subject_for(self.template.data or "", self.subject.data or "", user)

    @property
    def left_out_words(self) -> str:
        """What of the file of addresses was left aside, if anything."""
        if not self.left_out:
            return ""
        return ngettext(
            "Skipped %(num)s row without an address.", "Skipped %(num)s rows without an address.", self.left_out
        )

    def leave_out_bad(self) -> None:
        """Take out of the recipients what is no address."""
        if self.found.invalid_count:
            self.recipients.data = without_invalid(self.recipients.data or "")
            self.found = read_recipients(self.recipients.data)

    def begin_anew(self) -> None:
        """From now on it is another form, whatever was sent from this one."""
        self.form_key.data = ""

    def keep(self, draft: Mailing) -> None:
        """Put all that was sent into the draft, as far as it fits there."""
        written = self._written()  # before the transaction, in which everybody else would wait for it
        with database.atomic():  # two presses of one button add each file once: the second waits at the row
            if draft.write(people=len(self.found.addresses), **written):
                self._keep_files(draft)

    def validate_recipients(self, field: Field) -> None:
        """Somebody, not too many, and each an address."""
        if problem := _problem_with(self.found):
            raise ValidationError(problem)
        if not mail.is_configured():
            raise ValidationError("This site has no mail server, so it can’t send email.")

    def validate_subject(self, field: Field) -> None:
        """One line: more would be more headers."""
        if not all(is_text(character) for character in field.data or ""):
            raise ValidationError("Use a single line of text.")

    def validate_body(self, field: Field) -> None:
        """A text of one's own needs to be there; else it is not looked at."""
        if self.template.data == FREE and not field.data:
            raise ValidationError("Write some text, or choose another template.")
        if len(field.data or "") > BODY_LENGTH:
            raise ValidationError(
                f"Your text has {number(len(field.data))} characters. The limit is {number(BODY_LENGTH)}."
            )

    def validate_recipients_file(self, _: Field) -> None:
        """A file without any address was another than was meant; one with too many was not read to its end."""
        if self.not_read:
            raise ValidationError(self.not_read)

    def validate_attachment(self, _: Field) -> None:
        """What did not fit was not kept, and is named."""
        if self.not_kept:
            megabytes = number(current_app.config["SETTINGS"].max_upload // MEGABYTE)
            raise ValidationError(f"Attachments can total {megabytes} MB. Not attached: {', '.join(self.not_kept)}")

    def check_files(self) -> bool:
        """Say only what is wrong with the files, to somebody who is not done yet. False when something is."""
        checks = {
            self.recipients_file: MailForm.validate_recipients_file,
            self.attachment: MailForm.validate_attachment,
        }
        return all([field.validate(self, [check]) for field, check in checks.items()])

    def _written(self) -> dict[str, Any]:
        self.found  # noqa: B018 - adds what was uploaded to what was typed
        return {
            "recipients": cut(self.recipients.data or "")[0],
            "subject": " ".join((self.subject.data or "").split("\n"))[:SUBJECT_LENGTH],
            "template": self.template.data if self.template.data in TEMPLATES else "welcome",
            "body": (self.body.data or "")[: 2 * BODY_LENGTH],
            "send_at": self.send_at.data,
            "form_key": self.form_key.data or "",
        }

    def _add(self, typed: str, upload: FileStorage) -> Recipients:
        """Add a file's addresses to what was typed, as far as they are read."""
        file, name = read_file(upload.stream), _safe(upload.filename or "")
        text = "\n".join(filter(None, [typed, file.text]))
        found = read_recipients(text)
        is_text = "@" in file.text and "\N{REPLACEMENT CHARACTER}" not in file.text
        if not is_text and not read_recipients(file.text).addresses:
            self.not_read = f"No addresses found in {name}."
            return read_recipients(typed)
        self.left_out = file.without
        if found.unread:
            text = "\n".join(text.splitlines()[: max(found.last_line, len(typed.splitlines()))])
        if found.unread or file.unread:
            self.not_read = f"{name} is too long: {_not_read_of(file, found)}"
        self.recipients.data = text
        return found

    def _keep_files(self, draft: Mailing) -> None:
        room = current_app.config["SETTINGS"].max_upload - sum(file.size for file in draft.files())
        for upload in _chosen(self.attachment.data):
            upload.seek(0)  # it may have been read into a draft that is gone
            data, name = upload.read(), _safe(upload.filename or "")
            if len(data) > room:
                self.not_kept.append(name)
                continue
            room -= len(data)
            kind = upload.mimetype if CONTENT_TYPE.fullmatch(upload.mimetype) else "application/octet-stream"
            draft.attach(name, kind, data)


def _problem_with(found: Recipients) -> str:
    """Why nothing can be sent to these; empty if nothing is wrong."""
    count = len(found.addresses)
    if count > MOST_RECIPIENTS:
        words = ngettext("You have %(num)s recipient", "You have %(num)s recipients", count)
        if found.unread:
            words += ngettext(
                ", and %(num)s more entry wasn’t read", ", and %(num)s more entries weren’t read", found.unread
            )
        return f"{words}. The limit is {number(MOST_RECIPIENTS)}."
    if found.invalid_count:
        return ngettext(
            "%(num)s address isn’t valid. Correct or remove it.",
            "%(num)s addresses aren’t valid. Correct or remove them.",
            found.invalid_count,
        )
    if found.unread:
        return f"The list is too long: {_entries_not_read(found.unread)}"
    return "" if count else "Add at least one recipient."


def _not_read_of(file: AddressFile, found: Recipients) -> str:
    """How much behind the end of what is read of a file was left."""
    if not file.unread:
        return _entries_not_read(found.unread)
    return ngettext("the last line wasn’t read.", "the last %(num)s lines weren’t read.", file.unread)


def _entries_not_read(count: int) -> str:
    return ngettext("the last entry wasn’t read.", "the last %(num)s entries weren’t read.", count)


def _content(mailing: Mailing) -> dict[str, Any]:
    names = ("recipients", "subject", "template", "body", "send_at")
    key = mailing.form_key if mailing.is_draft else ""  # its changes are another form than the one it was sent from
    return {name: getattr(mailing, name) for name in names} | {"form_key": key}


def _chosen(files: Any) -> list[FileStorage]:
    """The files that were really chosen: an empty field sends one without a name."""
    several = files if isinstance(files, list) else [files]
    return [file for file in several if isinstance(file, FileStorage) and file.filename]


def _safe(name: str) -> str:
    """The name alone, without its folder and without what no name has; cut before its ending."""
    name = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable()).strip() or "attachment"
    if len(name) <= FILE_NAME_LENGTH:
        return name
    stem, dot, ending = name.rpartition(".")
    ending = dot + ending if stem and len(ending) < 20 else ""
    return name[: FILE_NAME_LENGTH - len(ending)] + ending
