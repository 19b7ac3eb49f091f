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

from webapp import mailer
from webapp.address_files import read_file
from webapp.db import database
from webapp.letters import FREE, TEMPLATES, subject_for
from webapp.lib.texts import clean
from webapp.mime import is_text
from webapp.models import Mailing, User
from webapp.models.mailing.attachments import FILE_NAME_LENGTH
from webapp.models.mailing.row import BODY_LENGTH, SUBJECT_LENGTH, WRITTEN
from webapp.recipients import MOST_RECIPIENTS, Recipients, cut, read_recipients, without_bad
from webapp.web import idempotency
from webapp.web.forms.start_time import MomentField

# Mail programs take a part of another type for something to look into, and not for a file as it is.
CONTENT_TYPE = re.compile(r"(?!multipart/|message/)[a-z]+/[a-z0-9.+_-]{1,80}", re.IGNORECASE)


class MailForm(FlaskForm):
    """A mail to many. `keep` puts what was typed and uploaded into a draft, whatever is wrong with it; `validate` then
    says what is. Uploaded recipients are added to the typed ones.
    """

    recipients = TextAreaField("To", filters=[clean])
    recipients_file = FileField("Or a file of addresses")
    subject = StringField(
        "Subject",
        [
            DataRequired("Give it a subject."),
            Length(max=SUBJECT_LENGTH, message=f"A subject has at most {SUBJECT_LENGTH} characters."),
        ],
        filters=[clean],
    )
    template = SelectField(
        "What it says",
        choices=[SelectChoice(name, known.label) for name, known in TEMPLATES.items()],
        default="welcome",
    )
    body = TextAreaField("Your text", filters=[clean])
    attachment = MultipleFileField("Attachments")
    send_at = MomentField("Send at")
    form_key = HiddenField(filters=[idempotency.clean_key], render_kw={"autocomplete": "off"})

    def __init__(self, zone: str, mailing: Mailing | None = None, **kwargs: Any) -> None:
        """With the content of a mailing, where nothing was sent."""
        super().__init__(data=_content(mailing) if mailing else None, **kwargs)
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
        rows = "1 row" if self.left_out == 1 else f"{self.left_out:,} rows"
        return f"{rows} without an address left out of the file." if self.left_out else ""

    def leave_out_bad(self) -> None:
        """Take out of the recipients what is no address."""
        if self.found.bad_number:
            self.recipients.data = without_bad(self.recipients.data or "")
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
        found = self.found
        if len(found.addresses) > MOST_RECIPIENTS:
            more = f", and {found.unread:,} more were not read" if found.unread else ""
            people = f"That is {len(found.addresses):,} people{more}"
            raise ValidationError(f"{people}; a mail has {MOST_RECIPIENTS:,} at most.")
        if found.bad_number:
            if found.bad_number == 1:
                raise ValidationError("One is not an address: correct it, or leave it out.")
            raise ValidationError(f"{found.bad_number:,} are not addresses: correct them, or leave them out.")
        if found.unread:
            raise ValidationError(f"That is too long: the last {found.unread:,} entries were not read.")
        if not found.addresses:
            raise ValidationError("Say who gets it.")
        if not mailer.is_set_up():
            raise ValidationError("This site has no mail server, so nothing can be sent.")

    def validate_subject(self, field: Field) -> None:
        """One line: more would be more headers."""
        if not all(is_text(character) for character in field.data or ""):
            raise ValidationError("A subject is one line of text.")

    def validate_body(self, field: Field) -> None:
        """A text of one's own needs to be there; else it is not looked at."""
        if self.template.data == FREE and not field.data:
            raise ValidationError("Write the text, or choose another.")
        if len(field.data or "") > BODY_LENGTH:
            raise ValidationError(f"That has {len(field.data):,} characters; a text has at most {BODY_LENGTH:,}.")

    def validate_recipients_file(self, _: Field) -> None:
        """A file without any address was another than was meant; one with too many was not read to its end."""
        if self.not_read:
            raise ValidationError(self.not_read)

    def validate_attachment(self, _: Field) -> None:
        """What did not fit was not kept, and is named."""
        if self.not_kept:
            raise ValidationError(f"{room_in_words()} Not attached: {', '.join(self.not_kept)}")

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
            self.not_read = f"No address was found in {name}."
            return read_recipients(typed)
        self.left_out = file.without
        if found.unread:
            text = "\n".join(text.splitlines()[: max(found.last_line, len(typed.splitlines()))])
        if found.unread or file.unread:
            what = f"{file.unread:,} of its lines" if file.unread else f"{found.unread:,} of its entries"
            self.not_read = f"{name} is too long: the last {what} were not read."
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


def room_in_words() -> str:
    """How much may be attached."""
    return f"All files together may have {current_app.config['SETTINGS'].max_upload // (1024 * 1024)} MB."


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
