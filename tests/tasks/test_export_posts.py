"""The export: a file of everything, oldest first, here and by mail."""

import csv
import io
import json
import tracemalloc
from datetime import datetime

import pytest

from tasks import export_posts as module
from tasks.export_posts import export_posts
from tests.processes import free_port
from webapp.dev.account_factories import make_email_change
from webapp.dev.factories import make_post, make_posts, make_user
from webapp.lib.phrases import Phrase
from webapp.lib.times import utcnow
from webapp.models import Artifact, State, Task


@pytest.fixture
def export(run_tasks):
    """A function that exports somebody's posts; returns the task and its only artifact."""

    def export(user, format="json") -> tuple[Task, Artifact]:
        task = export_posts.launch(user, format=format)
        run_tasks()
        [artifact] = Artifact.completed([task.reload()])[task]
        return task, artifact

    return export


def _rows(artifact: Artifact) -> list[list[str]]:
    return list(csv.reader(io.StringIO(artifact.read().decode(), newline="")))


def test_json_has_every_post_oldest_first_with_times_in_z(export):
    user = make_user()
    make_post(user, "second", created_at=datetime(2026, 3, 1, 12, 30, 5))
    make_post(user, "first", created_at=datetime(2026, 1, 1))
    make_post(make_user(), "somebody else's")
    task, artifact = export(user)
    assert json.loads(artifact.read()) == {
        "posts": [
            {"body": "first", "timestamp": "2026-01-01T00:00:00Z"},
            {"body": "second", "timestamp": "2026-03-01T12:30:05Z"},
        ]
    }
    assert (artifact.name, artifact.content_type) == ("posts.json", "application/json")
    assert (task.state, task.done, task.total) == (State.SUCCEEDED, 2, 2)


def test_csv_has_the_same_in_rows(export):
    user = make_user()
    make_post(user, 'a "quoted", text\nof two lines', created_at=datetime(2026, 1, 1))
    _, artifact = export(user, "csv")
    assert _rows(artifact) == [["body", "timestamp"], ['a "quoted", text\nof two lines', "2026-01-01T00:00:00Z"]]
    assert (artifact.name, artifact.content_type) == ("posts.csv", "text/csv")


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")'])
def test_no_spreadsheet_takes_a_post_for_a_formula(export, formula):
    user = make_user()
    make_post(user, formula)
    _, artifact = export(user, "csv")
    assert _rows(artifact)[1][0] == f"'{formula}"


def test_text_comes_through_as_it_was_written(export):
    user, text = make_user(), 'Grüße 👋 \u2028 </script> \\ " \x07'
    make_post(user, text)
    assert json.loads(export(user)[1].read())["posts"][0]["body"] == text


@pytest.mark.parametrize(("format", "empty"), [("json", b'{"posts": []}\n'), ("csv", b"body,timestamp\r\n")])
def test_no_posts_make_a_valid_file_and_a_sentence(mailserver, export, format, empty):
    task, artifact = export(make_user(email="ann@example.com"), format)
    assert artifact.read() == empty
    assert (task.state, task.done) == (State.SUCCEEDED, 1)
    assert task.title == f"Export posts as {format.upper()}: you have no posts yet"
    others = Phrase.from_json(task.title_phrase).words(owner="ann")
    assert others == f"Export posts as {format.upper()}: ann has no posts yet"
    [mail] = mailserver.mails
    assert (
        f"You have no posts yet, so the attached file posts.{format} has none in it."
        in mail.get_body(["plain"]).get_content()
    )


@pytest.mark.parametrize("format", ["json", "csv"])
def test_three_thousand_posts_are_all_there_in_order(export, format):
    user = make_user()
    make_posts(user, 3000)
    task, artifact = export(user, format)
    content = artifact.read()
    assert len(content) == artifact.size
    bodies = (
        [post["body"] for post in json.loads(content)["posts"]]
        if format == "json"
        else [r[0] for r in _rows(artifact)][1:]
    )
    assert bodies == [f"Post {n}" for n in range(1, 3001)]
    assert (task.done, task.total) == (3000, 3000)


def test_memory_does_not_grow_with_the_number_of_posts(export):
    def peak(number: int) -> int:
        user = make_user()
        make_posts(user, number, body="x" * 400)
        tracemalloc.start()
        _, artifact = export(user)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert artifact.size > 400 * number
        return peak

    assert peak(10_000) < peak(3000) + 500_000, "3 MB more of posts, and no more memory"


