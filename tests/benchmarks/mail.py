"""Mails a second beside smtplib alone, and imported rows a second beside their INSERTs alone, on SQLite."""

import random
import smtplib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, timedelta
from statistics import median, quantiles

from tasks.engine import Upload, configure
from tasks.engine.executor import execute_next
from tasks.import_posts import BATCH, import_posts
from tasks.send_mail import submit
from tests.benchmarks.posters import posters
from tests.benchmarks.sites import process, storage
from tests.benchmarks.table import ROUNDS, show
from tests.processes import free_port, is_answering, until
from webapp.app import create_app
from webapp.db import database
from webapp.lib.times import utcnow
from webapp.mail.mailings import outgoing_mail
from webapp.models import Delivery, Mailing, Post, State, Task, User
from webapp.models.mailing.delivery import Sending
from webapp.settings import Settings

MAILS = 1000
ROWS = 20_000
WORDS = [f"word{number}" for number in range(5000)]


def main() -> None:
    """One table for each. The worker's part is played by this process, so that both halves of a row are alike."""
    port = str(free_port())
    with process([sys.executable, "-m", "tests.benchmarks.sink", port], {}), storage(**_sink(port)) as env:
        until(lambda: is_answering(int(port)))
        with _working(env):
            pairs = [(_mails_alone(int(port)), _mails()) for _ in range(ROUNDS)]
            show(
                f"Mails to {MAILS:,} people, to a server that takes each at once",
                ("", "mails/s", "of the limit"),
                _rows("smtplib alone, the same text by one connection", "`send_mail`", pairs),
            )
            rows = _some_rows()
            imports = [(_rows_alone(rows), _import(rows), *_import_beside_others(env, rows)) for _ in range(ROUNDS)]
    alone, quiet, busy, waits = zip(*imports, strict=True)
    show(
        f"An import of {ROWS:,} posts",
        ("", "rows/s", "of the limit"),
        [
            *_rows(f"the INSERTs alone, {BATCH} rows each", "`import_posts`", list(zip(alone, quiet, strict=True))),
            *_rows("", "… while two people post, 20 times a second each", list(zip(alone, busy, strict=True)))[1:],
        ],
    )
    cuts = [1000 * cut for cut in quantiles([wait for each in waits for wait in each], n=100)]
    print(f"\nOf their {sum(map(len, waits))} posts, half took {cuts[49]:.1f} ms at most, 99 % {cuts[98]:.0f} ms.")


def _sink(port: str) -> dict[str, str]:
    return {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": port, "MAIL_DEFAULT_SENDER": "errand@example.com"}


@contextmanager
def _working(env: dict[str, str]) -> Iterator[None]:
    """This process does what a worker's does."""
    app = create_app(Settings.from_env(env), patient=True)
    configure(run_context=app.app_context)
    try:
        with app.app_context():
            yield
    finally:
        configure(run_context=nullcontext)


def _rows(limit: str, ours: str, pairs: list[tuple[float, float]]) -> list[tuple[str, str, str]]:
    alone, own = (median(pair[side] for pair in pairs) for side in (0, 1))
    share = median(b / a for a, b in pairs)
    return [(limit, f"{alone:,.0f}", "1"), (ours, f"{own:,.0f}", f"{share:.2f}")]


def _draft() -> Mailing:
    draft = Mailing.begin_draft(User.register_guest())
    draft.write(subject="News", body="Dear all,\n\nhere is what is new.\n\n" * 5)
    return draft


def _mails_alone(port: int) -> float:
    draft = _draft()
    draft.keep("text\n" * 20, "<p>text</p>\n" * 20)
    mail = outgoing_mail(draft, draft.user).addressed_to("somebody@example.com", "a-mail")
    with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as smtp:
        begun = time.perf_counter()
        for number in range(MAILS):
            smtp.sendmail(mail.sender, [f"p{number}@example.com"], mail.data)
        return MAILS / (time.perf_counter() - begun)


def _mails() -> float:
    draft = _draft()
    task = submit(draft, [f"p{number}@example.com" for number in range(MAILS)], limit=MAILS)
    seconds = _run(task)
    assert Delivery.counts(draft)[Sending.SENT] == MAILS
    return MAILS / seconds


def _run(task: Task) -> float:
    begun = time.perf_counter()
    while not task.reload().is_finished:
        execute_next()
    assert task.state == State.SUCCEEDED, task.error
    return time.perf_counter() - begun


def _some_rows() -> list[tuple[str, datetime]]:
    dice, now = random.Random(1), utcnow().replace(microsecond=0)
    return [(" ".join(dice.choices(WORDS, k=8)), now - timedelta(minutes=number)) for number in range(ROWS, 0, -1)]


def _rows_alone(rows: list[tuple[str, datetime]]) -> float:
    user = User.register_guest()
    values = [(user.id, body, str(Post.insert(body=body).sql()[1][-1]), str(at)) for body, at in rows]
    insert = "INSERT INTO posts (user_id, body, terms, created_at) VALUES (?, ?, ?, ?)"
    begun = time.perf_counter()
    for begin in range(0, ROWS, BATCH):
        with database.atomic():
            database.cursor().executemany(insert, values[begin : begin + BATCH])
    return ROWS / (time.perf_counter() - begun)


def _import(rows: list[tuple[str, datetime]]) -> float:
    text = "body,timestamp\n" + "".join(f"{body},{at.isoformat()}Z\n" for body, at in rows)
    return ROWS / _run(import_posts.launch(User.register_guest(), file=Upload("posts.csv", text.encode())))


def _import_beside_others(env: dict[str, str], rows: list[tuple[str, datetime]]) -> tuple[float, list[float]]:
    with posters(env) as waits:
        rate = _import(rows)
    return rate, waits
