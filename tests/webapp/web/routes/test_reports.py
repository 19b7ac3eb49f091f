"""Reports of posts and messages, kept for whoever looks after the site."""

from datetime import timedelta

import pytest

from tests.browsing import browse
from webapp.dev.account_factories import make_report
from webapp.dev.factories import make_message, make_post, make_user
from webapp.lib.quota_variables import UNLIMITED, Most, Quota
from webapp.lib.times import utcnow
from webapp.models import Message, Post, Report, quotas
from webapp.models.message_changes import delete
from webapp.models.report import CLOSED, KEPT_AFTER_CLOSING, AlreadyReported
from webapp.web.security_log import Event


def test_a_post_is_reported_with_a_copy_that_outlives_it(each_database, ann, bob, written):
    post, lines = make_post(bob.user, "Buy now"), written("json")
    link = ann.get(f"/posts/{post.id}").one("main a[href$='/report']")["href"]
    answer = ann.submit(link, reason="spam", words=" Again and again ")
    assert (answer.status_code, answer.location) == (303, f"/posts/{post.id}")
    assert "Thanks" in ann.get(f"/posts/{post.id}").one("#flashes").text
    assert "You reported this" in ann.get(f"/posts/{post.id}").one("main").text
    assert "You reported this" in ann.get(link).one("main").text
    assert not ann.get(link).page.select("main form")
    [line] = [line for line in lines.objects("errand.security") if line["event"] == Event.REPORTED == "reported"]
    assert (line["account_id"], line["about_id"], line["kind"]) == (ann.user.id, bob.user.id, "post")
    assert "Buy" not in str(line)
    Post.delete().execute()
    report = Report.get()
    assert (report.text, report.reason, report.words, report.state) == ("Buy now", "spam", "Again and again", "open")
    assert report.subject_id == post.id


def test_a_message_is_reported_by_who_got_it(ann, bob):
    message = make_message(bob.user, ann.user, "You!")
    link = ann.get("/messages/bob").one(f"#message-{message.id} a")
    assert "Report the message of" in link.text
    assert ann.submit(link["href"], reason="harassment").location == f"/messages/bob#message-{message.id}"
    delete(message)
    assert (Report.get().kind, Report.get().text, Report.get().about) == ("message", "You!", bob.user)
    assert Message.get().body == ""


def test_a_report_that_comes_twice_is_one(ann, bob):
    post = make_post(bob.user)
    for words in ("Thanks", "You reported this already."):
        assert ann.submit(f"/posts/{post.id}/report", reason="other").status_code == 303
        assert words in ann.get("/").one("#flashes").text
    assert Report.select().count() == 1
    make_report(make_user(), post)  # of somebody else
    Report.update(state=CLOSED, closed_at=utcnow()).execute()
    make_report(ann.user, post)
    with pytest.raises(AlreadyReported):
        make_report(ann.user, post)


def test_of_two_at_once_the_database_keeps_one(each_database, monkeypatch):
    reporter, post = make_user(), make_post()
    make_report(reporter, post)
    monkeypatch.setattr(Report, "is_open", lambda *_: False)
    with pytest.raises(AlreadyReported):
        make_report(reporter, post)


@pytest.mark.parametrize(
    ("fields", "id", "words"),
    [
        ({}, "reason", "Choose a reason."),
        ({"reason": "boredom"}, "reason", "Choose a reason."),
        ({"reason": "spam", "words": "x" * 501}, "words", "501 characters"),
    ],
)
def test_what_is_wrong_is_told_at_the_field_and_nothing_is_lost(ann, fields, id, words):
    post = make_post()
    answer = ann.submit(f"/posts/{post.id}/report", **fields)
    assert answer.status_code == 422
    assert words in answer.one(f"#{id}-error").text
    assert answer.one("textarea#words").text.strip() == fields.get("words", "")
    assert bool(answer.page.select("input[value=spam][checked]")) == (fields.get("reason") == "spam")
    assert not Report.select().exists()


def test_only_what_others_wrote_and_one_can_see_is_reported(app, ann, bob):
    post, message = make_post(ann.user), make_message(ann.user, bob.user)
    carl = browse(app, make_user("carl"))
    for browser, path in (
        (ann, f"/posts/{post.id}/report"),
        (ann, f"/messages/bob/{message.id}/report"),
        (carl, f"/messages/ann/{message.id}/report"),
        (carl, f"/messages/bob/{message.id}/report"),
        (carl, "/posts/4711/report"),
    ):
        assert browser.get(path).status_code == 404
        assert browser.submit(path, reason="spam").status_code == 404
    assert not Report.select().exists()


def test_so_many_a_day_and_no_more(app):
    quotas.configure({**UNLIMITED, Quota.REPORTS: Most(2, 1)})
    reporter = make_user()
    for _ in range(2):
        make_report(reporter)
    with pytest.raises(quotas.OverQuota, match="reports") as refused:
        make_report(reporter)
    assert "You can report 2 posts and messages a day." in refused.value.words()


def test_closed_reports_are_forgotten_in_time_and_open_ones_are_not(app):
    old = utcnow() - KEPT_AFTER_CLOSING - timedelta(hours=1)
    stays, closed, lately = make_report(), make_report(), make_report()
    Report.update(created_at=old).execute()
    for report, at in ((closed, old), (lately, utcnow())):
        Report.update(state=CLOSED, closed_at=at).where(Report.id == report.id).execute()
    assert Report.purge(10) == 1
    assert {report.id for report in Report.select()} == {stays.id, lately.id}