# Mail


def test_the_file_is_mailed_to_whoever_has_an_address(export, mailserver):
    user = make_user("ann", email="ann@example.com")
    make_post(user, "Grüße")
    task, artifact = export(user)
    [mail] = mailserver.mails
    assert mailserver.recipients == [["ann@example.com"]]
    assert mail["Message-ID"] == f"<task-{task.id}@localhost>"
    assert mail["Auto-Submitted"] == "auto-generated"
    [attachment] = mail.iter_attachments()
    assert (attachment.get_filename(), attachment.get_payload(decode=True)) == ("posts.json", artifact.read())
    for kind in ("plain", "html"):
        text = mail.get_body((kind,)).get_content()
        assert "ann" in text
        assert f"http://localhost/artifacts/{artifact.id}" in text
    assert task.state == State.SUCCEEDED
    assert "Emailed to ann@example.com" in [event.text for event in task.timeline()]


def test_nobody_is_mailed_who_gave_no_address(export, mailserver):
    task, _ = export(make_user(email=""))
    assert mailserver.mails == []
    assert task.state == State.SUCCEEDED


def test_who_has_not_confirmed_their_address_is_told_why_nothing_was_mailed(export, mailserver):
    user = make_user()
    make_email_change(user, "ann@example.com")
    task, _ = export(user)
    assert mailserver.mails == []
    assert task.state == State.SUCCEEDED
    assert "Not emailed: confirm ann@example.com in Settings" in task.timeline()[-2].text


def test_a_site_without_a_mail_server_says_so_and_succeeds(export):
    task, _ = export(make_user(email="ann@example.com"))
    assert task.state == State.SUCCEEDED
    assert any("Not emailed" in event.text for event in task.timeline())


def test_a_file_too_large_to_be_mailed_is_linked_to(export, mailserver, monkeypatch):
    monkeypatch.setattr(module, "ATTACHMENT_LIMIT", 10)
    user = make_user(email="ann@example.com")
    make_post(user)
    _, artifact = export(user)
    [mail] = mailserver.mails
    assert list(mail.iter_attachments()) == []
    assert "too large" in mail.get_body(("plain",)).get_content()
    assert str(artifact.id) in mail.get_body(("plain",)).get_content()


def test_a_refused_mail_fails_the_task_in_words_and_keeps_the_file(export, mailserver):
    mailserver.refused.add("ann@example.com")
    user = make_user(email="ann@example.com")
    make_post(user, "kept")
    task, artifact = export(user)
    assert task.state == State.FAILED
    assert "file is ready" in task.error
    assert "refused the address ann@example.com" in task.error
    assert json.loads(artifact.read())["posts"][0]["body"] == "kept"


def test_a_mail_server_that_is_away_is_tried_again_and_then_fails_the_task_in_words(make_app, export, run_tasks):
    make_app(mail_server="127.0.0.1", mail_port=free_port())
    task, artifact = export(make_user(email="ann@example.com"))
    assert (task.state, artifact.completed_at is not None) == (State.RETRYING, True)
    while task.state == State.RETRYING:
        Task.update(run_at=utcnow()).where(Task.id == task.id).execute()
        assert task.reload().enqueue()
        run_tasks()
        task.reload()
    assert (task.state, task.attempts) == (State.FAILED, 4)
    assert "could not be reached" in task.error
    [kept] = Artifact.completed([task])[task]
    assert kept.read() == artifact.read()


def test_a_mail_server_that_comes_back_gets_the_mail_once(export, mailserver, run_tasks):
    user = make_user(email="ann@example.com")
    make_posts(user, 3)
    mailserver.refused.add("ann@example.com")
    task, _ = export(user)
    assert task.state == State.FAILED
    mailserver.refused.clear()
    task.retry()
    run_tasks()
    assert (task.reload().state, task.done, task.total) == (State.SUCCEEDED, 4, 4)
    assert len(mailserver.mails) == 1
    assert Artifact.select().count() == 1


def test_the_title_says_the_format(app):
    assert export_posts.launch(make_user()).title == "Export posts as JSON"
    assert export_posts.launch(make_user(), format="csv").title == "Export posts as CSV"
