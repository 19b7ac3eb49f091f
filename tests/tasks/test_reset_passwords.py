"""Reset requests: whose address it is, on each database; bounded, and once."""

from datetime import timedelta

import pytest

from tasks.reset_passwords import answer_reset_requests as answer
from webapp.db import database, is_postgres
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import AccountMail, User, reset_request
from webapp.models.reset_request import MOST_ACCOUNTS, REQUESTED, RESET_PASSWORD

pytestmark = pytest.mark.usefixtures("each_database")


def _person(name: str, email: str, **fields) -> User:
    return make_user(name, email=email, **{"email_confirmed_at": utcnow()} | fields)


def _due() -> list[tuple[str, str]]:
    """Who is to be mailed, and where."""
    mails = AccountMail.select().where(AccountMail.kind == RESET_PASSWORD).order_by(AccountMail.id)
    return [(mail.user.username, mail.address) for mail in mails]


def test_the_mail_goes_to_the_confirmed_address_as_the_account_has_it():
    """Not as it was typed: letters of another script may look alike, and be lowered to ours."""
    _person("ann", "Ann@Example.com")
    _person("kim", "kim@example.com")
    _person("ulf", "ulf@exÄmple.de")
    make_user(
        "old", email="old@example.com", email_confirmed_at=None, email_grace_ends_at=utcnow() + timedelta(days=30)
    )
    _person("guest", "guest@example.com", guest=True)
    _person("empty", "")
    for address in (
        "aNN@example.COM",
        "\u212aim@example.com",
        "ULF@exÄmple.de",
        "old@example.com",
        "guest@example.com",
    ):
        AccountMail.put(REQUESTED, address)
    AccountMail.put(REQUESTED, "nobody@example.com")
    answer(40)
    assert _due() == [("ann", "Ann@Example.com"), ("kim", "kim@example.com"), ("ulf", "ulf@exÄmple.de")]
    assert AccountMail.select().where(AccountMail.kind == REQUESTED).count() == 0


def test_so_many_are_answered_at_once_the_oldest_first_and_each_account_has_one_mail_due():
    for name in ("ann", "bea", "cleo"):
        _person(name, f"{name}@example.com")
    for name in ("ann", "ANN", "bea", "ann", "cleo"):
        AccountMail.put(REQUESTED, f"{name}@example.com")
    answer(3)
    assert [name for name, _ in _due()] == ["ann", "bea"]
    answer(3)
    assert [name for name, _ in _due()] == ["ann", "bea", "cleo"]
    AccountMail.put(REQUESTED, "ann@example.com")
    answer(3)
    assert len(_due()) == 3


def test_of_many_accounts_with_one_address_those_used_last_are_mailed():
    now = utcnow()
    for number in range(MOST_ACCOUNTS + 3):
        _person(f"person-{number}", "all@example.com", seen_at=now - timedelta(hours=number))
    AccountMail.put(REQUESTED, "all@example.com")
    answer(40)
    assert [name for name, _ in _due()] == [f"person-{number}" for number in range(MOST_ACCOUNTS)]
    assert all(mail.arguments["are_more"] for mail in AccountMail.select())


def test_a_look_up_is_by_index_and_no_request_costs_one_query(queries):
    with queries() as seen:
        answer(40)
    assert seen.count == 1
    AccountMail.put(REQUESTED, "ann@example.com")
    with queries() as seen:
        answer(40)
    asked = [query.msg for query in seen.get_queries() if "LOWER" in query.msg[0].upper()]
    for (sql, parameters), index in zip(asked, ("users_confirmed_email", "deletions_email"), strict=True):
        with database.atomic():
            if is_postgres():
                database.execute_sql("SET LOCAL enable_seqscan = off")  # the table is too small for an index
            plan = database.execute_sql(f"EXPLAIN {'' if is_postgres() else 'QUERY PLAN '}{sql}", parameters).fetchall()
        assert index in str(plan)


def test_what_another_sweeper_answers_meanwhile_is_answered_once(monkeypatch):
    _person("ann", "ann@example.com")
    AccountMail.put(REQUESTED, "ann@example.com")
    look_up = reset_request._accounts_of

    def while_another_is_quicker(address):
        found = look_up(address)
        monkeypatch.setattr(reset_request, "_accounts_of", look_up)
        answer(40)
        AccountMail.delete().where(AccountMail.kind == RESET_PASSWORD).execute()  # it has been mailed by now
        return found

    monkeypatch.setattr(reset_request, "_accounts_of", while_another_is_quicker)
    answer(40)
    assert _due() == []
