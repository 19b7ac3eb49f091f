"""The development mailbox: a real SMTP server on loopback that keeps every mail as a file, to be read at /mailbox.

`python -m webapp.dev.mailbox` runs it until TERM or INT. It relays nothing.
"""

import asyncio
import base64
import email.policy
import logging
import re
import secrets
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any, TypeVar

from webapp.settings import Settings, SettingsError

MAIL_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,99}")  # a file's name, not hidden and no path
CONTENT_TYPE = re.compile(r"[a-z]+/[a-z0-9.+_-]{1,80}")
CANNOT_BE_READ = "(This part can’t be read.)"
Result = TypeVar("Result")

log = logging.getLogger(__name__)

SIZE_LIMIT = 64 * 1024 * 1024
TAKES = 0.1  # seconds for a mail, as real servers do: so that one to many can be seen under way, and interrupted


@dataclass(frozen=True)
class Mail:
    """A mail as it was received. `id` is its file's name without .eml; ids sort by arrival."""

    id: str
    message: EmailMessage

    @property
    def attachments(self) -> list[EmailMessage]:
        """The attached files, in order; none where what says so cannot be read."""
        return _read(lambda: list(self.message.iter_attachments()), [])

    def head(self, name: str) -> str:
        """What its header of that name says; empty when it has none."""
        return _read(lambda: _text(self.message[name] or ""), CANNOT_BE_READ)

    def body(self, kind: str) -> str:
        """The text of its `plain` or `html` alternative; empty when it has none."""

        def text() -> str:
            part = self.message.get_body((kind,))
            return _text(part.get_content()) if part else ""

        return _read(text, CANNOT_BE_READ)

    @property
    def html(self) -> str:
        """The HTML alternative with the pictures in it that it names by `cid:`, for a page that may load nothing."""
        html = self.body("html")
        return _read(lambda: self._with_pictures(html), html)

    def _with_pictures(self, html: str) -> str:
        for part in self.message.walk():
            name = (part["Content-ID"] or "").strip("<> ")
            if name and part.get_content_maintype() == "image":
                picture: Any = part.get_payload(decode=True)
                data = base64.b64encode(picture).decode()
                html = html.replace(f'"cid:{name}"', f'"data:{part.get_content_type()};base64,{data}"')
        return html


def file_name(part: EmailMessage) -> str:
    """The name of an attached file; what it is where it has none."""
    return _read(lambda: _text(part.get_filename() or "attachment"), "attachment")


def content_of(part: EmailMessage) -> tuple[bytes, str]:
    """What an attached file has in it, and of what type that is. What is itself a mail is given as its text."""
    type_ = _read(part.get_content_type, "")

    def content() -> bytes:
        payload = part.get_payload(decode=True)
        return payload if isinstance(payload, bytes) else part.as_bytes()

    return _read(content, b""), type_ if CONTENT_TYPE.fullmatch(type_) else "application/octet-stream"


def _text(said: Any) -> str:
    """As text that can be sent on: the parser keeps bytes that are no text as halves of characters."""
    return str(said).encode("utf-8", "replace").decode()


def _read(read: Callable[[], Result], instead: Result) -> Result:
    """What a mail says, or something instead: anybody may write one, and the parser raises whatever befalls it."""
    try:
        return read()
    except Exception as error:
        log.info("A part of a mail cannot be read: %r", error)
        return instead


def received(folder: Path) -> list[Mail]:
    """Every mail in the folder, newest first; none when there is no folder."""
    return [mail for path in sorted(folder.glob("*.eml"), reverse=True) if (mail := find(folder, path.stem))]


def find(folder: Path, mail_id: str) -> Mail | None:
    """The mail with that id, or None."""
    path = folder / f"{mail_id}.eml"
    if not MAIL_ID.fullmatch(mail_id) or not path.is_file():
        return None
    with path.open("rb") as file:
        return Mail(mail_id, BytesParser(EmailMessage, policy=email.policy.default).parse(file))


def keep(folder: Path, content: bytes, at: datetime) -> None:
    """Put a mail into the folder, as of that moment (UTC): whole or not at all, for whoever reads there."""
    name = f"{at:%Y%m%dT%H%M%S.%f}-{secrets.token_hex(3)}"
    draft = folder / f".{name}"
    draft.write_bytes(content)
    draft.rename(folder / f"{name}.eml")


class _Keeper:
    """What aiosmtpd calls for each mail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        at = datetime.now(UTC)
        await asyncio.sleep(TAKES)
        keep(self.folder, envelope.original_content, at)
        return "250 Kept"


def main() -> None:
    """Run the SMTP server. Exits with one line on standard error when its port is taken."""
    from aiosmtpd.controller import Controller

    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)  # before any thread, so that only sigwait below takes them
    try:
        settings = Settings.from_env()
        settings.mail_dir.mkdir(exist_ok=True)
        keeper = _Keeper(settings.mail_dir)
        controller = Controller(keeper, "127.0.0.1", settings.mail_port, data_size_limit=SIZE_LIMIT)
        controller.start()
    except SettingsError as error:
        sys.exit(error.report)
    except OSError as error:
        sys.exit(f"errand: the mailbox can't start: {error}")
    print(f"Saving mail sent to 127.0.0.1:{settings.mail_port} in {settings.mail_dir}", flush=True)
    signal.sigwait(stops)
    controller.stop()


if __name__ == "__main__":
    main()
