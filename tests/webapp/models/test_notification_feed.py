"""The feed: whoever reads it on and on learns the latest state of each record, whatever happens meanwhile."""

import threading
from datetime import datetime, timedelta

import pytest

from tests.racing import elsewhere
from webapp.db import database, is_postgres
from webapp.dev.factories import make_message, make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import Notification, State, User
from webapp.models import notification_feed as feed
from webapp.models.notification_feed import MOST, NAMES, OVERLAP, Bookmark, FeedPage, read_feed
from webapp.models.notification_kinds import CONVERSATION, TASK_PROGRESS, UNREAD_MESSAGE_COUNT

START = Bookmark.at_the_beginning()


def _subjects(page: FeedPage) -> list[str]:
    return [record.scope for record in page.records]


def _put(user: User, scope: int, at: datetime | None = None) -> None:
    """A record of its own about some sender."""
    Notification.put(user.id, CONVERSATION, {}, sender_id=scope)
    if at:
        Notification.update(updated_at=at).where(Notification.scope == str(scope)).execute()


def _tasks(user: User, number: int, at: datetime) -> None:
    """So many records of tasks, as if changed at once."""
    rows = [
        {"user": user, "name": TASK_PROGRESS, "scope": f"{n}", "payload": {"done": n}, "updated_at": at}
        for n in range(number)
    ]
    for first in range(0, number, 500):
        Notification.insert_many(rows[first : first + 500]).execute()


def test_pages_skip_none_of_many_that_changed_at_the_same_time(each_database):
    user, at = make_user(), utcnow() - timedelta(days=1)
    _tasks(user, 2 * MOST + 50, at)
    make_task()
    seen, bookmark, sizes = [], START, []
    while True:
        page = read_feed(user.id, NAMES, bookmark)
        seen += _subjects(page)
        sizes.append(len(page.records))
        bookmark = page.following
        if not page.are_more:
            break
    assert seen == [f"{n}" for n in range(2 * MOST + 50)]
    assert sizes == [MOST, MOST, 50]
    assert read_feed(user.id, NAMES, bookmark) == FeedPage([], bookmark, False), "it stays where nothing has changed"


def test_a_whole_page_is_the_last_if_nothing_follows(app):
    user = make_user()
    _tasks(user, MOST, utcnow())
    assert not read_feed(user.id, NAMES, START).are_more


def test_what_changed_lately_comes_again_and_then_no_more(app, monkeypatch):
    user, now = make_user(), utcnow()
    _put(user, user.id, now - timedelta(seconds=5))
    pages = [read_feed(user.id, NAMES, START)]
    for later in (OVERLAP / 2, OVERLAP, 2 * OVERLAP):
        monkeypatch.setattr(feed, "utcnow", lambda later=later: now + later)
        pages.append(read_feed(user.id, NAMES, pages[-1].following))
    assert [len(page.records) for page in pages] == [1, 1, 1, 0]


def test_what_is_committed_later_than_what_changed_later_is_not_missed(make_app, emptied_postgres):
    make_app(database_url=emptied_postgres)
    user, early, late = make_user(), make_user(), make_user()
    written, may_commit = threading.Event(), threading.Event()

    def commit_late() -> None:
        with database.atomic():
            _put(user, early.id)
            written.set()
            assert may_commit.wait(20)

    thread = threading.Thread(target=elsewhere, args=(commit_late,))
    thread.start()
    assert written.wait(20)
    _put(user, late.id)
    page = read_feed(user.id, NAMES, START)
    assert _subjects(page) == [str(late.id)]
    may_commit.set()
    thread.join()
    assert str(early.id) in _subjects(read_feed(user.id, NAMES, page.following))


