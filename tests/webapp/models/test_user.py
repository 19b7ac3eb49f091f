"""Accounts, their names and passwords."""

import os
import threading
from datetime import timedelta

import pytest
from peewee import OperationalError

from tests.racing import race
from webapp.db import database, is_postgres
from webapp.dev.factories import PASSWORD, make_user
from webapp.lib.times import utcnow
from webapp.models import ChangeCount, Session, User, UsernameTaken, passwords, user_changes
from webapp.models import user_registration as user_module
from webapp.models.session import SEEN_EVERY
from webapp.models.user_changes import SLOTS
from webapp.models.usernames import USERNAME


@pytest.mark.parametrize("username", ["Ann", "ann", "ANN"])
def test_a_name_belongs_to_one_account_in_whatever_case(each_database, username):
    User.register("Ann")
    with pytest.raises(UsernameTaken):
        User.register(username)
    assert User.select().count() == 1


def test_of_many_who_want_a_name_at_once_one_gets_it(each_database):
    barrier, outcomes = threading.Barrier(6), []

    def register():
        with database.connection_context():
            barrier.wait()
            try:
                outcomes.append(User.register("ann").username)
            except UsernameTaken:
                outcomes.append(None)

    threads = [threading.Thread(target=register) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [None] * 5 + ["ann"]


def test_guests_get_names_that_are_names(app):
    guests = [User.register_guest() for _ in range(20)]
    assert len({guest.username for guest in guests}) == 20
    assert all(USERNAME.fullmatch(guest.username) for guest in guests)
    assert all(guest.is_guest for guest in guests)


def test_only_name_and_password_together_open_an_account(app):
    user, guest = make_user("Ann"), make_user("guest", guest=True)
    assert User.authenticate("ann", PASSWORD) == user
    for username, password in (("ann", "wrong"), ("ann", ""), ("nobody", PASSWORD), (guest.username, "")):
        assert User.authenticate(username, password) is None


def test_a_new_password_is_a_new_session_key(app):
    user = make_user()
    Session.begin(user, "old")
    user.set_password("a new password")
    assert User.by_session_key("old") is None
    Session.begin(user, "new")
    assert User.by_session_key("new") == user
    assert user.has_password("a new password")
    assert not user.has_password(PASSWORD)


def test_being_seen_is_written_once_a_minute(app, queries):
    user = make_user()
    start = user.seen_at
    with queries() as seen:
        for seconds in range(0, 120, 10):
            user.seen(start + timedelta(seconds=seconds))
    assert seen.count == 1
    assert User.get_by_id(user.id).seen_at == start + SEEN_EVERY


def test_changes_are_read_by_session_key_and_nobody_elses(each_database):
    user = make_user()
    User.update(counted_before=7).where(User.id == user.id).execute()
    User.count_change(make_user().id)
    Session.begin(user, "of user")
    assert tuple(User.changes_of("of user")) == (user.id, 7)
    assert User.changes_of(user.session_key) is None
    assert User.changes_of("no such key") is None
    assert User.changes_of("") is None


def test_changes_are_what_all_processes_have_counted_those_of_the_release_before_too(
    each_database, monkeypatch, queries
):
    user = make_user()
    for pid in (1, 2, 2 + SLOTS, 3):
        monkeypatch.setattr(os, "getpid", lambda pid=pid: pid)
        User.count_change(user.id)
    assert ChangeCount.select().where(ChangeCount.user == user).count() == (3 if is_postgres() else 1)
    database.execute_sql("UPDATE users SET changes = changes + 1")
    Session.begin(user, "of user")
    with queries() as seen:
        known = User.changes_of("of user")[1], User.by_session_key("of user").changes
        assert User.by_session_key("of user").counted_before == 1
    assert (known, seen.count) == ((5, 5), 3)
    assert User.get_by_id(user.id).changes == 5


def test_who_is_gone_has_no_changes(each_database):
    user = make_user()
    with database.atomic():
        User.count_change(user.id)
        user.delete_instance()
    assert not ChangeCount.select().exists()


def test_what_changes_at_once_for_one_person_in_several_processes_does_not_wait(
    make_app, emptied_postgres, monkeypatch
):
    make_app(database_url=emptied_postgres)
    user = make_user()

    def count_as(pid: int) -> None:
        monkeypatch.setattr(os, "getpid", lambda: pid)
        user_changes._count_changes([user.id])

    def count_elsewhere(pid: int) -> None:
        database.execute_sql("SET lock_timeout = 200")
        count_as(pid)

    with database.atomic():
        count_as(1)
        [same] = race(1, lambda: count_elsewhere(1))
        assert isinstance(same, OperationalError), "that of the same slot waits, or this says nothing"
        assert race(1, lambda: count_elsewhere(2)) == [None]
    assert User.get_by_id(user.id).changes == 2


def test_a_guest_whose_name_cannot_be_taken_is_told_so_and_not_tried_for_ever(app, monkeypatch):
    taken = make_user()
    monkeypatch.setattr(user_module, "new_session_key", lambda: taken.session_key)
    with pytest.raises(UsernameTaken):
        User.register_guest()
    assert User.select().count() == 1


def test_password_hash_is_costly_to_try(app, costly_hashing, monkeypatch):
    monkeypatch.setattr(passwords, "HASHING", costly_hashing)
    user = User.register("ann", PASSWORD)
    hashes = [user.password_hash, passwords.hash_of_no_password.__wrapped__()]
    user.set_password(PASSWORD)
    for kept in [*hashes, user.password_hash]:
        assert kept.startswith("scrypt:32768:8:3$"), "what OWASP advises for 32 MB"
    assert len({*hashes, user.password_hash}) == 3


def test_an_address_that_a_release_before_writes_is_neither_confirmed_nor_in_its_grace(each_database):
    """It knows nothing of either; what this release writes tells both."""
    confirmed, in_grace = make_user(email="a@example.com"), make_user(email="b@example.com", email_confirmed_at=None)
    User.update(email_grace_ends_at=utcnow()).where(User.id == in_grace.id).execute()
    for user in (confirmed, in_grace):
        User.update(email=user.email, about="Hello").where(User.id == user.id).execute()
    assert User.get_by_id(confirmed.id).email_confirmed_at == confirmed.email_confirmed_at
    assert User.get_by_id(in_grace.id).email_grace_ends_at
    User.update(email="victim@example.com").execute()
    for user in User.select():
        assert (user.email, user.email_confirmed_at, user.email_grace_ends_at) == ("victim@example.com", None, None)
    User.update(email="new@example.com", email_confirmed_at=utcnow()).execute()
    assert not any(user.must_confirm_email for user in User.select())
