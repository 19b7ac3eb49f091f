"""What the people of this world have started: a month of tasks that are over, and some in every other state."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from tasks.count_words import count_words
from tasks.countdown import countdown
from tasks.engine import Signature, chain, chord, group
from tasks.export_posts import export_posts
from tasks.import_posts import import_posts
from tasks.resize_images import resize_images
from webapp.dev.demo.files import diary, pictures, recipes, recording, upload
from webapp.dev.demo.people import MAIN, People
from webapp.dev.demo.simulation import Event, Life, canceled, left_alone, paused, pausing, run_next, try_again_at_once
from webapp.dev.demo.timeline import Happening, moment, whole_minute
from webapp.models import State, User


def _export(format: str) -> Signature:
    return export_posts.s(format=format)


def _resize(*names: str) -> Signature:
    return resize_images.s(files=pictures(*names))


def _count(name: str, called: str = "") -> Signature:
    return count_words.s(file=upload(name, called))


def _countdown(seconds: int) -> Signature:
    return countdown.s(seconds=seconds)


# What ran to its end by itself: whose it was, how many days ago it began, how many seconds it took, and what it was.
HISTORY: tuple[tuple[str, float, float, Callable[[], Signature]], ...] = (
    ("ann", 27.2, 60.1, lambda: _countdown(60)),
    ("ben", 26.4, 5.4, lambda: _resize("keys", "hammers")),
    ("ann", 25.3, 1.4, lambda: _export("json")),
    ("ann", 24.1, 0.8, lambda: _count("song.txt")),
    ("ann", 22.6, 11.2, lambda: _resize("picnic-1", "picnic-2", "picnic-3")),
    ("dmitri", 21.1, 0.6, lambda: _count("anketa.txt", "анкета басов.txt")),
    ("ann", 19.4, 1.1, lambda: _export("csv")),
    ("ann", 16.2, 0.7, lambda: _count("minutes.txt")),
    ("ann", 14.2, 0.4, lambda: import_posts.s(file=recipes())),
    ("jiwoo", 12.3, 6.8, lambda: _resize("소풍 1", "소풍 2")),
    ("ann", 11.5, 0.5, lambda: count_words.s(file=recording())),
    ("ann", 10.3, 4.1, lambda: _resize("poster")),
    ("ann", 9.2, 1.3, lambda: _export("json")),
    ("ann", 7.4, 300.2, lambda: _countdown(300)),
    ("dmitri", 5.3, 1.0, lambda: _export("json")),
    ("ann", 4.2, 120.2, lambda: _countdown(120)),
    ("ann", 3.3, 1.2, lambda: _export("csv")),
    ("ben", 2.6, 1.2, lambda: _export("csv")),
    ("ann", 2.2, 12.9, lambda: _resize("stage", "choir", "cake")),
    ("jiwoo", 1.6, 240.3, lambda: _countdown(240)),
    ("ann", 1.1, 0.6, lambda: _count("minutes.txt", "minutes-final.txt")),
    ("ann", 0.83, 90.2, lambda: _countdown(90)),
    ("ann", 0.06, 1.5, lambda: _export("json")),
    ("ann", 0.02, 8.6, lambda: _resize("audience", "piano")),
)
# The same for tasks of parts, with the seconds that each part took.
FAMILIES: tuple[tuple[float, tuple[float, ...], Callable[[], Signature]], ...] = (
    (18.3, (1.4, 3.9), lambda: group(_export("csv"), _resize("us"), title="My posts and a portrait")),
    (5.2, (9.3, 0.4), lambda: chord(
        [_resize("gate", "lights", "moon"), count_words.s(file=recording())], _export("csv"),
        title="Yearbook: pictures and words, then all my posts",
    )),
    (0.21, (20.1, 1.3), lambda: chain(_countdown(20), _export("json"), title="Wait a little, then export")),
)  # fmt: skip
# Countdowns to which something happened at a step, and how long after that they have been like this.
STOPPED: tuple[tuple[int, int, Event, float], ...] = (
    (600, 41, canceled, 15.3),
    (180, 24, canceled, 0.028),
    (180, 76, paused, 0.014),
    (240, 61, pausing, 0),
    (300, 110, left_alone, 0),
)
SOON = timedelta(minutes=4)


def past_work(people: People, life: Life) -> Iterator[Happening]:
    """The tasks that are over, and those that were stopped on the way."""
    ann = people[MAIN]
    for name, days, seconds, what in HISTORY:
        yield life.happening(moment(life.now, days), _lived(people[name], life, what, seconds))
    for days, took, whole in FAMILIES:
        yield life.happening(moment(life.now, days), _lived(ann, life, whole, *took))
    for seconds, step, event, days in STOPPED:
        at = moment(life.now, days) - timedelta(seconds=0 if days else step + 0.6)
        yield life.happening(at, _stopped(ann, life, seconds, step, event))
    yield life.happening(moment(life.now, 13.1), _hasty_import(ann, life))
    yield life.happening(moment(life.now, 2.9), _lived(ann, life, lambda: import_posts.s(file=diary(life.now)), 2.1))
    yield life.happening(moment(life.now, 0.1), _unlucky_export(ann, life))


def begin_work(ann: User, life: Life) -> None:
    """What goes on before everybody's eyes, what begins as soon as a worker is free, and what has a time."""
    evening = chain(
        _resize("first-bow", "last-bow"), _countdown(45), import_posts.s(file=upload("programme.csv")),
        title="Pictures, a cup of tea, then the programme as posts",
    ).launch(ann)  # fmt: skip
    run_next()
    run_next(17, left_alone)
    life.put(evening, life.now - timedelta(seconds=6.2 + 17.6), 6.2, 17.0)
    _countdown(30).launch(ann, run_at=whole_minute(life.now + SOON))
    sundays = group(_resize("hall"), _countdown(15), title="A picture of the hall, and some patience")
    sundays.launch(ann, run_at=whole_minute(life.now + timedelta(days=1, hours=3)))
    _resize(*(f"cake-{number}" for number in range(1, 7))).launch(ann)


Told = Callable[[datetime], None]


def _lived(user: User, life: Life, what: Callable[[], Signature], *took: float) -> Told:
    def tell(at: datetime) -> None:
        task = what().launch(user)
        while run_next():
            pass
        life.put(task, at, *took)

    return tell


def _stopped(user: User, life: Life, seconds: int, step: int, event: Event) -> Told:
    def tell(at: datetime) -> None:
        task = _countdown(seconds).launch(user)
        run_next(step, event)
        life.put(task, at, step + 0.2)

    return tell


def _hasty_import(ann: User, life: Life) -> Told:
    """An import that was taken back two hours later."""

    def tell(at: datetime) -> None:
        """It happened at that time."""
        task = import_posts.launch(ann, file=diary(life.now))
        run_next()
        assert import_posts.undo
        undoing = import_posts.undo.launch(task, ann)
        run_next()
        life.put(task, at, 1.9)
        life.put(undoing, at + timedelta(hours=2), 0.7)

    return tell


def _unlucky_export(ann: User, life: Life) -> Told:
    """An export that could not be mailed, however often it was tried; by now it can be."""

    def tell(at: datetime) -> None:
        """It happened at that time."""
        life.postman.is_ill = True
        task = export_posts.launch(ann, format="json")
        run_next()
        while task.reload().state == State.RETRYING:
            try_again_at_once(task)
        life.postman.is_ill = False
        life.put(task, at, 74.0)

    return tell
