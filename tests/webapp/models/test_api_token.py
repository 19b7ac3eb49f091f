"""API tokens: what a row keeps, who is let in by one, and until when."""

import re
from datetime import timedelta
from hashlib import sha256
from zlib import crc32

import psycopg
import pytest

from tests.racing import race
from tests.webapp.models.test_session import _plan
from webapp.db import database, is_postgres
from webapp.dev.account_factories import make_api_token
from webapp.dev.factories import make_user
from webapp.lib import times
from webapp.lib.quota_variables import Quota
from webapp.lib.token_text import is_text, new_text
from webapp.models import AccountMail, ApiToken, Deletion, OverQuota, User
from webapp.models.api_token import (
    KEPT_AFTER_ITS_END,
    NAME_LENGTH,
    USED_EVERY,
    GuestsHaveNone,
    _by_hash,
    _changes_by_hash,
)
from webapp.models.scopes import SCOPES, Scope, grantable


@pytest.fixture
def clock(monkeypatch):
    """Lets time pass for tokens."""
    now = [times.utcnow().replace(microsecond=0)]
    monkeypatch.setattr("webapp.models.api_token.utcnow", lambda: now[0])
    monkeypatch.setattr("webapp.models.api_token.present_second", lambda: now[0].isoformat(" "))

    def pass_(time: timedelta):
        now[0] += time
        return now[0]

    return pass_


def _lets_in(text: str) -> bool:
    """Whether a token lets a program in; polls agree on that."""
    token, polled = ApiToken.by_text(text), ApiToken.changes_of(text)
    assert (token and (token.user_id, token.user.changes, token.scopes)) == polled
    return token is not None


def test_a_token_has_the_shape_that_secret_scanners_look_for():
    text = new_text()
    assert re.fullmatch("errand_pat_[A-Za-z0-9]{36}", text)
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    number = 0
    for letter in text[-6:]:
        number = number * 62 + digits.index(letter)
    assert number == crc32(text[11:41].encode())
    assert len({new_text() for _ in range(1000)}) == 1000


def test_who_has_the_table_has_no_token(each_database):
    token, text = make_api_token()
    [row] = ApiToken.select().dicts()
    assert row["token_hash"] == sha256(text.encode()).hexdigest()
    assert text[11:-4] not in str(row)
    assert token.last_four == text[-4:]
    assert _lets_in(text)
    assert not _lets_in(row["token_hash"])


def test_what_cannot_be_a_token_costs_no_query(app, queries):
    _, text = make_api_token()
    wrong = text[:-1] + ("a" if text[-1] != "a" else "b")
    with queries() as seen:
        for each in ("", wrong, text[:-1], f"{text}\n", f"{text}a", text.replace("pat", "app"), "٣" * 47, "x" * 10**6):
            assert not is_text(each)
            assert not _lets_in(each)
            assert ApiToken.revoke_by_text(each) is None
    assert seen.count == 0


def test_a_token_and_its_owner_are_one_query(each_database, queries):
    ann = make_user()
    User.count_change(ann.id)
    _, text = make_api_token(ann, Scope.TASKS_READ, Scope.POSTS)
    with queries() as seen:
        token = ApiToken.by_text(text)
        assert (token.user, token.user.username, token.user.changes) == (ann, ann.username, 1)
        assert token.scopes == {Scope.TASKS_READ, Scope.POSTS}
    assert seen.count == 1
    with queries() as seen:
        assert ApiToken.changes_of(text) == (ann.id, 1, token.scopes)
    assert seen.count == 1


def test_a_token_is_of_no_use_once_it_has_expired(each_database, clock):
    token, text = make_api_token(days=7)
    clock(token.expires_at - token.created_at - timedelta(seconds=1))
    assert _lets_in(text)
    clock(timedelta(seconds=1))
    assert not _lets_in(text)
    assert not ApiToken.find(token.user, token.id).is_live


def test_a_token_is_revoked_once_and_no_other_with_it(each_database):
    ann = make_user()
    (token, text), (_, other), (_, bobs) = make_api_token(ann), make_api_token(ann), make_api_token()
    assert (token.revoke(), token.revoke()) == (True, False)
    assert [_lets_in(each) for each in (text, other, bobs)] == [False, True, True]
    assert ApiToken.get_by_id(token.id).revoked_at
    assert ApiToken.revoke_all(ann) == 1
    assert [_lets_in(each) for each in (text, other, bobs)] == [False, False, True]


def test_whoever_finds_a_token_can_revoke_it(each_database):
    token, text = make_api_token()
    found = ApiToken.revoke_by_text(text)
    assert (found, found.user) == (token, token.user)
    assert not _lets_in(text)
    assert ApiToken.revoke_by_text(text) is None
    assert ApiToken.revoke_by_text(new_text()) is None


def test_a_deleted_account_has_no_tokens_and_gets_none_back(each_database):
    ann = make_user()
    _, text = make_api_token(ann)
    deletion = Deletion.begin(ann)
    assert not _lets_in(text)
    assert deletion.take_back()
    assert not _lets_in(text), "as with sessions: they make another"


@pytest.mark.parametrize("gone", [{"deletion_due_at": times.utcnow()}, {"password_hash": ""}])
def test_a_release_before_that_deletes_an_account_ends_its_tokens_too(each_database, gone):
    ann = make_user()
    _, text = make_api_token(ann)
    User.update(gone).where(User.id == ann.id).execute()
    assert not _lets_in(text)


def test_a_use_is_written_every_five_minutes(app, clock, queries):
    _, text = make_api_token()
    with queries() as seen:
        for _ in range(3):
            ApiToken.by_text(text).used("192.0.2.0/24")
    assert seen.count == 3 + 1
    first = ApiToken.get()
    now = clock(USED_EVERY)
    ApiToken.by_text(text).used("198.51.100.0/24")
    assert first.last_network == "192.0.2.0/24"
    assert (ApiToken.get().last_used_at, ApiToken.get().last_network) == (now, "198.51.100.0/24")


