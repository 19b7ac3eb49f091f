"""Sessions: what a row keeps, and when it is over."""

from datetime import timedelta
from hashlib import sha256

import pytest

from webapp.db import database, is_postgres
from webapp.dev.factories import make_user
from webapp.lib import times
from webapp.models import Session, User
from webapp.models import session as sessions
from webapp.models.session import IDLE, KEPT_AFTER_ITS_END, LONGEST, OLD_COOKIES_LAST, SEEN_EVERY
from webapp.models.user_changes import _changes_of


@pytest.fixture
def clock(monkeypatch):
    """Lets time pass for sessions."""
    now = [times.utcnow().replace(microsecond=0)]
    monkeypatch.setattr("webapp.models.session.utcnow", lambda: now[0])
    for module in ("webapp.models.user", "webapp.models.user_changes"):
        monkeypatch.setattr(f"{module}.present_second", lambda: now[0].replace(microsecond=0).isoformat(" "))

    def pass_(time: timedelta):
        now[0] += time
        return now[0]

    return pass_


def _signs_in(key: str) -> bool:
    """Whether a key signs in; polls and pages agree on that."""
    user, polled = User.by_session_key(key), User.changes_of(key)
    assert (user and user.id) == (polled and polled[0])
    return user is not None


def test_the_table_has_no_key_that_signs_in(each_database):
    session = Session.begin(make_user(), "secret")
    assert session.key_hash == sha256(b"secret").hexdigest()
    assert _signs_in("secret")
    assert not _signs_in(session.key_hash)
    assert not _signs_in("")


def test_a_session_is_over_thirty_days_after_the_last_visit(each_database, clock):
    user = make_user()
    Session.begin(user, "key")
    clock(IDLE - timedelta(seconds=1))
    assert _signs_in("key")
    clock(timedelta(seconds=1))
    assert not _signs_in("key")
    assert Session.of(user, 9) == []


def test_visits_keep_a_session_for_ninety_days(each_database, clock):
    Session.begin(make_user(), "key")
    visits, rest = divmod(LONGEST, timedelta(days=20))
    for _ in range(visits):
        now = clock(timedelta(days=20))
        user = User.by_session_key("key")
        user.seen(now)
    clock(rest - timedelta(seconds=1))
    assert _signs_in("key")
    clock(timedelta(seconds=1))
    assert not _signs_in("key")


def test_the_session_of_a_guest_lasts_as_long_as_the_guest(each_database, clock):
    Session.begin(make_user(guest=True), "key")
    User.by_session_key("key").seen(clock(timedelta(days=1000)))
    clock(timedelta(days=3000))
    assert _signs_in("key")
    User.delete().execute()
    assert not Session.select().exists()


def test_a_visit_is_written_once_a_minute_for_each_session(app, queries, clock):
    user = make_user()
    for key in ("one", "two"):
        Session.begin(user, key)
    now = clock(SEEN_EVERY)
    with queries() as seen:
        for key in ("one", "two", "one", "two"):
            User.by_session_key(key).seen(now)
    # Four look-ups; and each session's visit, and that of the person.
    assert seen.count == 4 + 2 * 2
    assert {session.seen_at for session in Session.select()} == {now}


def test_a_new_password_ends_all_sessions_those_that_the_release_before_sets_too(each_database):
    user = make_user()
    Session.begin(user, "key")
    User.update(session_key="another").where(User.id == user.id).execute()
    assert not _signs_in("key")
    assert Session.of(User.get_by_id(user.id), 9) == []
    assert Session.get(key_hash=sha256(b"key").hexdigest()).ends_at <= times.utcnow()


def test_one_session_ends_or_all_others_do_and_nobody_elses(each_database):
    user, other = make_user(), make_user()
    one, _, three = (Session.begin(user, key) for key in ("one", "two", "three"))
    Session.begin(other, "other")
    assert (one.end(), one.end()) == (True, False)
    assert [_signs_in(key) for key in ("one", "two", "three")] == [False, True, True]
    assert Session.end_all(user, but=three) == 1
    assert Session.of(user, 9) == [three]
    assert _signs_in("other")


