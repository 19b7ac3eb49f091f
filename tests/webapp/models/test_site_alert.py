"""Site alerts: when one fires, when it clears, who is told, and what the rules find."""

import re
from datetime import datetime, timedelta

import pytest

from tasks.engine.leadership import ROLE
from tests.browsing import browse
from tests.processes import ROOT
from tests.racing import race
from webapp.dev.desk_factories import make_staff
from webapp.dev.factories import make_user
from webapp.lib.alert_variables import AlertLimits
from webapp.lib.times import utcnow
from webapp.models import (
    AccountMail,
    KindControl,
    Leader,
    LineMinute,
    Notification,
    SiteAlert,
    TaskMinute,
    User,
    Worker,
    site_health,
)
from webapp.models.permissions import Role
from webapp.models.site_alert import BAD_MINUTES, GOOD_MINUTES, QUIET_FOR
from webapp.models.site_alert_news import News
from webapp.models.site_alert_rules import CHAPTER, RULES, Measured, Rule

NOON = datetime(2026, 11, 28, 12)
BAD = [Measured(Rule.OLDEST_WAIT, 400, 300, "countdown")]
pytestmark = pytest.mark.usefixtures("app")


def judge(pattern: str, begin: datetime = NOON, found: list[Measured] = BAD) -> str:
    """Judge a minute for each letter, b for a bad one, and say for each whether it fires (F) or not (-) after it."""
    seen = ""
    for number, letter in enumerate(pattern):
        SiteAlert.judge(Rule, found if letter == "b" else [], begin + timedelta(minutes=number))
        seen += "F" if SiteAlert.firing() else "-"
    return seen


@pytest.mark.parametrize(
    ("minutes", "fires"),
    [
        ("b", "-"),
        ("bb", "-F"),
        ("bgbgbgbg", "--------"),
        ("bbggggg", "-FFFFF-"),
        ("bbggggbggggg", "-FFFFFFFFFF-"),
        ("bbgggggb", "-FFFFF--"),
        ("bbgggggbb", "-FFFFF--F"),
    ],
)
def test_an_alert_fires_after_two_bad_minutes_and_clears_after_five_good_ones(minutes, fires):
    assert (BAD_MINUTES, GOOD_MINUTES) == (2, 5)
    assert judge(minutes) == fires


def test_an_alert_says_what_is_wrong_and_since_when():
    judge("gbbb")
    [alert] = SiteAlert.firing()
    assert alert.since == NOON + timedelta(minutes=1)
    assert str(alert.words) == "Countdown has been waiting for 7 minutes"


def test_each_minute_is_judged_once_whoever_does_it():
    first = SiteAlert.judge(Rule, BAD, NOON)
    again = SiteAlert.judge(Rule, BAD, NOON + timedelta(seconds=30))
    assert (bool(first), bool(again), SiteAlert.firing()) == (False, False, [])
    fires = SiteAlert.judge(Rule, BAD, NOON + timedelta(minutes=1))
    assert [str(words) for words in fires.fired] == ["Countdown has been waiting for 7 minutes"]
    assert not SiteAlert.judge(Rule, BAD, NOON + timedelta(minutes=1))


def test_a_clock_that_was_set_back_stops_no_rule():
    judge("bb")
    assert judge("ggggg", NOON - timedelta(days=1)) == "FFFF-"


def test_what_is_judged_elsewhere_leaves_other_rules_alone():
    judge("bb")
    for number in range(9):
        SiteAlert.judge([Rule.NO_SWEEP], [], NOON + timedelta(minutes=5 + number))
    assert len(SiteAlert.firing()) == 1


def test_judging_takes_few_queries(queries):
    judge("bb")
    with queries() as asked:
        SiteAlert.judge(Rule, BAD, NOON + timedelta(minutes=2))
    assert asked.count == 2


# Telling


