"""The app of docs/embedding.md, which has a model of people of its own, with a web process and a worker of its own."""

import os
import re
import signal
import sqlite3
import sys
from contextlib import closing
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import pytest

from tests.processes import BIN, ROOT, Process, free_port, is_answering, until

GUESTS = 80


class Club:
    """The files of the document in a folder, and their processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        text = (ROOT / "docs" / "embedding.md").read_text()
        for name, block in re.findall(
            r"^```\w+\n(?:#|{#) (\w+\.\w+)[^\n]*\n(.*?)^```$", text, re.MULTILINE | re.DOTALL
        ):
            (folder / name).write_text(block)
        self.port = free_port()
        self.env = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "DATA_DIR": str(folder),
            "STATIC_DIR": str(ROOT / "webapp" / "static"),
            "SECRET_KEY": "secret of a test",
        }
        self.web = self._start("web", [str(BIN / "gunicorn"), "--bind", f"127.0.0.1:{self.port}", "club:app"])
        until(lambda: is_answering(self.port))
        self.worker = self.start_worker()
        self._browser = build_opener(HTTPCookieProcessor(CookieJar()))

    def start_worker(self) -> Process:
        """Start a worker of the app."""
        self.worker = self._start("worker", [sys.executable, "club.py"])
        return self.worker

    def close(self) -> None:
        """Stop what runs."""
        self.web.stop()
        self.worker.stop()

    def post(self, path: str, **fields: object) -> str:
        """Submit a form; returns where that leads."""
        return self._browser.open(f"http://127.0.0.1:{self.port}{path}", urlencode(fields).encode()).url

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """What its database has."""
        with closing(sqlite3.connect(self.folder / "club.db")) as connection:
            return connection.execute(query).fetchall()

    def page(self, url: str) -> str:
        """A page of the member's."""
        return self._browser.open(url).read().decode()

    def _start(self, name: str, command: list[str]) -> Process:
        return Process(name, command, self.env, self.folder, cwd=self.folder)


@pytest.fixture
def club(tmp_path):
    club = Club(tmp_path)
    yield club
    club.close()


def _done(page: str) -> int:
    return int(re.search(r'<progress value="(\d+)"', page)[1])


def test_the_club_goes_on_after_its_worker_was_killed(club):
    club.post("/members", name="ann")
    page = club.post("/invitations", guests=GUESTS)
    until(lambda: _done(club.page(page)) > 10)
    club.worker.stop(signal.SIGKILL)
    before = _done(club.page(page))
    assert 'hx-trigger="every 5s"' in club.page(page)
    club.start_worker()
    until(lambda: "succeeded" in club.page(page))
    assert _done(club.page(page)) == GUESTS > before
    assert "hx-trigger" not in club.page(page)
    assert [number for (number,) in club.rows("SELECT number FROM invitations ORDER BY id")] == list(range(GUESTS))
    assert "Traceback" not in club.worker.output() + club.web.output()
