"""Kinds of tasks at the desk: what each is doing, and what is decided of one."""

from datetime import datetime, timedelta

import pytest

from tasks.engine.models.kind_control import KindControl
from tests.browsing import browse, words
from tests.racing import race
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import AuditEntry, State, statistics
from webapp.models.permissions import Role

PAUSE = "/desk/kinds/countdown/pause"


@pytest.fixture
def operator(app):
    return browse(app, make_staff())


def _rows(answer) -> dict[str, list[str]]:
    rows = [row.select("th, td") for row in answer.page.select("table.kinds tbody tr")]
    said = [[" ".join(cell.get_text(" ", strip=True).split()) for cell in row] for row in rows]
    return {row[0]: row[1:] for row in said}


def _errors(answer) -> list[str]:
    return [error.get_text(strip=True) for error in answer.page.select(".error")]


def test_every_kind_is_there_with_what_waits_and_what_ended(operator):
    now = utcnow()
    make_task(ready_at=now - timedelta(minutes=3))
    make_task(ready_at=now)
    make_task(State.IN_PROGRESS)
    for state in (State.SUCCEEDED, State.SUCCEEDED, State.SUCCEEDED, State.FAILED):
        times = {"ready_at": now - timedelta(minutes=9), "started_at": now - timedelta(minutes=8)}
        make_task(state, finished_at=now - timedelta(minutes=6), run_seconds=2.0, **times)
    statistics.roll_up(now)
    rows = _rows(operator.get("/desk/kinds?range=1h"))
    assert rows["Countdown"][:3] == ["2", "3 min", "1"]
    assert rows["Countdown"][3:6] == ["4", "4 in 1 hour", "25%"]
    assert rows["Export posts"][:7] == ["0", "–", "0", "0", "0 in 1 hour", "–", "–"]
    assert "Mail digest internal" in rows
    heads = [words(head) for head in operator.get("/desk/kinds").page.select("table.kinds thead th")]
    assert heads[-5:] == ["Wait p50", "Wait p95", "Run p50", "Run p95", "Paused or limited"]


def test_a_kind_that_this_release_does_not_know_is_there_while_it_waits(operator):
    make_task(name="of_a_later_release")
    assert _rows(operator.get("/desk/kinds"))["of_a_later_release unknown to this release"][0] == "1"
    assert operator.get("/desk/kinds/of_a_later_release").status_code == 200


@pytest.mark.parametrize("name", ["no_such_kind", "x" * 300, "%00", "🙈", "*"])
def test_a_kind_that_there_is_not_is_not_found(operator, name):
    assert operator.get(f"/desk/kinds/{name}").status_code == 404
    assert operator.submit(f"/desk/kinds/{name}/pause", reason="Why not", length="1h").status_code == 404


def test_a_kind_is_paused_for_a_time_and_goes_on_before_it(operator):
    answer = operator.submit(PAUSE, length="4h", reason="The printer burns")
    assert answer.status_code == 303
    control = KindControl.of("countdown")
    assert abs(control.paused_until - utcnow() - timedelta(hours=4)) < timedelta(minutes=1)
    assert (control.reason, control.stops_running) == ("The printer burns", False)
    assert "Paused until" in _rows(operator.get("/desk/kinds"))["Countdown"][-1]
    assert "The printer burns" in operator.get("/desk/kinds/countdown").text

    assert operator.submit("/desk/kinds/countdown/resumption").status_code == 303
    assert not KindControl.of("countdown").is_paused
    assert operator.submit("/desk/kinds/countdown/resumption").status_code == 422, "somebody else was faster"
    assert [(entry.action, entry.target, entry.outcome) for entry in AuditEntry.select().order_by(AuditEntry.id)] == [
        ("pause kind", "kind countdown", "done"),
        ("resume kind", "kind countdown", "done"),
        ("resume kind", "kind countdown", "refused"),
    ]


def test_what_runs_of_the_sites_own_work_is_not_paused_with_its_kind(operator):
    """It would stay paused, where its owner does not see it: one whose mail is paused gets none from then on."""
    page = operator.get("/desk/kinds/mail_account")
    assert "Until it goes on, it’s done for nobody" in page.words
    assert not page.page.select("[name=stop_running]")
    assert (
        operator.submit("/desk/kinds/mail_account/pause", length="1h", reason="Spam", stop_running="y").status_code
        == 303
    )
    control = KindControl.of("mail_account")
    assert (control.is_paused, control.stops_running) == (True, False)


def test_of_several_who_resume_a_kind_at_once_the_audit_says_that_one_did(each_database):
    KindControl.pause("countdown", utcnow() + timedelta(hours=1))
    presses = [browse(each_database, make_staff()) for _ in range(4)]
    tokens = [press.token() for press in presses]
    pairs = list(zip(presses, tokens, strict=True))

    def press() -> int:
        browser, token = pairs.pop()
        return browser.post("/desk/kinds/countdown/resumption", data={"csrf_token": token}).status_code

    assert sorted(race(4, press)) == [303, 422, 422, 422]
    assert sorted(entry.outcome for entry in AuditEntry.select()) == ["done", "refused", "refused", "refused"]


