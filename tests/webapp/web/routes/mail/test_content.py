"""What a mail says: its template, its text, its subject, and its preview."""

import re

import pytest

from tests.webapp.web.routes.mail.desk import TWO, send, upload
from webapp.dev.factories import make_task
from webapp.lib.times import utcnow
from webapp.models import Mailing, State, Task, User
from webapp.web.presenters.mail_preview import OWN_LINK


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", ""),
        ("subject", "Hello\nBcc: eve@example.com"),
        ("subject", "x" * 201),
        ("template", "nonsense"),
        ("template", ""),
        ("body", ""),
        ("body", "x" * 20_001),
        ("send_at", "2020-01-01T10:00"),
        ("send_at", "2999-01-01T10:00"),
        ("send_at", "tomorrow"),
    ],
)
def test_a_wrong_field_is_told_at_the_field_and_sends_nothing(ann, field, value):
    answer = send(ann, **{"template": "free", "body": "Hi", field: value})
    assert answer.status_code == 422
    assert answer.one(f"#{field}-error").text
    assert answer.one(f"#{field}")["aria-invalid"] == "true"
    assert not Task.select().exists()


def test_the_preview_is_what_is_sent(ann, mailserver, run_tasks):
    make_task(State.SUCCEEDED, ann.user, title="Count <b>")
    fields = {"template": "all_tasks", "attachment": upload("a.txt", b"a")}
    page = send(ann, "/mail/preview", **fields)
    assert page.status_code == 200
    frame = page.one("#preview iframe")
    assert frame.has_attr("sandbox")
    html = ann.get(frame["src"])
    assert "default-src 'none'" in html.headers["Content-Security-Policy"]
    assert not Task.select().where(Task.name == "send_mail").exists()
    assert page.one("#subject")["value"] == "Hello"
    Task.update(state=State.SUCCEEDED).execute()
    send(ann, template="all_tasks", form_key=page.one("#form_key")["value"])
    run_tasks()
    [mail, _] = mailserver.mails
    text = re.sub(r"http\S+/unsubscribe/\S+", OWN_LINK, mail.get_body(("plain",)).get_content())
    assert text.split() == page.one("#preview pre").text.split()
    sent = mail.get_body(("html",)).get_content()
    assert "Count &lt;b&gt;" in sent
    assert 'src="cid:logo"' in sent
    shown = html.get_data(as_text=True)
    assert "cid:logo" not in shown
    assert shown.partition("data:image/png")[0].split() == sent.partition("cid:logo")[0].split()
    assert [part.get_filename() for part in mail.iter_attachments()] == ["a.txt"], "the file was kept with the draft"


def test_a_preview_says_which_addresses_are_wrong_and_does_not_complain_of_what_is_missing(ann):
    page = send(ann, "/mail/preview", recipients="nobody", subject="")
    assert page.status_code == 200
    assert "nobody" in page.one(".slips").text
    assert not page.page.select(".error")
    assert page.one("[autofocus]")["id"] == "preview-title", "that is what was asked for"
    assert page.one("#preview iframe")


def test_free_text_is_escaped_and_keeps_its_paragraphs(ann):
    send(ann, "/mail/preview", template="free", body="One <script>\nline\r\n\r\nhttps://example.com/a")
    html = ann.get("/mail/html")
    assert not html.page.select("script")
    assert len(html.page.select("p[style*=pre-line]")) == 2
    assert html.one("a[href='https://example.com/a']")


@pytest.mark.parametrize(
    "body",
    ["x" * 944, "x" * 20_000, "&" * 5000, "ü" * 999, "정" * 20_000, "A line.\n" * 2000 + "👋", ".\n..\nFrom: x"],
    ids=["one that was refused", "the longest", "much to escape", "umlauts", "Korean", "many lines", "odd lines"],
)
def test_a_text_of_any_kind_arrives_as_it_was_typed(ann, mailserver, run_tasks, body):
    assert send(ann, recipients="bea@example.com", template="free", body=body).status_code == 303
    run_tasks()
    [mail] = mailserver.mails
    assert mail.get_body(("plain",)).get_content().partition("\r\n\r\n\r\n-- ")[0] == body.replace("\n", "\r\n")
    assert mail["Auto-Submitted"] is None, "it is from a person"


@pytest.mark.parametrize("typed", ["jörg@example.com", "ann@bücher.example"])
def test_who_has_an_address_in_another_script_can_mail_too(ann, mailserver, run_tasks, typed):
    User.update(email=typed, email_confirmed_at=utcnow()).where(User.id == ann.user.id).execute()
    send(ann, recipients="bea@example.com")
    run_tasks()
    [mail] = mailserver.mails
    assert mail["Reply-To"] == (None if "jörg" in typed else "ann@xn--bcher-kva.example")


def test_a_subject_may_have_what_joins_letters(ann, mailserver, run_tasks):
    subject = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL} می\u200cخواهم"
    assert send(ann, recipients="bea@example.com", subject=subject).status_code == 303
    run_tasks()
    assert mailserver.mails[0]["Subject"] == subject


# The subject that a template brings


def test_a_new_email_begins_with_the_field_to_write_in_and_a_program_may_still_leave_the_template_out(ann):
    page = ann.get("/mail")
    assert page.one("#template option[selected]").text == "My own text"
    fields = {"csrf_token": page.one("#mail > [name=csrf_token]")["value"], "recipients": TWO, "subject": "Hello"}
    assert ann.post("/mail", data=fields).status_code == 303
    assert Mailing.get().template == "welcome"


@pytest.mark.parametrize("path", ["/mail/preview", "/mail/draft/template"])
def test_a_template_brings_its_subject_unless_another_was_typed(ann, path):
    def choose(template: str, subject: str) -> str:
        page = send(ann, path, template=template, subject=subject)
        assert page.one("#template option[selected]")["value"] == template
        assert Mailing.draft_of(ann.user).subject == page.one("#subject").get("value", "")
        return page.one("#subject").get("value", "")

    assert choose("welcome", "") == "Welcome to Errand"
    assert choose("all_tasks", "Welcome to Errand") == "ann’s tasks"
    assert choose("latest_finished", " ann’s tasks ") == "ann’s latest finished tasks"
    assert choose("in_progress", "ann’s latest finished tasks") == "ann’s tasks in progress"
    assert choose("free", "ann’s tasks in progress") == ""
    assert choose("welcome", "My own") == "My own"
    assert choose("free", "My own") == "My own"


def test_a_subject_that_was_forgotten_is_offered_and_sent_with_a_second_press(ann, mailserver, run_tasks):
    page = send(ann, subject="")
    assert (page.status_code, page.one("#subject")["value"]) == (422, "Welcome to Errand")
    assert "no subject" in page.one("#subject-error").text
    key = page.one("#form_key")["value"]
    assert send(ann, subject=page.one("#subject")["value"], form_key=key).status_code == 303
    run_tasks()
    assert {mail["Subject"] for mail in mailserver.mails} == {"Welcome to Errand"}
    assert "Add a subject" in send(ann, subject="", template="free", body="Hi").one("#subject-error").text
