"""A copy of everything: the page that offers it, the press that starts it, and who may download it."""

import io
import logging
import zipfile
from datetime import timedelta

import pytest

from tasks.engine.config import config
from tests.browsing import browse
from webapp.dev.factories import make_artifact, make_mailing, make_mailing_file, make_posts, make_task, make_user
from webapp.lib.quota_variables import UNLIMITED, Most, Quota
from webapp.lib.times import utcnow
from webapp.models import AccountMail, Artifact, Session, State, Task, User


def _exports() -> list[Task]:
    return list(Task.select().where(Task.name == "export_account").order_by(Task.created_at))


def test_somebody_asks_for_everything_and_downloads_it(ann, run_tasks):
    make_posts(ann.user, 3)
    page = ann.get("/settings/data")
    assert page.one(".subpages [aria-current=page]").text == "Your data"
    assert f"for {config().keep_artifacts.days} days" in page.words
    assert not page.page.select("article.task")
    assert ann.submit("/settings/data/export").location == "/settings/data"
    [task] = _exports()
    page = ann.get("/settings/data")
    assert "We’re collecting your data." in page.words
    assert page.one(f"#task-{task.id}")["hx-get"] == f"/tasks/{task.id}/_card"
    assert page.one("noscript meta")["http-equiv"] == "refresh"
    run_tasks()
    page = ann.get("/settings/data")
    assert "available until" in page.words
    answer = ann.get(page.one(".artifacts a")["href"])
    assert "your-data.zip" in answer.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(answer.data)) as file:
        assert "README.txt" in file.namelist()
    assert "Everything in your account" in ann.get("/notifications").words


def test_a_second_press_leads_to_the_one_that_is_under_way(ann):
    for _ in range(2):
        assert ann.submit("/settings/data/export").location == "/settings/data"
    assert len(_exports()) == 1
    assert "already collecting your data" in ann.get("/settings/data").words


def test_it_asks_for_the_password_first_and_so_does_each_download(ann, run_tasks):
    ann.submit("/settings/data/export")
    run_tasks()
    url = ann.get("/settings/data").one(".artifacts a")["href"]
    Session.update(authenticated_at=utcnow() - timedelta(minutes=11)).execute()
    asked = ann.submit("/settings/data/export")
    assert asked.status_code == 422
    assert "Enter your password to download everything" in asked.words
    assert len(_exports()) == 1
    answer = ann.get(url)
    assert (answer.status_code, answer.location) == (303, f"/reauthentication?next={url}")
    other = make_artifact(make_task(State.SUCCEEDED, ann.user))
    assert ann.get(f"/artifacts/{other.id}").status_code == 200, "any other file"


def test_nobody_else_gets_the_file(app, ann, run_tasks):
    ann.submit("/settings/data/export")
    run_tasks()
    url = ann.get("/settings/data").one(".artifacts a")["href"]
    bob = browse(app, make_user("bob"))
    assert bob.get(url).status_code == 404
    assert not bob.get("/settings/data").page.select(".artifacts")


def test_the_address_of_the_account_is_told_and_the_log_says_so(ann, run_tasks, caplog):
    caplog.set_level(logging.INFO, "errand.security")
    ann.submit("/settings/data/export")
    assert not AccountMail.select().exists(), "who has no address is told nothing by mail"
    [line] = [line.fields for line in caplog.records if line.fields["event"] == "data export asked"]
    assert line["account_id"] == ann.user.id
    run_tasks()
    User.update(email="ann@example.com").execute()
    assert "We’ll tell ann@example.com that someone asked for it." in ann.get("/settings/data").words
    ann.submit("/settings/data/export")
    assert [(mail.kind, mail.address) for mail in AccountMail.select()] == [("data_asked", "ann@example.com")]


def test_a_guest_may_as_well(app, run_tasks):
    guest = browse(app, make_user(guest=True))
    assert guest.submit("/settings/data/export").status_code == 303
    run_tasks()
    assert guest.get(guest.get("/settings/data").one(".artifacts a")["href"]).status_code == 200


def test_who_has_asked_too_often_is_told_when_to_come_back(make_app, run_tasks, written):
    ann = browse(make_app(quotas={**UNLIMITED, Quota.EXPORTS: Most(2, 1)}), make_user())
    for _ in range(2):
        ann.submit("/settings/data/export")
        run_tasks()
    lines = written("json")
    answer = ann.submit("/settings/data/export")
    assert answer.status_code == 429
    assert [line["quota"] for line in lines.objects("errand.security")] == ["exports"]
    assert 86_300 < int(answer.headers["Retry-After"]) <= 86_400
    assert answer.one("#download-error").text.startswith("You can download everything 2 times a day. Try again in")
    assert len(_exports()) == 2


@pytest.mark.parametrize("has_files", [False, True])
def test_the_page_says_about_how_large_it_is(ann, has_files):
    if has_files:
        make_artifact(make_task(State.SUCCEEDED, ann.user), data=b"x" * 3_000_000)
        make_mailing_file(make_mailing(ann.user), data=b"x" * 2_000_000)
    assert ("about 5.0 MB" in ann.get("/settings/data").words) == has_files


def test_one_that_has_expired_says_so(ann, run_tasks):
    ann.submit("/settings/data/export")
    run_tasks()
    Artifact.update(expired_at=utcnow()).execute()
    page = ann.get("/settings/data")
    assert "expired on" in page.words
    assert not page.page.select(".artifacts a")
