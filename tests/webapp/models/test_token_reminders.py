"""Reminders that tokens expire soon: once each, in one mail a person, and of no others."""

from datetime import timedelta

from tests.racing import race
from webapp.dev.account_factories import make_api_token
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import AccountMail, ApiToken
from webapp.models.token_reminders import remind_of_tokens


def _expiring(user, name: str = "Script", in_days: float = 6) -> ApiToken:
    """A token that has been there for long."""
    token, _ = make_api_token(user, name=name)
    ApiToken.update(expires_at=utcnow() + timedelta(days=in_days)).where(ApiToken.id == token.id).execute()
    return token


def _told() -> list[tuple[int, list[int]]]:
    found = AccountMail.select().where(AccountMail.kind == "tokens_expire").order_by(AccountMail.id)
    return [(mail.user_id, sorted(mail.arguments["tokens"])) for mail in found]


def test_all_of_a_person_that_expire_within_a_week_are_one_mail_and_told_once(each_database):
    ann, bob = make_user(email="ann@example.com"), make_user(email="bob@example.com")
    one, two, his = _expiring(ann), _expiring(ann, in_days=1), _expiring(bob)
    _expiring(ann, in_days=7.1)
    assert remind_of_tokens(10) == 3
    assert _told() == [(ann.id, [one.id, two.id]), (bob.id, [his.id])]
    assert remind_of_tokens(10) == 0


def test_what_is_of_no_use_any_more_needs_no_reminder(app):
    ann = make_user(email="ann@example.com")
    _expiring(ann, in_days=-1)
    _expiring(ann).revoke()
    assert remind_of_tokens(10) == 0


def test_who_makes_a_token_for_a_week_is_not_reminded(app):
    make_api_token(make_user(email="ann@example.com"), days=7)
    assert remind_of_tokens(10) == 0


def test_no_more_are_looked_at_than_asked_for_and_the_next_sweep_goes_on(app):
    for _ in range(3):
        _expiring(make_user(email="ann@example.com"))
    assert [remind_of_tokens(2) for _ in range(3)] == [2, 1, 0]
    assert len(_told()) == 3


def test_who_has_no_address_is_passed_over_and_keeps_nobody_waiting(app):
    _expiring(make_user())
    _expiring(ann := make_user(email="ann@example.com"), in_days=6.5)
    assert [remind_of_tokens(1) for _ in range(3)] == [1, 1, 0]
    assert [user for user, _ in _told()] == [ann.id]


def test_two_sweepers_at_once_tell_each_once(each_database):
    _expiring(ann := make_user(email="ann@example.com"))
    results = race(4, lambda: remind_of_tokens(10))
    assert sorted(results) == [0, 0, 0, 1]
    assert [user for user, _ in _told()] == [ann.id]


def test_nothing_due_is_one_query_however_many_tokens_there_are(app, queries):
    for _ in range(3):
        make_api_token()
    with queries() as seen:
        remind_of_tokens(10)
    assert seen.count == 1
