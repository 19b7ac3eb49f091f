"""The development mailbox: a real SMTP server on loopback that keeps every mail as a file, to be read at /mailbox.

`python -m webapp.mailbox` runs it until TERM or INT. It relays nothing.
"""

import asyncio
import base64
import email.policy
import re
import secrets
import signal
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

from webapp.settings import Settings, SettingsError

MAIL_ID = re.compile(r"\w[\w.-]{0,99}")  # a file's name, not hidden and no path
SIZE_LIMIT = 64 * 1024 * 1024
TAKES = 0.1  # seconds for a mail, as real servers do: so that one to many can be seen under way, and interrupted


@dataclass(frozen=True)
class Mail:
    """A mail as it was received. `id` is its file's name without .eml; ids sort by arrival."""

    id: str
    message: EmailMessage

    @property
    def attachments(self) -> list[EmailMessage]:
        """The attached files, in order."""
        return list(self.message.iter_attachments())

    def body(self, kind: str) -> str:
        """The text of its `plain` or `html` alternative; empty when it has none."""
        part = self.message.get_body((kind,))
        return part.get_content() if part else ""

    @property
    def html(self) -> str:
        """The HTML alternative with the pictures in it that it names by `cid:`, for a page that may load nothing."""
        html = self.body("html")
        for part in self.message.walk():
            name = (part["Content-ID"] or "").strip("<> ")
            if name and part.get_content_maintype() == "image":
                picture: Any = part.get_payload(decode=True)
                data = base64.b64encode(picture).decode()
                html = html.replace(f'"cid:{name}"', f'"data:{part.get_content_type()};base64,{data}"')
        return html


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
        sys.exit(f"errand: the mailbox cannot start: {error}")
    print(f"Keeping mail for 127.0.0.1:{settings.mail_port} in {settings.mail_dir}", flush=True)
    signal.sigwait(stops)
    controller.stop()


if __name__ == "__main__":
    main()