def test_a_use_does_not_wait_for_who_holds_the_token(make_app, postgres_url):
    make_app(database_url=postgres_url)
    token, text = make_api_token()
    with psycopg.connect(postgres_url) as other:
        other.execute("SELECT 1 FROM api_tokens FOR UPDATE")
        ApiToken.by_text(text).used("192.0.2.0/24")
        assert ApiToken.get_by_id(token.id).last_used_at is None


def test_somebody_has_so_many_live_tokens_and_no_more(app, allow):
    allow(Quota.TOKENS, 2)
    ann = make_user()
    first, _ = make_api_token(ann)
    make_api_token(ann)
    with pytest.raises(OverQuota) as refused:
        make_api_token(ann)
    assert refused.value.words() == (
        "You can have 2 tokens at a time. Revoke one that you no longer need, then try again."
    )
    first.revoke()
    make_api_token(ann)
    make_api_token()


def test_of_two_at_once_one_is_within_the_limit(each_database, allow):
    allow(Quota.TOKENS, 1)
    ann = make_user()
    results = race(4, lambda: make_api_token(ann))
    assert [type(result) for result in results if isinstance(result, Exception)] == [OverQuota] * 3
    assert ApiToken.live_of(ann).count() == 1


def test_of_several_who_found_a_token_one_revokes_it_and_its_owner_is_told_once(each_database):
    _, text = make_api_token(make_user(email="ann@example.com"))
    results = race(4, lambda: ApiToken.revoke_by_text(text))
    assert len([result for result in results if result]) == 1
    assert AccountMail.select().where(AccountMail.kind == "token_found").count() == 1


def test_a_new_token_takes_so_many_queries(app, queries):
    ann, silent = make_user(email="ann@example.com"), make_user()
    for user, number in ((silent, 2), (ann, 5)):  # three to tell Ann
        with queries() as seen:
            make_api_token(user)
        assert seen.count == number


def test_guests_have_no_tokens(app):
    with pytest.raises(GuestsHaveNone):
        make_api_token(make_user(guest=True), Scope.POSTS)


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "x" * (NAME_LENGTH + 1)}, {"days": -1}, {"days": 367}])
def test_a_token_that_no_form_lets_through_is_not_made(app, wrong):
    with pytest.raises(ValueError, match="a name, a scope, and an end"):
        make_api_token(make_user(), **wrong)
    assert not ApiToken.select().exists()


def test_a_scope_of_a_later_release_allows_nothing(each_database):
    token, text = make_api_token(None, Scope.MAIL)
    ApiToken.update(scope="mail webhooks:write").execute()
    assert ApiToken.by_text(text).scopes == {Scope.MAIL}
    ApiToken.update(scope="webhooks:write").execute()
    assert ApiToken.by_text(text).scopes == frozenset()
    assert token.scopes == {Scope.MAIL}


def test_scopes_of_the_desk_are_for_who_has_a_role_that_counts(app):
    desk = [scope for scope in SCOPES if scope.startswith("desk:")]
    everybody = [scope for scope in SCOPES if scope not in desk]
    assert grantable(make_user()) == grantable(make_user(role="admin")) == grantable(None) == everybody
    assert grantable(make_user(role="viewer", totp_secret="x")) == [*everybody, Scope.DESK_READ]
    assert grantable(make_user(role="operator", totp_secret="x")) == list(SCOPES)


def test_the_live_ones_come_first_and_the_list_is_no_longer_than_asked_for(each_database):
    ann = make_user()
    revoked, short, long = (make_api_token(ann, days=days)[0] for days in (90, 7, 30))
    revoked.revoke()
    make_api_token()
    assert ApiToken.of(ann, 9) == [long, short, revoked]
    assert ApiToken.of(ann, 2) == [long, short]
    assert ApiToken.find(make_user(), long.id) is None


def test_tokens_are_purged_long_after_their_end(each_database, clock):
    old, new = make_api_token(days=7)[0], make_api_token(days=8)[0]
    clock(timedelta(days=7) + KEPT_AFTER_ITS_END + timedelta(hours=1))
    assert ApiToken.purge(10) == 1
    assert list(ApiToken.select()) == [new] != [old]


def test_what_a_use_and_the_list_ask_costs_the_same_however_many_tokens_there_are(each_database):
    ann, now = make_user(), times.utcnow()
    row = {"user": ann.id, "name": "x", "last_four": "xxxx", "scope": "posts"}
    for start in range(0, 4000, 500):
        ends = [(n, now - timedelta(minutes=n)) for n in range(start, start + 500)]
        ApiToken.insert_many([row | {"token_hash": f"{n}", "expires_at": end} for n, end in ends]).execute()
    if is_postgres():
        database.execute_sql("ANALYZE api_tokens")
    plans = {
        "use": _plan(*_by_hash.sql(token_hash="x", now=times.present_second())),
        "poll": _plan(*_changes_by_hash.sql(token_hash="x", now=times.present_second())),
        "list": _plan(*ApiToken.visible_to(ann).limit(50).sql()),
        "count": _plan(*ApiToken.live_of(ann).sql()),
        "purge": _plan(*ApiToken.select(ApiToken.id).where(ApiToken.expires_at < now - KEPT_AFTER_ITS_END).sql()),
    }
    walks = {
        name: [step for step in plan if step.startswith("SCAN") or "Seq Scan on api_tokens" in step]
        for name, plan in plans.items()
    }
    assert walks == {name: [] for name in plans}, plans
