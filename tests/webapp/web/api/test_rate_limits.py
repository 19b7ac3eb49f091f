"""Programs are told how often they may ask, and who asks more often waits."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from http.client import HTTPConnection

import pytest

from tests.guarantees.sites import Workshop
from tests.racing import race, somebody_else_writing
from tests.webapp.web.api.client import Program
from webapp.dev.factories import make_user
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.lib.token_text import new_text
from webapp.models import RateCount
from webapp.models.api_token import ApiToken
from webapp.models.rate_draws import RateDraws
from webapp.models.scopes import Scope

MINUTE = 60


def _standing(answer) -> tuple[int, int]:
    _, left, seconds = answer.headers["RateLimit"].split(";")
    return int(left.removeprefix("r=")), int(seconds.removeprefix("t="))


def test_every_answer_says_how_many_are_left(allow, anns):
    allow(Quota.API_READS, 600)
    for expected, path in ((599, "/user"), (598, "/user?x=1"), (597, "/user")):
        answer = anns.get(path)
        assert answer.headers["RateLimit-Policy"] == '"read";q=600;w=60'
        left, seconds = _standing(answer)
        assert left == expected
        assert 0 < seconds <= MINUTE


def test_who_asks_too_often_is_told_when_to_come_back(allow, anns):
    allow(Quota.API_READS, 5)
    assert [anns.get("/user").status_code for _ in range(6)] == [200] * 5 + [429]
    answer = anns.get("/user")
    left, seconds = _standing(answer)
    assert left == 0
    assert int(answer.headers["Retry-After"]) >= seconds > 0
    assert answer.json["type"].endswith("rate-limited")
    assert answer.json["violated-policies"] == ["read"]
    assert "5 times a minute" in answer.json["detail"]


def test_all_tokens_of_an_account_share_one_limit_and_others_have_theirs(allow, anns, program_of):
    allow(Quota.API_READS, 3)
    second, bobs = program_of(anns.user), program_of(make_user("bob"))
    assert [program.get("/user").status_code for program in (anns, second, anns, second, bobs)] == [200] * 3 + [
        429,
        200,
    ]


def test_a_token_without_the_scope_counts_too_and_options_do_not(allow, anns):
    allow(Quota.API_READS, 1)
    for _ in range(3):
        assert "RateLimit" not in anns.ask("OPTIONS", "/user").headers
    assert anns.ask("HEAD", "/user").status_code == 200
    assert anns.get("/user").status_code == 429


def test_without_limits_nothing_is_said_and_nothing_is_counted(anns):
    assert not {"RateLimit", "RateLimit-Policy"} & set(anns.get("/user").headers.keys())
    assert not RateCount.select().exists()


def test_guesses_of_tokens_are_counted_by_network_and_good_tokens_are_not_refused_for_it(allow, app, anns):
    allow(Quota.API_WITHOUT_TOKEN, 2)
    guess = {"Authorization": f"Bearer {new_text()}"}
    answers = [Program(app).get("/user", headers=guess) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert answers[2].json["violated-policies"] == ["without-token"]
    assert anns.get("/user").status_code == 200
    elsewhere = {"environ_base": {"REMOTE_ADDR": "203.0.113.7"}}
    assert Program(app).get("/user", headers=guess, **elsewhere).status_code == 401


def test_to_be_refused_costs_no_more_than_to_be_known(allow, anns, queries):
    allow(Quota.API_READS, 1)
    anns.get("/user")
    anns.get("/user")
    with queries() as seen:
        assert anns.get("/user").status_code == 429
    assert seen.count == 1, "whose token it is"


def test_a_read_is_let_by_where_counting_it_would_have_to_wait(allow, anns, settings):
    allow(Quota.API_READS, 5)
    anns.token.used("here")  # which else is written at the first use
    with somebody_else_writing(settings):
        began = time.monotonic()
        assert anns.get("/user").status_code == 200
        assert time.monotonic() - began < 1


# The counts themselves


def test_what_could_not_be_counted_is_counted_later(app, settings):
    draws = RateDraws()
    with somebody_else_writing(settings):
        lent = [draws.count("x", 10, MINUTE, waits=False) for _ in range(4)]
    assert [each.is_within for each in lent] == [True] * 4
    assert lent[-1].left == 6
    assert [draws.count("x", 10, MINUTE, waits=False).is_within for _ in range(7)] == [True] * 6 + [False]


@pytest.mark.parametrize("processes", [1, 2, 5])
def test_processes_together_hand_out_no_more_than_the_limit_and_hardly_fewer(each_database, processes):
    draws = [RateDraws() for _ in range(processes)]
    handed = sum(draws[number % processes].count("x", 600, MINUTE).is_within for number in range(1000))
    assert 600 - processes * 8 <= handed <= 600


def test_one_busy_process_leaves_others_what_it_has_not_drawn(app):
    busy, other = RateDraws(), RateDraws()
    for _ in range(300):
        assert busy.count("x", 600, MINUTE).is_within
    assert sum(other.count("x", 600, MINUTE).is_within for _ in range(600)) >= 300 - 64


def test_hundreds_cost_some_writes_and_a_few_cost_one_each_at_most(app, queries):
    draws = RateDraws()
    with queries() as seen:
        for _ in range(400):
            draws.count("x", 600, MINUTE)
    assert seen.count <= 2 * 25, "and what is old goes with the first"
    draws.count("y", 600, MINUTE)
    assert RateCount.find("y").number == 1, "nothing is drawn that nobody has asked for"


def test_what_is_left_is_never_said_to_be_more_than_it_is(app):
    draws, left = RateDraws(), 600
    for _ in range(600):
        standing = draws.count("x", 600, MINUTE)
        left -= 1
        assert standing.left == left
    assert not draws.count("x", 600, MINUTE).is_within


def test_a_window_ends(app, monkeypatch):
    draws = RateDraws()
    assert [draws.count("x", 1, MINUTE).is_within for _ in range(2)] == [True, False]
    later = time.time() + MINUTE + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert draws.count("x", 1, MINUTE) == (True, 0, MINUTE)


def test_a_process_remembers_no_more_accounts_than_it_has_room_for(app, monkeypatch):
    monkeypatch.setattr("webapp.models.rate_draws.MOST_KEPT", 10)
    draws = RateDraws()
    for number in range(50):
        draws.count(f"user {number}", 2, MINUTE)
    assert len(draws) == 10
    assert [draws.count("user 0", 2, MINUTE).is_within for _ in range(2)] == [True, False], (
        "who is forgotten is counted"
    )


def test_threads_hand_out_each_once(each_database):
    draws = RateDraws()
    handed = race(4, lambda: sum(draws.count("x", 100, MINUTE).is_within for _ in range(75)))
    assert sum(handed) == 100


def test_the_processes_of_a_site_share_a_limit(tmp_path):
    """Each request comes on a connection of its own, so both processes get some."""
    with closing(Workshop(tmp_path, WEB_CONCURRENCY="2", QUOTA_API_READS_PER_MINUTE="60")) as site:
        site.start_web()
        with site.entered():
            _, text = ApiToken.issue(make_user("ann"), "A program", [Scope.POSTS], utcnow() + timedelta(days=1))

        def ask(_: int) -> int:
            with closing(HTTPConnection("127.0.0.1", site.port, timeout=20)) as connection:
                connection.request("GET", "/api/v1/user", headers={"Authorization": f"Bearer {text}"})
                return connection.getresponse().status

        with ThreadPoolExecutor(8) as pool:
            statuses = list(pool.map(ask, range(150)))
        assert set(statuses) == {200, 429}
        assert 44 <= statuses.count(200) <= 60 + 8, "a read that would have to wait is counted later"
