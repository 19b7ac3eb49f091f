"""A draft is saved while its writer types."""

import pytest

from tests.webapp.web.routes.mail.desk import HTMX, TWO, in_future, send, upload
from webapp.models import Mailing, MailingFile, Task


def test_a_draft_is_kept_one_a_person(ann, bob):
    when = in_future(days=2)
    for subject in ("First", "Second"):
        answer = send(ann, "/mail/draft", subject=subject, recipients="bea@", template="free", body="Hi", send_at=when)
        assert (answer.status_code, answer.location) == (303, "/mail")
    assert Mailing.select().count() == 1
    page = ann.get("/mail")
    assert page.one("#recipients").text.strip() == "bea@"
    assert page.one("#subject")["value"] == "Second"
    assert page.one("#body").text.strip() == "Hi"
    assert page.one("#send_at")["value"] == when
    assert not bob.get("/mail").one("#recipients").text.strip()
    assert bob.get("/mail/html").status_code == 404


def test_while_somebody_types_it_is_kept_and_counted(ann):
    answer = send(ann, "/mail/draft", headers=HTMX, recipients=f"{TWO}, bea@example.com\nnobody")
    assert answer.status_code == 200
    fragment = answer.one("#mail-found")
    assert "2 recipients, 1 duplicate skipped · Draft saved" in " ".join(fragment.text.split())
    assert "nobody" in fragment.text
    assert Mailing.draft_of(ann.user).subject == "Hello"


def test_the_same_file_twice_is_one(ann):
    for _ in range(2):
        send(ann, "/mail/draft", attachment=[upload("a.txt", b"a")])
    send(ann, "/mail/draft", attachment=[upload("a.txt", b"b"), upload("b.txt", b"a")])
    assert MailingFile.select().count() == 3


def test_a_file_that_is_chosen_is_kept_at_once(ann):
    answer = send(ann, "/mail/draft", headers=HTMX, subject="", attachment=[upload("a.txt", b"a")])
    assert "a.txt" in answer.one("#mail-files").text
    assert not answer.page.select(".error"), "whoever is not done yet is not told what is missing"


def test_an_autosave_that_comes_after_the_mail_was_sent_is_dropped(ann):
    key = ann.get("/mail").one("#form_key")["value"]
    send(ann, form_key=key)
    answer = send(ann, "/mail/draft", headers=HTMX, form_key=key)
    assert "Draft saved" not in answer.words
    assert Mailing.draft_of(ann.user) is None


def test_a_form_that_was_sent_and_typed_into_again_is_saved(ann):
    key = ann.get("/mail").one("#form_key")["value"]
    send(ann, form_key=key)
    answer = send(ann, "/mail/draft", headers=HTMX, form_key=key, subject="Another")
    assert "Draft saved" in answer.words
    assert Mailing.draft_of(ann.user).subject == "Another"


def test_changes_to_a_mail_scheduled_from_the_same_form_are_saved(ann):
    send(ann, form_key=ann.get("/mail").one("#form_key")["value"], send_at=in_future(days=2))
    path = f"/mail/{Mailing.get().id}"
    for subject in ("Changed", "Changed again"):  # also from the form that has the draft
        key, at = (ann.get(path).one(f"#{name}")["value"] for name in ("form_key", "send_at"))
        answer = send(ann, f"{path}/draft", headers=HTMX, form_key=key, subject=subject, send_at=at)
        assert "Changes kept as a draft" in answer.words
        assert "Draft saved" not in answer.words
        assert ann.get(path).one("#subject")["value"] == subject
    assert send(ann, path, form_key=key, subject=subject, send_at=at).status_code == 303
    late = send(ann, f"{path}/draft", headers=HTMX, form_key=key, subject=subject, send_at=at)
    assert "kept" not in late.words
    assert Mailing.select().count() == 1, "what was still being saved when that was pressed begins no new changes"


@pytest.mark.parametrize("key", ["a\0b", "x" * 33, "x" * 9999, "ü", ""])
def test_a_key_that_is_none_is_no_harm(ann_and_her_tabs, key):
    browser, token = ann_and_her_tabs[1]()
    fields = {"csrf_token": token, "form_key": key, "recipients": TWO, "subject": "Hello", "template": "welcome"}
    for path in ("/mail/draft", "/mail/preview", "/mail/recipients/correction", "/mail"):
        assert browser.post(path, data=fields).status_code in (200, 303)
    assert Task.select().count() == 1


def test_enter_in_a_field_sends_nothing(ann):
    assert ann.get("/mail").page.select("form#mail button")[0]["formaction"] == "/mail/preview#preview"
