"""Mails a second beside smtplib alone, and imported rows a second beside their INSERTs alone, on SQLite."""

import random
import smtplib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
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
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.mail.mailings import outgoing_mail
from webapp.models import Delivery, Mailing, Post, State, Task, User
from webapp.models.mailing.delivery import Sending
from webapp.settings import Settings

MAILS = 1000
URL = {"BASE_URL": "http://127.0.0.1"}  # for the links to unsubscribe
ROWS = 20_000
OF_CPU = "by its CPU time alone"  # which tells more where others have the machine, too
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
                ("", "mails/s", "of the limit", OF_CPU),
                _rows("smtplib alone, the same text by one connection", "`send_mail`", pairs),
            )
            rows = _some_rows()
            imports = [(_rows_alone(rows), _import(rows), *_import_beside_others(env, rows)) for _ in range(ROUNDS)]
    alone, quiet, busy, waits = zip(*imports, strict=True)
    show(
        f"An import of {ROWS:,} posts",
        ("", "rows/s", "of the limit", OF_CPU),
        [
            *_rows(f"the INSERTs alone, {BATCH} rows each", "`import_posts`", list(zip(alone, quiet, strict=True))),
            *_rows("", "… while two people post, 20 times a second each", list(zip(alone, busy, strict=True)))[1:],
        ],
    )
    cuts = [1000 * cut for cut in quantiles([wait for each in waits for wait in each], n=100)]
    print(f"\nOf their {sum(map(len, waits))} posts, half took {cuts[49]:.1f} ms at most, 99 % {cuts[98]:.0f} ms.")


def _sink(port: str) -> dict[str, str]:
    return {"MAIL_SERVER": "127.0.0.1", "MAIL_PORT": port, "MAIL_DEFAULT_SENDER": "errand@example.com"} | URL


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


@dataclass(frozen=True)
class Rate:
    """How many a second: by the clock, and by what this process had of the CPU."""

    wall: float
    cpu: float


@contextmanager
def _measuring(number: int, rates: list[Rate]) -> Iterator[None]:
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    rates.append(Rate(number / (time.perf_counter() - wall), number / (time.process_time() - cpu)))


def _rows(limit: str, ours: str, pairs: list[tuple[Rate, Rate]]) -> list[tuple[str, str, str, str]]:
    alone, own = ([pair[side] for pair in pairs] for side in (0, 1))
    share = median(b.wall / a.wall for a, b in pairs)
    return [(limit, *_figures(alone, "1")), (ours, *_figures(own, f"{share:.2f}"))]


def _figures(rates: list[Rate], share: str) -> tuple[str, str, str]:
    return f"{median(rate.wall for rate in rates):,.0f}", share, f"{median(rate.cpu for rate in rates):,.0f}"


def _draft() -> Mailing:
    draft = Mailing.begin_draft(make_user(email="ann@example.com"))
    draft.write(subject="News", body="Dear all,\n\nhere is what is new.\n\n" * 5)
    return draft


def _mails_alone(port: int) -> Rate:
    draft = _draft()
    draft.keep("text\n" * 20, "<p>text</p>\n" * 20)
    mail = outgoing_mail(draft, draft.user).addressed_to("somebody@example.com", "a-mail")
    rates = list[Rate]()
    with smtplib.SMTP("127.0.0.1", port, local_hostname="localhost") as smtp, _measuring(MAILS, rates):
        for number in range(MAILS):
            smtp.sendmail(mail.sender, [f"p{number}@example.com"], mail.data)
    return rates[0]


def _mails() -> Rate:
    draft = _draft()
    rate = _run(submit(draft, [f"p{number}@example.com" for number in range(MAILS)], limit=MAILS), MAILS)
    assert Delivery.counts(draft)[Sending.SENT] == MAILS
    return rate


def _run(task: Task, number: int) -> Rate:
    rates = list[Rate]()
    with _measuring(number, rates):
        while not task.reload().is_finished:
            execute_next()
    assert task.state == State.SUCCEEDED, task.error
    return rates[0]


def _some_rows() -> list[tuple[str, datetime]]:
    dice, now = random.Random(1), utcnow().replace(microsecond=0)
    return [(" ".join(dice.choices(WORDS, k=8)), now - timedelta(minutes=number)) for number in range(ROWS, 0, -1)]


def _rows_alone(rows: list[tuple[str, datetime]]) -> Rate:
    """The very same INSERTs, made beforehand."""
    user, rates = User.register_guest(), list[Rate]()
    values = [(user.id, body, str(Post.insert(body=body).sql()[1][-1]), str(at)) for body, at in rows]
    insert = f"INSERT INTO posts (user_id, body, terms, created_at) VALUES {', '.join(['(?, ?, ?, ?)'] * BATCH)}"
    batches = [list(chain.from_iterable(values[begin : begin + BATCH])) for begin in range(0, ROWS, BATCH)]
    with _measuring(ROWS, rates):
        for batch in batches:
            with database.atomic():
                database.execute_sql(insert, batch)
    return rates[0]


def _import(rows: list[tuple[str, datetime]]) -> Rate:
    text = "body,timestamp\n" + "".join(f"{body},{at.isoformat()}Z\n" for body, at in rows)
    return _run(import_posts.launch(User.register_guest(), file=Upload("posts.csv", text.encode())), ROWS)


def _import_beside_others(env: dict[str, str], rows: list[tuple[str, datetime]]) -> tuple[Rate, list[float]]:
    with posters(env) as waits:
        rate = _import(rows)
    return rate, waits
