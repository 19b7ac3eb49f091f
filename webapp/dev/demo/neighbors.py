"""What people do about each other, and about what they have said."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from webapp.dev.account_factories import make_block, make_report
from webapp.dev.demo.people import MAIN, SPAM, SPAMMER, People
from webapp.dev.demo.timeline import Event
from webapp.dev.factories import make_post
from webapp.models import Post, User

SPAMMED = "CHEAP TICKETS for every concert!!! Write to me now, only today, only 3 left"
TYPO, RIGHT = "New songs, same pencil.", "New songs, new pencils: the old ones are used up."
NOTICED_AFTER = timedelta(minutes=20)
PUT_RIGHT = timedelta(seconds=20)  # ago


def quarrels(people: People, now: datetime) -> Iterator[Event]:
    """Somebody advertises, and is reported and blocked; and somebody has put a post right."""
    ann, spammer = people[MAIN], people[SPAMMER]
    at = now - SPAM
    yield Event(at, lambda: make_post(spammer, SPAMMED, created_at=at))
    yield Event(at + NOTICED_AFTER, lambda: _object(ann, spammer, at + NOTICED_AFTER))
    yield Event(now - PUT_RIGHT, lambda: _put_right(ann, now - PUT_RIGHT))


def _object(reader: User, spammer: User, at: datetime) -> None:
    """Somebody reports and blocks another, which was then."""
    report = make_report(reader, Post.get(Post.user == spammer), "Nobody here sells tickets: our concerts are free.")
    block = make_block(reader, spammer)
    for row in (report, block):
        type(row).update(created_at=at).where(type(row).id == row.id).execute()


def _put_right(author: User, at: datetime) -> None:
    """An edit that was made then."""
    post = Post.get(Post.user == author, Post.body.contains(TYPO))
    if post.edit(post.body.replace(TYPO, RIGHT)):
        Post.update(edited_at=at).where(Post.id == post.id).execute()