def test_a_mail_is_due_once_and_an_hour_later_at_the_earliest_again():
    begin = utcnow() - timedelta(minutes=30)
    judge("bb", begin)
    assert SiteAlert.is_mail_due()
    assert [alert.key for alert in SiteAlert.claim_due()] == [BAD[0].key]
    assert (SiteAlert.claim_due(), SiteAlert.is_mail_due()) == ([], False)
    judge("gggggbb", begin + timedelta(minutes=2))
    again = SiteAlert.get()
    assert not SiteAlert.is_mail_due()
    assert again.due_at == again.quiet_until
    assert utcnow() + QUIET_FOR - again.due_at < timedelta(minutes=1)


def test_what_has_cleared_before_its_mail_is_not_mailed():
    judge("bbggggg", utcnow() - timedelta(minutes=30))
    assert SiteAlert.claim_due() == []


def test_what_a_mail_has_changed_meanwhile_stays():
    """Somebody judges by a row that was read before it was claimed."""
    begin = utcnow() - timedelta(minutes=30)
    judge("bb", begin)
    row = SiteAlert.get()
    SiteAlert.claim_due()
    SiteAlert._judge(row, BAD[0], begin + timedelta(minutes=2), utcnow(), News())
    assert not SiteAlert.is_mail_due()


def test_alerts_that_could_not_be_mailed_are_due_later_if_they_still_fire():
    judge("bb", utcnow() - timedelta(minutes=30))
    claimed = SiteAlert.claim_due()
    SiteAlert.put_off(claimed, timedelta(0))
    assert [alert.key for alert in SiteAlert.claim_due()] == [BAD[0].key]
    SiteAlert.update(fired_at=None).execute()
    SiteAlert.put_off(claimed, timedelta(0))
    assert SiteAlert.claim_due() == []


def told(user) -> list[str]:
    """What the notifications of somebody say."""
    return [
        row.text for row in Notification.select().where(Notification.user == user, Notification.name == "site_alerts")
    ]


def look(*minutes: int, sends_mail: bool = True) -> None:
    """Look at the site at those minutes."""
    for minute in minutes:
        site_health.look(sends_mail, NOON + timedelta(minutes=minute))


def test_those_who_may_see_the_desk_are_told_in_the_transaction_in_which_it_fires(app):
    people = {role: make_staff(role) for role in Role}
    deaf = make_staff(hearing={"site_alert": "off"})
    others = [make_user(), make_user(role=Role.ADMIN), make_staff(deletion_due_at=NOON)]
    look(0, 1)
    assert [told(user) for user in people.values()] == [["Alert: No worker takes tasks"]] * len(people)
    assert [told(user) for user in (deaf, *others)] == [[]] * 4


def test_several_that_fire_at_once_are_one_notification():
    operator = make_staff()
    make_line(oldest_wait=400)
    look(0, 1)
    assert told(operator) == ["Alert: 2 alerts fire"]


def tell(pattern: str, *others: str, by: int = 1) -> list[str]:
    """What an operator is told of minutes, a letter each, as in `judge`; each minute is judged by so many sweepers.
    What `others` say is of kinds of their own. Each time that it is told, it is news."""
    operator, heard = make_staff(), []
    for number, letters in enumerate(zip(pattern, *others, strict=True)):
        now = NOON + timedelta(minutes=number)
        found = [Measured(Rule.OLDEST_WAIT, 400, 300, f"kind_{n}") for n, letter in enumerate(letters) if letter == "b"]
        for _ in range(by):
            before = User.get_by_id(operator.id).changes
            site_health._judge(tuple(Rule), found, now)
            if User.get_by_id(operator.id).changes > before:
                heard += told(operator)
    return heard


WAITS = "kind_0 has been waiting for 7 minutes"


@pytest.mark.parametrize(
    ("minutes", "news"),
    [
        ("bbggggggggg", [f"Alert: {WAITS}", f"Cleared after 2 minutes: {WAITS}"]),
        ("bbbbbbbbbbggggg", [f"Alert: {WAITS}", f"Cleared after 10 minutes: {WAITS}"]),
        ("bbggggbggggg", [f"Alert: {WAITS}", f"Cleared after 7 minutes: {WAITS}"]),
        ("bggggggbgggggg", []),
    ],
)
def test_who_was_told_that_it_fires_is_told_that_it_has_cleared_and_how_long_it_lasted(minutes, news):
    assert tell(minutes) == news