def test_to_change_a_pause_keeps_its_reason_unless_there_is_another(operator):
    operator.submit(PAUSE, length="1h", reason="The disk is full")
    page = operator.get("/desk/kinds/countdown").page
    assert page.select_one(f"form[action='{PAUSE}'] [name=reason]")["value"] == "The disk is full"


def test_a_pause_may_end_tomorrow_morning_or_at_a_time_in_ones_own_time_zone(app):
    operator = browse(app, make_staff(time_zone="Asia/Seoul"))
    operator.submit(PAUSE, length="tomorrow", reason="Wait")
    until = KindControl.of("countdown").paused_until
    assert (until + timedelta(hours=9)).time().isoformat() == "09:00:00"
    assert utcnow() < until < utcnow() + timedelta(hours=48)
    at = (utcnow() + timedelta(days=3)).replace(hour=12, minute=0, second=0, microsecond=0)
    operator.submit(PAUSE, length="at", until=(at + timedelta(hours=9)).isoformat(), reason="Wait", stop_running="y")
    control = KindControl.of("countdown")
    assert (control.paused_until, control.stops_running) == (at, True)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"length": "1h"}, "Say why: its owner reads it."),
        ({"length": "1h", "reason": "r" * 301}, "Your reason has 301 characters. The limit is 300."),
        ({"length": "for ever", "reason": "r"}, "Choose one of these."),
        ({"length": "at", "reason": "r"}, "Enter a date and time."),
        ({"length": "at", "reason": "r", "until": "soon"}, "Enter a date and time."),
        ({"length": "at", "reason": "r", "until": "2020-01-01T10:00"}, "Choose a time in the next 30 days."),
        ({"length": "at", "reason": "r", "until": "9999-12-31T23:59"}, "Choose a time in the next 30 days."),
    ],
)
def test_a_pause_that_cannot_be_is_refused_in_words(operator, fields, words):
    answer = operator.submit(PAUSE, **fields)
    assert answer.status_code == 422
    assert words in _errors(answer)
    assert KindControl.of("countdown") is None


def test_limits_are_set_all_at_once_and_taken_away_by_leaving_them_empty(operator):
    url = "/desk/kinds/countdown/limits"
    assert operator.submit(url, running="5", per_person="2", per_second="0.5").status_code == 303
    control = KindControl.of("countdown")
    limits = control.max_running, control.max_running_per_person, control.max_starts_per_second
    assert limits == (5, 2, 0.5)
    page = operator.get("/desk/kinds/countdown").page
    assert [page.select_one(f"#{name}")["value"] for name in ("running", "per_person", "per_second")] == [
        "5",
        "2",
        "0.5",
    ]
    assert _rows(operator.get("/desk/kinds"))["Countdown"][2] == "0 of 5"
    assert operator.submit(url, running="", per_person="", per_second="").status_code == 303
    assert KindControl.of("countdown").max_running is None
    assert AuditEntry.select().order_by(AuditEntry.id.desc()).first().before["running"] == 5


@pytest.mark.parametrize("field", ["running", "per_person", "per_second"])
@pytest.mark.parametrize("value", ["0", "-1", "many", "nan", "inf", "1e99", "٣x", "9" * 400])
def test_a_limit_that_cannot_be_is_refused_in_words(operator, field, value):
    answer = operator.submit("/desk/kinds/countdown/limits", **{field: value})
    assert answer.status_code == 422
    assert any(error.startswith("Enter a number from") for error in _errors(answer))
    assert KindControl.of("countdown") is None


def test_viewers_see_a_kind_without_its_forms(app):
    page = browse(app, make_staff(Role.VIEWER)).get("/desk/kinds/countdown").page
    assert not page.select("main form")


def test_a_range_that_there_is_not_is_refused(operator):
    assert operator.get("/desk/kinds?range=1y").status_code == 404


@pytest.mark.parametrize("waiting", [1, 30])
def test_the_page_asks_the_same_number_of_queries_however_many_wait(app, queries, waiting):
    user = make_user()
    for _ in range(waiting):
        make_task(user=user)
    browser = browse(app, make_staff())
    browser.get("/desk/kinds")
    with queries() as seen:
        browser.get("/desk/kinds")
    assert seen.count == 9
    with queries() as seen:
        browser.get("/desk/kinds/countdown")
    assert seen.count == 12


def test_moments_are_naive(operator):
    """Of the pause in the audit: in UTC, and says so."""
    operator.submit(PAUSE, length="15m", reason="Wait")
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert datetime.fromisoformat(entry.after["paused_until"]).tzinfo is not None
    assert entry.reason == "Wait"
