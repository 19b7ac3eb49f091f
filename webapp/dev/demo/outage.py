"""What has gone wrong: an hour in which the mail server took no attachments, and two smaller things.

All of it has really failed, so what is tried again now succeeds, if only the cause has gone.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from peewee import fn

from tasks.count_words import count_words
from tasks.engine import Signature, Upload
from tasks.export_posts import export_posts
from tasks.resize_images import resize_images
from webapp.dev.demo.instant_run import run_next
from webapp.dev.demo.simulation import Simulation
from webapp.dev.demo.timeline import Event
from webapp.models import FailureGroup, Task, User

OUTAGE = timedelta(minutes=64)  # up to now
LYRICS = Upload("lyrics.txt", "Grüße aus dem Süden, schöne Töne".encode("latin-1"))
HALF = Upload("choir-photo.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01")  # it was cut off on its way


def failures(ann: User, town: list[User], simulation: Simulation) -> Iterator[Event]:
    """Everybody's exports of the last hour, ever more of them; pictures that are none, and texts in an old encoding."""
    exporting, now = [ann, *town[:33]], simulation.now
    for number, person in enumerate(exporting):
        left = 1 - number / len(exporting)
        at = now - timedelta(minutes=2.2) - left**2.2 * (OUTAGE - timedelta(minutes=4))
        export = export_posts.s(format="csv" if number % 3 == 2 else "json")
        yield simulation.event(at, _failed(export, person, simulation))
    for number, person in enumerate(town[5:14]):
        at = now - timedelta(hours=3.3 + 4.7 * number)
        yield simulation.event(at, _failed(resize_images.s(files=[HALF]), person, simulation))
    for number, person in enumerate(town[20:25]):
        at = now - timedelta(hours=1.4 + 9.1 * number)
        yield simulation.event(at, _failed(count_words.s(file=LYRICS), person, simulation))


def date_causes() -> None:
    """Let each cause have been seen when the tasks say that failed by it. One query for each."""
    for group in FailureGroup.select():
        ended = Task.select(fn.MIN(Task.updated_at), fn.MAX(Task.updated_at))
        first, last = ended.where(Task.fingerprint == group.fingerprint).tuples().first()
        moments = {"first_at": first, "last_at": last}
        FailureGroup.update(**moments).where(FailureGroup.fingerprint == group.fingerprint).execute()


def _failed(what: Signature, user: User, simulation: Simulation) -> Callable[[datetime], None]:
    """It fails for good while the mail server takes no files; the others would at any time."""

    def tell(at: datetime) -> None:
        simulation.smtp.takes_no_files = True
        task = what.launch(user)
        run_next()
        simulation.smtp.takes_no_files = False
        simulation.backdate(task, at, 0.9)

    return tell