def test_what_else_fires_is_told_with_what_has_cleared():
    still = f"Cleared after 2 minutes: {WAITS}. 1 alert still fires"
    assert tell("bbggggg", "bbbbbbb") == ["Alert: 2 alerts fire", still]


def test_what_fires_as_another_clears_is_told_first():
    other = WAITS.replace("0", "1")
    assert tell("bbggggg", "gggggbb")[1:] == [f"Alert: {other}. Cleared after 2 minutes: {WAITS}"]


def test_several_that_clear_at_once_are_one_notification():
    assert tell("bbggggg", "bbggggg") == ["Alert: 2 alerts fire", "2 alerts cleared"]


@pytest.mark.parametrize("rhythm", ["bbggggg", "bbbggggggg", "bbgggggggggg"])
def test_what_comes_and_goes_all_the_time_is_told_a_few_times_an_hour(rhythm):
    """Two kinds of one rule in turn, each minute judged by two sweepers."""
    hours = 6
    minutes = (rhythm * 60 * hours)[: 60 * hours]
    news = tell(minutes, minutes[4:] + minutes[:4], by=2)
    assert len(news) <= 2 * 4 * hours
    of_one = [said for said in news if said.startswith("Alert: kind_0")]
    assert 1 <= len(of_one) <= 2 * hours


def test_once_it_stays_good_its_end_is_told_with_all_the_time_that_it_came_and_went():
    news = tell("bbggggg" * 6 + "g" * 20)
    assert news[:3] == [f"Alert: {WAITS}", f"Cleared after 2 minutes: {WAITS}", f"Alert: {WAITS}"]
    assert news[3:] == [f"Cleared after 30 minutes: {WAITS}"], "from minute 7 to minute 37"


def test_two_who_judge_a_minute_at_once_tell_once(each_database):
    operator = make_staff()
    for number, letter in enumerate("bbgggg"):
        SiteAlert.judge(Rule, BAD if letter == "b" else [], NOON + timedelta(minutes=number))
    results = race(2, lambda: site_health._judge(tuple(Rule), [], NOON + timedelta(minutes=6)))
    assert sorted(len(news.cleared) for news in results) == [0, 1]
    assert told(operator) == ["Cleared after 2 minutes: Countdown has been waiting for 7 minutes"]


# What the rules find


def make_line(kind: str = "countdown", **fields) -> None:
    """Looks at the line, in the first minutes of the afternoon."""
    for minute in range(10):
        row = {"waiting": 1, "oldest_wait": 0, "running": 0, "capacity": 0, "workers": 0, "kind": kind} | fields
        LineMinute.create(at=NOON + timedelta(minutes=minute), **row)


def make_worker(lives: timedelta = timedelta(hours=1)) -> None:
    """A worker that has been heard."""
    Worker.create(token="w", host="h", pid=1, processes=2, lives_until=NOON + lives)


def firing() -> list[str]:
    """The rules and subjects of all that fires."""
    return [alert.key for alert in SiteAlert.firing()]


def test_all_is_well_with_a_worker():
    make_worker()
    make_line(oldest_wait=300)
    look(0, 1)
    assert SiteAlert.select().count() == 0


def test_a_kind_that_waits_for_too_long():
    make_worker()
    make_line(oldest_wait=301)
    make_line("", oldest_wait=301)
    look(0, 1)
    assert firing() == ["oldest wait countdown"]


def test_nobody_minds_the_wait_of_a_kind_that_is_paused():
    make_worker()
    make_line(oldest_wait=3000)
    KindControl.pause("countdown", utcnow() + timedelta(hours=1))
    look(0, 1)
    assert firing() == []


def make_ended(outcome: str, count: int, kind: str = "countdown", minute: int = -3) -> None:
    """So many tasks have ended so."""
    number = {"count": count, "wait_ms": 0, "run_ms": 0, "waits": {}, "runs": {}}
    TaskMinute.create(at=NOON + timedelta(minutes=minute), kind=kind, outcome=outcome, **number)


