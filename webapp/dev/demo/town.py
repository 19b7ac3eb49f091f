"""The others in town: a choir of people of whom one knows little, but whose tasks are the everyday of the site."""

from datetime import datetime

from webapp.dev.demo.files import text
from webapp.dev.demo.people import FIRST_POST
from webapp.dev.demo.timeline import days_ago
from webapp.dev.factories import make_post, make_user
from webapp.models import User

LINES = tuple(line.partition(": ") for line in text("town.txt").splitlines())
TOWN = tuple(name for name, _, _ in LINES)  # the names of all of them
CAME = FIRST_POST + 12  # days ago, the last of them


def create_town(now: datetime) -> list[User]:
    """All of them, each with the one post by which they said hello."""
    people = []
    for number, (name, _, hello) in enumerate(LINES):
        since = days_ago(now, CAME + 1.3 * number)
        person = make_user(name, email=f"{name}@example.com", created_at=since, seen_at=days_ago(now, number * 0.21))
        make_post(person, hello, created_at=since)
        people.append(person)
    return people