def test_a_visit_does_not_revive_a_session_that_has_just_been_ended(each_database, clock):
    user = make_user()
    Session.begin(user, "key")
    visitor = User.by_session_key("key")
    now = clock(SEEN_EVERY)
    Session.end_all(user)
    visitor.seen(now)
    assert not _signs_in("key")


def test_a_visit_that_began_before_a_session_ended_does_not_revive_it(each_database, clock):
    user = make_user()
    Session.begin(user, "key")
    visitor = User.by_session_key("key")
    now = clock(SEEN_EVERY)
    clock(timedelta(seconds=2))
    Session.end_all(user)
    visitor.seen(now)
    assert not _signs_in("key")


def test_a_session_that_is_begun_twice_by_one_key_is_one(each_database):
    user = make_user()
    assert Session.begin(user, "key") == Session.begin(user, "key")


def test_sessions_are_purged_long_after_their_end(each_database, clock):
    user = make_user()
    Session.begin(user, "old")
    clock(IDLE + KEPT_AFTER_ITS_END)
    Session.begin(user, "new")
    assert Session.purge(10) == 0
    clock(timedelta(seconds=1))
    assert Session.purge(10) == 1
    assert _signs_in("new")


def test_cookies_of_the_release_before_are_refused_for_as_long_as_they_may_be_shown(each_database, clock):
    user = make_user()
    Session.begin(user, "key").end()
    clock(OLD_COOKIES_LAST)
    Session.purge(10)
    assert User.by_account_key(user.session_key) is None
    assert (Session.select().count(), Session.of(user, 9)) == (1, [])
    clock(timedelta(seconds=1))
    assert Session.purge(10) == 1


def test_what_a_poll_and_the_list_ask_costs_the_same_however_many_sessions_there_are(each_database):
    user = make_user()
    begun = times.utcnow() - timedelta(days=1)
    row = {"user": user.id, "account_key": user.session_key, "seen_at": begun, "ends_at": begun + IDLE}
    for start in range(0, 4000, 500):
        Session.insert_many([row | {"key_hash": f"{n}"} for n in range(start, start + 500)]).execute()
    latest = Session.begin(user, "key")
    found = Session.of(user, 100)
    assert (len(found), found[0]) == (100, latest)
    if is_postgres():
        database.execute_sql("ANALYZE sessions")
    listing = Session.select().where(Session.user == user.id, Session.ends_at > begun)
    plans = {
        "list": _plan(*listing.order_by(Session.ends_at.desc(), Session.id.desc()).limit(100).sql()),
        "poll": _plan(*_changes_of.sql(key_hash="x", now=times.present_second())),
        "purge": _plan(*Session.select(Session.id).where(Session.ends_at < begun).order_by(Session.ends_at).sql()),
    }
    assert {name: _walks(plan) for name, plan in plans.items()} == {name: [] for name in plans}, plans


def _plan(sql: str, values: list[object]) -> list[str]:
    explain = "EXPLAIN" if is_postgres() else "EXPLAIN QUERY PLAN"
    return [str(row[-1]).strip() for row in database.execute_sql(f"{explain} {sql}", values).fetchall()]


def _walks(plan: list[str]) -> list[str]:
    """The steps that go through a whole table."""
    return [step for step in plan if step.startswith("SCAN") or "Seq Scan on sessions" in step]


def test_keys_are_long_and_no_two_are_alike():
    assert len({sessions.new_key() for _ in range(100)}) == 100
    assert len(sessions.new_key()) == 43


def test_who_signs_in_at_an_old_process_after_a_new_password_stays_signed_in(each_database):
    user = make_user()
    Session.begin(user, "key")
    before = user.session_key
    user.store_password_hash("no hash")
    assert not _signs_in("key")
    assert [User.by_account_key(key) for key in (before, user.session_key)] == [None, user]
