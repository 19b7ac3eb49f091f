"""An SMTP server on loopback for as long as the demo world is made. No mail leaves it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Self

from webapp.dev.mailbox.store import save_mail

DATE = re.compile(rb"^Date: [^\r\n]*", re.MULTILINE)
ATTACHED = b"Content-Disposition: attachment"


class FakeSmtp:
    """Keeps mail in memory. Refuses the addresses in `refused`, defers those in `deferred`, and whatever has a file
    while it `takes_no_files`.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.refused: set[str] = set()
        self.deferred: set[str] = set()
        self.takes_no_files = False
        self._new: list[bytes] = []
        self._dated: list[tuple[datetime, bytes]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """What aiosmtpd asks for each recipient."""
        if address in self.refused:
            return "550 Nobody of that name here"
        if address in self.deferred:
            return "451 Come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """What aiosmtpd calls for each mail."""
        if self.takes_no_files and ATTACHED in envelope.original_content:
            return "552 5.3.4 Mails with files are too big"
        self._new.append(envelope.original_content)
        return "250 OK"

    @contextmanager
    def serving(self) -> Iterator[Self]:
        """Listen while the block lasts."""
        from aiosmtpd.controller import Controller

        controller = Controller(self, "127.0.0.1", self.port)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()

    def backdate_new_mails(self, moment: datetime) -> None:
        """Date the mails that came since the last call: they were sent at that moment (naive UTC)."""
        date = b"Date: " + format_datetime(moment.replace(tzinfo=UTC)).encode()
        self._dated += [(moment, DATE.sub(date, mail, count=1)) for mail in self._new]
        self._new.clear()

    def deliver(self, folder: Path) -> None:
        """Save all mail in the folder of the development mailbox, each as received when it was sent."""
        folder.mkdir(exist_ok=True)
        for number, (moment, mail) in enumerate(self._dated):
            save_mail(folder, mail, moment + timedelta(microseconds=number))  # in their order
