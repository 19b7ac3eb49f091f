"""The everyday of the site: small tasks of everybody in town, over a month.

They alone have not run: they are rows, as a month of them would take a minute to run. All that is told of them in
numbers is made of these rows, by the rollup that makes it of any others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heappop, heappush
from random import Random
from typing import Any
from uuid import UUID

from tasks.catalogue import CATALOGUE
from tasks.engine import Upload
from tasks.engine.models.phrases import PICKED_UP, STARTED_BY_OWNER, SUCCEEDED
from tasks.engine.models.words import kept
from webapp.db import insert_rows
from webapp.dev.demo.timeline import whole_minute
from webapp.dev.demo.worker import PROCESSES, TOKEN
from webapp.lib.kept_words import kept as kept_words
from webapp.models import State, Task, TaskEvent, User

AT_ONCE = 300  # rows in a statement
# How busy people are in each hour of a day (UTC), and on each day of a week: on Thursdays they sing.
HOURS = (1, 1, 1, 1, 1, 2, 3, 5, 6, 6, 5, 5, 6, 6, 5, 5, 6, 7, 9, 9, 8, 6, 4, 2)
DAYS = (0.9, 1.0, 0.9, 1.5, 1.0, 0.7, 0.8)
# From so many days ago on, tasks end in one minute of so many, as numbers of long ago are shown for hours at a time;
# how many that are for each of these minutes, times the two above. Today there is a concert.
GRAIN = ((29.9, 360, 0.02), (7.0, 120, 0.03), (1.05, 15, 0.06), (0.045, 2, 0.25))
RUSH, RUSHED = timedelta(hours=5, minutes=10), 110  # ago, after a rehearsal; tasks that all come within LASTED
LASTED = timedelta(minutes=9)
RUSH_SEED = 7  # the longest of them waits three minutes
FILES = ("lyrics.txt", "minutes.txt", "speech.txt", "letter.txt")
EVENTS = (("launched", STARTED_BY_OWNER()), ("started", PICKED_UP()), ("succeeded", SUCCEEDED()))
FIELDS = (
    *(Task.id, Task.user, Task.name, Task.title, Task.title_phrase, Task.hidden, Task.arguments, Task.total, Task.done),
    *(Task.created_at, Task.ready_at, Task.started_at, Task.updated_at, Task.finished_at, Task.dismissed_at),
    Task.run_seconds,
)
SAME = {
    Task.state: State.SUCCEEDED,
    Task.attempts: 1,
    Task.worker: TOKEN,
    Task.moves: 2,
    Task.stage: "",
    Task.error: "",
}
HIDDEN = [field.name for field in FIELDS].index("hidden")
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Work:
    """What somebody started: the arguments as it takes them and as they are kept, and how long it ran, in seconds."""

    name: str
    arguments: dict[str, Any]
    kept: dict[str, Any]
    seconds: float


def _countdown(random: Random) -> Work:
    seconds = random.choice((10, 15, 20, 30, 45, 60, 90, 180))
    return Work("countdown", {"seconds": seconds}, {"seconds": seconds}, seconds + 0.2)


def _export(random: Random) -> Work:
    arguments = {"format": random.choice(("json", "csv"))}
    return Work("export_posts", arguments, arguments, random.lognormvariate(0.1, 0.5))


def _words(random: Random) -> Work:
    name, size = random.choice(FILES), random.randrange(400, 40_000)
    kept = {"id": str(_uuid(random)), "name": name, "size": size}
    return Work("count_words", {"file": Upload(name, bytes(size))}, {"file": kept}, random.lognormvariate(-0.7, 0.4))


def _images(random: Random) -> Work:
    uploads = [Upload(f"{number}.jpg", b"") for number in range(1, random.randrange(2, 7))]
    files = [{"id": str(_uuid(random)), "name": upload.name, "size": 90_000} for upload in uploads]
    seconds = sum(random.lognormvariate(0.5, 0.3) for _ in files)
    return Work("resize_images", {"files": uploads}, {"files": files}, seconds)


def _internal(name: str) -> Callable[[Random], Work]:
    return lambda random: Work(name, {}, {}, random.lognormvariate(-1.2, 0.6))


KINDS: tuple[tuple[Callable[[Random], Work], int], ...] = (
    (_export, 7),
    (_countdown, 5),
    (_words, 5),
    (_images, 6),
    (_internal("mail_task_outcome"), 6),
    (_internal("mail_messages"), 3),
    (_internal("mail_account"), 1),
    (_internal("prepare_picture"), 1),
)


def make_crowd(people: list[User], now: datetime, outage: timedelta) -> None:
    """All these tasks. In the `outage`, which ends now, nobody exports: what they tried then is told elsewhere."""
    random = Random(23)  # noqa: S311 - no secret
    makers, weights = zip(*KINDS, strict=True)
    tasks: list[Row] = []
    for minute, number in _everyday(random, now):
        for _ in range(number):
            work = random.choices(makers, weights)[0](random)
            if work.name == "export_posts" and minute > now - outage - timedelta(minutes=2):
                work = _countdown(random)
            ended = minute + timedelta(seconds=random.uniform(0, 59))
            tasks.append(_row(work, random.choice(people), ended, random.expovariate(2), random))
    random = Random(RUSH_SEED)  # noqa: S311 - what came before is more or less by the hour of the day
    works = [random.choices(makers, weights)[0](random) for _ in range(RUSHED)]
    for work, ended, queued in _rush(works, random, now - RUSH):
        tasks.append(_row(work, random.choice(people), ended, queued, random))
    _insert(SAME, FIELDS, tasks)
    events = [event for row in tasks if not row[HIDDEN] for event in _events(row)]
    _insert({}, (TaskEvent.task, TaskEvent.kind, TaskEvent.text, TaskEvent.phrase, TaskEvent.at), events)


def _everyday(random: Random, now: datetime) -> Iterator[tuple[datetime, int]]:
    """Minutes, oldest first, and how many tasks end in each."""
    ends = [days for days, _, _ in GRAIN[1:]] + [0.0]
    for (begin, minutes, share), end in zip(GRAIN, ends, strict=True):
        minute = whole_minute(now - timedelta(days=begin))
        while minute < whole_minute(now - timedelta(days=end)) - timedelta(minutes=1):
            busy = HOURS[minute.hour] * DAYS[minute.weekday()] * share * minutes
            yield minute, int(busy * random.uniform(0.5, 1.5) + random.random())
            minute += timedelta(minutes=minutes)


def _rush(works: list[Work], random: Random, begin: datetime) -> Iterator[tuple[Work, datetime, float]]:
    """These at once, each with its end and how long it waited until a process was free."""
    free = [begin] * PROCESSES
    for work, came in zip(works, sorted(random.triangular() for _ in works), strict=True):
        created = begin + came * LASTED
        started = max(created, heappop(free))
        ended = started + timedelta(seconds=work.seconds)
        heappush(free, ended)
        yield work, ended, (started - created).total_seconds()


def _row(work: Work, user: User, ended: datetime, queued: float, random: Random) -> Row:
    function = CATALOGUE[work.name]
    title, total = kept(title=function.title(work.arguments)), function.total(work.arguments)
    started = ended - timedelta(seconds=work.seconds)
    created = started - timedelta(seconds=queued)
    named = user.id, work.name, title["title"], title["title_phrase"], function.internal, work.kept, total, total or 0
    moments = created, created, started, ended, ended, ended + timedelta(seconds=30)
    return _uuid(random), *named, *moments, work.seconds


def _events(row: Row) -> Iterator[Row]:
    """The timeline of such a row."""
    created, started, ended = row[9], row[11], row[12]
    for (kind, words), at in zip(EVENTS, (created, started, ended), strict=True):
        yield row[0], kind, *kept_words(words), at


def _insert(same: dict[Any, Any], fields: Row, rows: list[Row]) -> None:
    for begin in range(0, len(rows), AT_ONCE):
        insert_rows(same, fields, rows[begin : begin + AT_ONCE])


def _uuid(random: Random) -> UUID:
    return UUID(int=random.getrandbits(128), version=4)
