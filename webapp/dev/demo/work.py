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
from webapp.dev.demo.instant_run import (
    Interruption,
    cancel_run,
    lose_worker,
    pause_and_lose_worker,
    pause_run,
    run_next,
)
from webapp.dev.demo.people import MAIN, People
from webapp.dev.demo.simulation import Simulation
from webapp.dev.demo.timeline import Event, days_ago, whole_minute
from webapp.models import User


def _export(format: str) -> Signature:
    return export_posts.s(format=format)


def _resize(*names: str) -> Signature:
    return resize_images.s(files=pictures(*names))


def _count(name: str, called: str = "") -> Signature:
    return count_words.s(file=upload(name, called))


def _yearbook() -> Signature:
    pictures_and_words = [_resize("gate", "lights", "moon"), count_words.s(file=recording())]
    return chord(pictures_and_words, _export("csv"), title="Yearbook: pictures and words, then all my posts")


def _countdown(seconds: int) -> Signature:
    return countdown.s(seconds=seconds)


# Tasks that ran to their end: whose, how many days ago they began, how many seconds they took, and what they were.
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
# The same for workflows of the main person, with the seconds that each child took.
WORKFLOWS: tuple[tuple[float, tuple[float, ...], Callable[[], Signature]], ...] = (
    (18.3, (1.4, 3.9), lambda: group(_export("csv"), _resize("us"), title="My posts and a portrait")),
    (5.2, (9.3, 0.4), _yearbook),
    (0.21, (20.1, 1.3), lambda: chain(_countdown(20), _export("json"), title="Wait a little, then export")),
)
# Countdowns that were interrupted at a step, and how many days ago.
INTERRUPTED: tuple[tuple[int, int, Interruption, float], ...] = (
    (600, 41, cancel_run, 15.3),
    (180, 24, cancel_run, 0.028),
    (180, 76, pause_run, 0.014),
    (240, 61, pause_and_lose_worker, 0),
    (300, 110, lose_worker, 0),
)
SOON = timedelta(minutes=4)


def past_work(people: People, simulation: Simulation) -> Iterator[Event]:
    """The tasks that have ended, and those that were interrupted."""
    ann = people[MAIN]

    def import_diary() -> Signature:
        return import_posts.s(file=diary(simulation.now))

    for name, days, seconds, what in HISTORY:
        yield simulation.event(days_ago(simulation.now, days), _run_to_end(people[name], simulation, what, seconds))
    for days, took, workflow in WORKFLOWS:
        yield simulation.event(days_ago(simulation.now, days), _run_to_end(ann, simulation, workflow, *took))
    for seconds, step, interruption, days in INTERRUPTED:
        at = days_ago(simulation.now, days) - timedelta(seconds=0 if days else step + 0.6)
        yield simulation.event(at, _interrupted(ann, simulation, seconds, step, interruption))
    yield simulation.event(days_ago(simulation.now, 13.1), _undone_import(ann, simulation))
    yield simulation.event(days_ago(simulation.now, 2.9), _run_to_end(ann, simulation, import_diary, 2.1))


def begin_work(ann: User, simulation: Simulation) -> None:
    """Leave some tasks running, some queued and some scheduled."""
    steps = _resize("first-bow", "last-bow"), _countdown(45), import_posts.s(file=upload("programme.csv"))
    evening = chain(*steps, title="Pictures, a cup of tea, then the programme as posts").launch(ann)
    run_next()
    run_next(17, lose_worker)
    simulation.backdate(evening, simulation.now - timedelta(seconds=6.2 + 17.6), 6.2, 17.0)
    _countdown(30).launch(ann, run_at=whole_minute(simulation.now + SOON))
    sundays = group(_resize("hall"), _countdown(15), title="A picture of the hall, and some patience")
    sundays.launch(ann, run_at=whole_minute(simulation.now + timedelta(days=1, hours=3)))
    _resize(*(f"cake-{number}" for number in range(1, 7))).launch(ann)


Story = Callable[[datetime], None]


def _run_to_end(user: User, simulation: Simulation, what: Callable[[], Signature], *took: float) -> Story:
    def tell(at: datetime) -> None:
        task = what().launch(user)
        while run_next():
            pass
        simulation.backdate(task, at, *took)

    return tell


def _interrupted(user: User, simulation: Simulation, seconds: int, step: int, interruption: Interruption) -> Story:
    def tell(at: datetime) -> None:
        task = _countdown(seconds).launch(user)
        run_next(step, interruption)
        simulation.backdate(task, at, step + 0.2)

    return tell


def _undone_import(ann: User, simulation: Simulation) -> Story:
    """An import that was undone two hours later."""

    def tell(at: datetime) -> None:
        task = import_posts.launch(ann, file=diary(simulation.now))
        run_next()
        assert import_posts.undo
        undoing = import_posts.undo.launch(task, ann)
        run_next()
        simulation.backdate(task, at, 1.9)
        simulation.backdate(undoing, at + timedelta(hours=2), 0.7)

    return tell
