"""Sending a mail to many: at once, once, and to nobody unasked."""

import pytest

from tests.browsing import browse
from tests.racing import race
from tests.webapp.web.routes.mail.desk import TWO, addresses, send, upload
from webapp.dev.factories import make_draft, make_mailing, make_mailing_file
from webapp.models import Mailing, State, Task
from webapp.web.forms.mail import MailForm


def test_the_page_is_for_who_is_signed_in_and_linked_to_in_the_header(ann, visitor):
    assert visitor.get("/mail").status_code in (302, 303)
    page = ann.get("/mail")
    assert page.one("nav a[href='/mail']")["aria-current"] == "page"
    for name in ("recipients", "recipients_file", "subject", "template", "body", "attachment", "send_at"):
        assert page.one(f"#{name}")["name"] == name
        assert page.one(f"label[for={name}]").text
    assert page.one("form#mail")["enctype"] == "multipart/form-data"


def test_a_mail_is_sent_at_once(ann, mailserver, run_tasks):
    answer = send(ann)
    [task] = Task.select()
    assert (answer.status_code, answer.location) == (303, f"/tasks/{task.id}")
    assert (task.name, task.state, task.user) == ("send_mail", State.PENDING, ann.user)
    run_tasks()
    assert mailserver.recipients == [["bea@example.com"], ["cem@example.com"]]
    page = ann.get(answer.location)
    assert "Email to 2 people: Hello" in page.words
    assert "2 sent" in page.words
    assert Mailing.draft_of(ann.user) is None, "what was sent is no draft any more"
    sent = ann.get(page.one("main a[href^='/mail/']")["href"])
    assert "Hello" in sent.one("h1").text


def test_the_task_is_not_offered_elsewhere(ann):
    assert not ann.get("/tasks/new").page.select("a[href='/tasks/new/send_mail']")
    assert ann.get("/tasks/new/send_mail").status_code == 404
    assert ann.submit("/tasks/new/send_mail", mailing="1").status_code == 404


def test_a_second_press_sends_nothing_more(ann):
    key = ann.get("/mail").one("#form_key")["value"]
    first, second = (send(ann, form_key=key) for _ in range(2))
    assert (second.status_code, second.location) == (303, first.location)
    assert Task.select().count() == 1


def test_a_second_press_with_uploads_sends_nothing_more(ann):
    key = ann.get("/mail").one("#form_key")["value"]
    first, second = (
        send(ann, form_key=key, recipients_file=upload("p.csv", b"dee@example.com"), attachment=[upload("a", b"a")])
        for _ in range(2)
    )
    assert (second.status_code, second.location) == (303, first.location)
    assert Task.select().count() == 1


def test_a_draft_that_went_on_in_another_tab_is_neither_lost_nor_sent_unasked(ann):
    key = ann.get("/mail").one("#form_key")["value"]
    send(ann, form_key=key)
    answer = send(ann, form_key=key, subject="Another")
    assert (answer.status_code, Task.select().count()) == (422, 1)
    assert "press Send again" in answer.words
    assert answer.one("#subject")["value"] == Mailing.draft_of(ann.user).subject == "Another"
    send(ann, form_key=answer.one("#form_key")["value"], subject="Another")
    assert Task.select().count() == 2


@pytest.mark.parametrize("make", [make_draft, make_mailing], ids=["of a draft", "of a mail that is scheduled"])
def test_two_presses_at_once_take_one_file_out(ann_and_her_tabs, make):
    user, new_tab = ann_and_her_tabs
    mailing = make(user)
    files = [make_mailing_file(mailing, f"{number}.txt", b"%d" % number) for number in range(4)]
    tabs = iter([new_tab(), new_tab()])

    def press():
        browser, token = next(tabs)
        return browser.post(f"/mail/files/{files[1].id}/deletion", data={"csrf_token": token}).status_code

    assert sorted(race(2, press)) == [303, 404]
    draft = mailing if mailing.is_draft else Mailing.draft_of(user, mailing)
    assert [file.name for file in draft.files()] == ["0.txt", "2.txt", "3.txt"]


def test_a_draft_that_a_copy_replaces_while_it_is_sent_is_there_again_with_its_files(ann, monkeypatch):
    other = make_mailing(ann.user, state=State.SUCCEEDED)
    write_to = MailForm.write_to

    def keep(form, draft):
        write_to(form, draft)
        monkeypatch.setattr(MailForm, "write_to", write_to)
        other.copy(replacing=True)

    monkeypatch.setattr(MailForm, "write_to", keep)
    answer = send(ann, subject="Mine", form_key="key", attachment=[upload("a.txt", b"all of it")])
    assert (answer.status_code, Task.select().count()) == (422, 1)
    draft = Mailing.draft_of(ann.user)
    assert answer.one("#subject")["value"] == draft.subject == "Mine"
    assert [file.read() for file in draft.files()] == [b"all of it"]


def test_a_subject_of_blanks_is_none(ann):
    assert send(ann, subject=" \t").status_code == 422
    assert not Task.select().exists()


def test_two_presses_at_once_send_once(app, ann):
    token, cookie = ann.token(), ann.get_cookie("errand").value
    key = ann.get("/mail").one("#form_key")["value"]
    fields = {"csrf_token": token, "form_key": key, "recipients": TWO, "subject": "Hello", "template": "welcome"}

    def press():
        browser = browse(app)
        browser.set_cookie("errand", cookie)
        return browser.post("/mail", data=fields)

    answers = race(2, press)
    [task] = Task.select()
    assert [(answer.status_code, answer.location) for answer in answers] == [(303, f"/tasks/{task.id}")] * 2
    assert len(addresses()) == 2
