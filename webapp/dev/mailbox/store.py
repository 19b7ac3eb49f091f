"""Where the development mailbox keeps its mail: a folder with a file for each."""

import email.policy
import re
import secrets
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from webapp.dev.mailbox.message import ReceivedMail

MAIL_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")  # a file's name, not hidden and no path


def list_mails(folder: Path) -> list[ReceivedMail]:
    """Every mail in the folder, newest first; none if there is no folder."""
    return [mail for path in sorted(folder.glob("*.eml"), reverse=True) if (mail := find_mail(folder, path.stem))]


def find_mail(folder: Path, mail_id: str) -> ReceivedMail | None:
    """The mail with that id; None if there is none, and for any text that is not an id."""
    path = folder / f"{mail_id}.eml"
    if not MAIL_ID.fullmatch(mail_id) or not path.is_file():
        return None
    with path.open("rb") as file:
        return ReceivedMail(mail_id, BytesParser(EmailMessage, policy=email.policy.default).parse(file))


def save_mail(folder: Path, content: bytes, at: datetime) -> None:
    """Put a mail into the folder as received at that moment (UTC). A reader of the folder sees all of it or nothing."""
    name = f"{at:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(3)}"
    draft = folder / f".{name}"
    draft.write_bytes(content)
    draft.rename(folder / f"{name}.eml")