@pytest.mark.parametrize(
    ("failed", "succeeded", "minute", "fires"),
    [(6, 4, -3, True), (5, 5, -3, False), (9, 0, -3, False), (100, 0, -30, False)],
)
def test_a_kind_of_which_most_fail(failed, succeeded, minute, fires):
    make_worker()
    make_ended("failed", failed, minute=minute)
    make_ended("succeeded", succeeded, minute=minute)
    look(0, 1)
    assert firing() == (["failure share countdown"] if fires else [])
    if fires:
        assert str(SiteAlert.firing()[0].words) == "60% of Countdown failed in the last 10 minutes"


def test_mail_that_is_not_sent():
    make_worker()
    AccountMail.put("password_changed", "ann@example.com")
    AccountMail.update(created_at=NOON - timedelta(minutes=16)).execute()
    look(0, 1, sends_mail=False)
    assert firing() == []
    look(2, 3)
    assert firing() == ["mail failing"]


def test_workers_that_are_all_gone():
    make_worker(lives=timedelta(0))
    look(1, 2)
    assert firing() == ["no worker"]


@pytest.mark.parametrize("lead", [None, timedelta(minutes=-1)])
def test_where_no_sweeper_leads_it_is_noticed_from_elsewhere(lead):
    make_worker()
    if lead:
        Leader.create(role=ROLE, token="t", until=NOON + lead)
    for minute in (0, 1):
        site_health.look_from_elsewhere(NOON + timedelta(minutes=minute))
    assert firing() == ["no sweep"]
    look(*range(2, 7))
    assert firing() == []


def test_where_a_sweeper_leads_nothing_is_judged_elsewhere(queries):
    Leader.create(role=ROLE, token="t", until=NOON)
    with queries() as asked:
        assert not site_health.look_from_elsewhere(NOON + timedelta(seconds=20))
    assert asked.count == 1


def test_a_limit_of_0_is_none(monkeypatch):
    monkeypatch.setattr(site_health, "_limits", AlertLimits(oldest_wait=0, failure_percent=0, mail_wait=0))
    make_worker()
    make_line(oldest_wait=9999)
    make_ended("failed", 100)
    AccountMail.put("password_changed", "ann@example.com")
    AccountMail.update(created_at=NOON - timedelta(hours=1)).execute()
    look(0, 1)
    assert firing() == []


def test_a_look_takes_as_few_queries_however_much_there_is(queries):
    make_worker()
    for number in range(20):
        make_line(f"kind_{number}", oldest_wait=1)
        make_ended("succeeded", 50, f"kind_{number}")
    with queries() as asked:
        site_health.look(True, NOON)
    assert asked.count <= 6


def test_old_alerts_are_deleted():
    judge("bb", utcnow() - timedelta(days=8))
    assert SiteAlert.purge(10) == 1


@pytest.mark.parametrize("rule", Rule)
def test_troubleshooting_says_of_each_alert_what_to_do(rule):
    _, found, chapter = (ROOT / "docs" / "troubleshooting.md").read_text().partition(f"## {CHAPTER}\n")
    assert found
    words = re.sub(r"\{.*?\}", "…", RULES[rule].words.owner)
    assert f"| *{words}* |" in chapter.partition("\n## ")[0]


def test_alerts_fire_and_are_claimed_on_postgresql_as_well(make_app, postgres_url):
    make_app(database_url=postgres_url)
    operator = make_staff()
    begin = utcnow().replace(second=0) - timedelta(minutes=9)
    for minute in (0, 1, 1):
        site_health.look(True, begin + timedelta(minutes=minute))
    assert (firing(), told(operator)) == (["no worker"], ["Alert: No worker takes tasks"])
    assert [alert.key for alert in SiteAlert.claim_due()] == ["no worker"]
    assert SiteAlert.claim_due() == []


def test_only_those_who_look_after_the_site_are_asked_how_they_hear_of_alerts(app, ann):
    asked = {
        name: browse(app, user).get("/notifications") for name, user in {"ann": ann.user, "op": make_staff()}.items()
    }
    assert {name: len(page.page.select("[name=site_alert]")) for name, page in asked.items()} == {"ann": 0, "op": 1}
    assert [option["value"] for option in asked["op"].page.select("[name=site_alert] [selected]")] == ["mail"]
    assert not ann.user.wants_mail
