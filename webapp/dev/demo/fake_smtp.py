"""The postman: an SMTP server on loopback for the time that the world is made. No mail goes any further than here."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Self

from webapp.dev.mailbox import keep

DATE = re.compile(rb"^Date: [^\r\n]*", re.MULTILINE)


class Postman:
    """Takes mail and keeps it in memory. It refuses the addresses in `refused`, and puts off those in `put_off`, or
    everything while it `is_ill`.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.refused: set[str] = set()
        self.put_off: set[str] = set()
        self.is_ill = False
        self._new: list[bytes] = []
        self._dated: list[tuple[datetime, bytes]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """What aiosmtpd asks for each recipient."""
        if address in self.refused:
            return "550 Nobody of that name here"
        if address in self.put_off:
            return "451 Come back later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """What aiosmtpd calls for each mail."""
        if self.is_ill:
            return "451 Not now"
        self._new.append(envelope.original_content)
        return "250 Kept"

    @contextmanager
    def at_work(self) -> Iterator[Self]:
        """Listen while the block lasts."""
        from aiosmtpd.controller import Controller

        controller = Controller(self, "127.0.0.1", self.port)
        controller.start()
        try:
            yield self
        finally:
            controller.stop()

    def date_new_mails(self, moment: datetime) -> None:
        """What has come since the last time was sent at that moment (naive UTC)."""
        date = b"Date: " + format_datetime(moment.replace(tzinfo=UTC)).encode()
        self._dated += [(moment, DATE.sub(date, mail, count=1)) for mail in self._new]
        self._new.clear()

    def deliver(self, folder: Path) -> None:
        """Put all of it into the development mailbox in that folder, each mail as of when it was sent."""
        folder.mkdir(exist_ok=True)
        for number, (moment, mail) in enumerate(self._dated):
            keep(folder, mail, moment + timedelta(microseconds=number))  # in their order
