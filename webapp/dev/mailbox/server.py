"""The SMTP server of the development mailbox, on loopback. It saves every mail as a file, and relays nothing."""

import asyncio
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from webapp.dev.mailbox.store import save_mail
from webapp.settings import Settings, SettingsError

SIZE_LIMIT = 64 * 1024 * 1024  # bytes
SECONDS_PER_MAIL = 0.1  # as real servers take: so that a mail to many can be watched, and interrupted


class _Handler:
    """What aiosmtpd calls for each mail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        at = datetime.now(UTC)
        await asyncio.sleep(SECONDS_PER_MAIL)
        save_mail(self.folder, envelope.original_content, at)
        return "250 OK"


def main() -> None:
    """Run the server until TERM or INT. Exits with one line on standard error if its port is taken."""
    from aiosmtpd.controller import Controller

    stops = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stops)  # before any thread, so that only sigwait below takes them
    try:
        settings = Settings.from_env()
        settings.mail_dir.mkdir(exist_ok=True)
        controller = Controller(
            _Handler(settings.mail_dir), "127.0.0.1", settings.mail_port, data_size_limit=SIZE_LIMIT
        )
        controller.start()
    except SettingsError as error:
        sys.exit(error.report)
    except OSError as error:
        sys.exit(f"errand: the mailbox can't start: {error}")
    print(f"Saving mail sent to 127.0.0.1:{settings.mail_port} in {settings.mail_dir}", flush=True)
    signal.sigwait(stops)
    controller.stop()
