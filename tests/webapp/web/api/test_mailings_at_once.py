"""Mailings of programs where several ask at once, and however many there are."""

import re

import pytest

from tests.racing import race
from tests.webapp.web.api.client import Program
from webapp.db import database, is_postgres
from webapp.dev.factories import make_mailing, make_user
from webapp.models import Delivery, Mailing, State, Task
from webapp.models.mailing import drafts

HELLO = {"recipients": ["bea@example.com", "cem@example.com"], "subject": "Hello", "body": "Hi there."}


@pytest.fixture
def ann(mailserver, each_database):
    """Somebody who may mail others, at a site that can send mail."""
    return make_user("ann", email="ann@example.com")


def statuses(answers) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def test_a_mailing_that_is_sent_several_times_at_once_is_sent_once(ann, each_database):
    anns = Program(each_database, ann)
    where = anns.post("/mailings", HELLO).headers["Location"]
    answers = race(4, lambda: anns.post(f"{where}/sending"))
    assert statuses(answers) == [202, 409, 409, 409]
    assert Task.select().count() == 1
    assert Delivery.select().count() == 2


def test_a_mailing_is_sent_as_it_was_changed_before_or_not_at_all(ann, each_database):
    anns = Program(each_database, ann)
    where = anns.post("/mailings", HELLO).headers["Location"]
    asks = [lambda: anns.post(f"{where}/sending"), lambda: anns.patch(where, {"recipients": "dora@example.com"})]
    answers = race(2, lambda: asks.pop()())
    assert {answer.status_code for answer in answers} <= {200, 202, 409}
    found = anns.get(where).json
    assert [delivery.address for delivery in Delivery.select().order_by(Delivery.id)] in ([], found["recipients"])


def test_drafts_begun_at_once_are_no_more_than_there_may_be(ann, each_database, monkeypatch):
    monkeypatch.setattr(drafts, "MOST_BY_PROGRAMS", 2)
    anns = Program(each_database, ann)
    answers = race(4, lambda: anns.post("/mailings", HELLO))
    assert statuses(answers) == [201, 201, 422, 422]
    assert len({draft.draft_key for draft in Mailing.select()}) == 2


def test_mailings_and_deliveries_are_read_by_index_however_many_there_are(ann, queries):
    mailings = [make_mailing(ann, state=State.SUCCEEDED) for _ in range(3)]
    with queries() as seen:
        list(Mailing.for_programs(ann).limit(21))
        Delivery.of(mailings[0], "a", 21)
        Mailing.begin_by_program(ann)
    found = set()
    for setting in ("seqscan", "sort", "bitmapscan") if is_postgres() else ():
        database.execute_sql(f"SET enable_{setting} = off")  # as for more than a page
    for sql, values in [query.msg for query in seen.get_queries() if query.msg[0].startswith("SELECT")]:
        explain = "EXPLAIN " if is_postgres() else "EXPLAIN QUERY PLAN "
        plan = str(database.execute_sql(explain + sql, values).fetchall())
        assert not re.search(r"SCAN t1|Seq Scan on|TEMP B-TREE|Sort", plan), plan
        found.update(re.findall(r"(?:mailing|deliver)\w*_\w+", plan))
    assert {"mailings_user_id_created_at_id", "delivery_mailing_id_address", "mailing_draft_key"} <= found