def test_a_clock_that_is_set_back_hides_nothing(app, monkeypatch):
    user, before, after = make_user(), make_user(), make_user()
    now = utcnow()
    _put(user, before.id, now)
    following = read_feed(user.id, NAMES, START).following
    back = now - timedelta(minutes=10)
    _put(user, after.id, back)
    monkeypatch.setattr(feed, "utcnow", lambda: back + timedelta(seconds=1))
    assert str(after.id) in _subjects(read_feed(user.id, NAMES, following))


def test_a_record_of_a_clock_that_is_ahead_hides_nothing_that_comes_after_it(app):
    user, ahead, after = make_user(), make_user(), make_user()
    _put(user, ahead.id, utcnow() + timedelta(minutes=10))
    following = read_feed(user.id, NAMES, START).following
    _put(user, after.id)
    assert str(after.id) in _subjects(read_feed(user.id, NAMES, following))


def test_from_a_time_on_nothing_comes_that_changed_before_it(app):
    user, before, then, after = (make_user() for _ in range(4))
    moment = utcnow() - timedelta(seconds=10)
    _put(user, before.id, moment - timedelta(microseconds=1))
    _put(user, then.id, moment)
    page = read_feed(user.id, NAMES, Bookmark.since(moment))
    assert _subjects(page) == [str(then.id)]
    _put(user, after.id)
    assert _subjects(read_feed(user.id, NAMES, page.following)) == [str(then.id), str(after.id)]


@pytest.mark.parametrize("moment", [datetime.min, datetime.max])
def test_any_time_is_one_to_begin_at(each_database, moment):
    user = make_user()
    page = read_feed(user.id, NAMES, Bookmark.since(moment))
    _put(user, user.id)
    assert _subjects(read_feed(user.id, NAMES, page.following)) == [str(user.id)]


def test_who_gets_a_part_goes_through_no_more_at_once_than_a_window_has(each_database, monkeypatch, queries):
    monkeypatch.setattr(feed, "WINDOW", 100)
    monkeypatch.setattr(feed, "_window", feed.compiled(feed._window._build))
    user, sender = make_user(), make_user()
    _tasks(user, 250, utcnow() - timedelta(days=1))
    make_message(sender, user)
    names, pages, bookmark = {UNREAD_MESSAGE_COUNT, CONVERSATION}, [], START
    while not pages or pages[-1].are_more:
        with queries() as seen:
            pages.append(read_feed(user.id, names, bookmark))
        assert seen.count == 2
        bookmark = pages[-1].following
    assert [len(page.records) for page in pages] == [0, 0, 2]
    assert {record.writer for record in pages[-1].records} == {"", sender.username}


def test_a_page_costs_what_it_has_however_many_records_there_are(each_database, queries):
    user = make_user()
    _tasks(user, 5000, utcnow() - timedelta(days=1))
    database.execute_sql("ANALYZE")
    task = make_task(State.IN_PROGRESS, user)
    lately = utcnow() - timedelta(hours=1)
    with queries() as seen:
        page = read_feed(user.id, NAMES, Bookmark((lately, 0)))
    assert _subjects(page) == [str(task.id)]
    assert seen.count == 1
    sql, values = feed._reading(NAMES, False).sql(user_id=user.id, at=lately, after=0)
    plan = database.execute_sql(f"EXPLAIN {'' if is_postgres() else 'QUERY PLAN '}{sql}", values).fetchall()
    assert "notifications_feed" in str(plan)


def test_every_change_of_a_record_counts_as_a_change_of_its_person(app):
    reader, sender = make_user(), make_user()
    task = make_task(State.PENDING, reader)

    def changes() -> int:
        return User.get_by_id(reader.id).changes

    for change in (
        lambda: Notification.put_progress(task),
        lambda: Notification.put(reader.id, UNREAD_MESSAGE_COUNT, {"count": 3}),
        lambda: make_message(sender, reader),
        lambda: task.cancel(),
    ):
        before, latest = changes(), read_feed(reader.id, NAMES, START).records
        change()
        assert read_feed(reader.id, NAMES, START).records != latest
        assert changes() > before
