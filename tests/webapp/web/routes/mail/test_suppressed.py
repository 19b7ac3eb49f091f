"""The page of suppressed addresses, and what the desk says of them; and a test to oneself."""

import pytest

from tests.browsing import browse
from tests.webapp.web.routes.mail.desk import TWO, send, upload
from webapp.dev.factories import make_user
from webapp.dev.mail_factories import make_suppression
from webapp.models import Delivery, Mailing, RateCount, Suppression, Task, User
from webapp.models.mailing.suppression import Reason


def test_a_sender_adds_addresses_and_removes_those_that_are_theirs_to_remove(ann):
    assert "No addresses yet" in ann.get("/mail/suppressed").words
    answer = ann.submit("/mail/suppressed", addresses="Bea <BEA@example.com>, cem@example.com\nbea@example.com")
    assert (answer.status_code, answer.location) == (303, "/mail/suppressed")
    make_suppression(ann.user, "dee@example.com", Reason.UNSUBSCRIBED)
    make_suppression(None, "eve@example.com", Reason.OPERATOR)
    make_suppression(make_user("bob"), "bob@example.com")
    page = ann.get("/mail/suppressed")
    assert [item.text for item in page.page.select("main li strong")] == [
        "dee@example.com",
        "cem@example.com",
        "bea@example.com",
    ]
    assert len(page.page.select("main li button")) == 2, "who has unsubscribed is not the sender's to remove"
    for row in Suppression.select().order_by(Suppression.reason == Reason.UNSUBSCRIBED):
        status = ann.submit(f"/mail/suppressed/{row.id}/deletion").status_code
        assert status == (303 if row.sender_id == ann.user.id else 404)
    assert {row.address for row in Suppression.select()} == {"dee@example.com", "eve@example.com", "bob@example.com"}
    assert "Only they can undo that" in ann.get("/mail/suppressed").words


@pytest.mark.parametrize(("typed", "words"), [("", "at least one address"), ("nobody", "Line 1, “nobody”")])
def test_what_is_no_address_is_told_at_the_field_and_kept(ann, typed, words):
    answer = ann.submit("/mail/suppressed", addresses=typed)
    assert (answer.status_code, words in answer.one("#addresses-error").text) == (422, True)
    assert answer.one("#addresses").text.strip() == typed


def test_a_preview_says_who_sends_it_and_who_will_not_get_it(ann):
    make_suppression(ann.user, "bea@example.com", Reason.UNSUBSCRIBED)
    page = send(ann, "/mail/preview", recipients=f"{TWO}, dee@example.com")
    assert page.one("#left-out").text.startswith("1 of 3 won’t get it: unsubscribed.")
    make_suppression(None, "cem@example.com", Reason.OPERATOR)
    page = send(ann, "/mail/preview", recipients=f"{TWO}, dee@example.com")
    assert "2 of 3 won’t get it: 1 unsubscribed, 1 suppressed by this site" in page.one("#left-out").text
    assert [found.text for found in page.page.select("#preview dd")] == ["Errand <errand@localhost>", "ann@example.com"]


def test_a_preview_looks_all_recipients_up_at_once(ann, queries):
    def cost(number: int) -> int:
        many = "\n".join(f"p{n}@example.com" for n in range(number))
        with queries() as seen:
            assert send(ann, "/mail/preview", recipients=many).status_code == 200
        return seen.count

    few = cost(1)
    assert cost(5000) - few <= 5


def test_who_was_left_out_is_listed_with_the_reason(ann, mailserver, run_tasks):
    make_suppression(ann.user, "bea@example.com", Reason.UNSUBSCRIBED)
    send(ann)
    run_tasks()
    page = ann.get(f"/mail/{Mailing.get().id}")
    assert ("1 sent, 1 left out" in page.words, "bea@example.com Unsubscribed." in page.words) == (True, True)
    assert "1 left out" in ann.get("/mail").words


# A test to oneself


def test_a_test_goes_to_its_writer_and_the_draft_stays(ann, mailserver, run_tasks):
    answer = send(ann, "/mail/test", template="free", body="Hi", attachment=[upload("a.txt", b"a")], form_key="key")
    assert (answer.status_code, answer.location) == (303, "/mail#mail")
    run_tasks()
    assert mailserver.recipients == [["ann@example.com"]]
    assert mailserver.mails[0]["Subject"] == "Test: Hello"
    page = ann.get("/mail")
    assert "sending a test to ann@example.com" in page.words
    assert (page.one("#recipients").text.strip(), page.one("#body").text.strip()) == (TWO, "Hi")
    assert "a.txt" in page.one("#mail-files").text
    assert send(ann, template="free", body="Hi", form_key="key").status_code == 303, "it can still be sent"


def test_a_test_needs_no_recipients_but_all_that_is_sent(ann):
    assert send(ann, "/mail/test", recipients="nobody").status_code == 303
    answer = send(ann, "/mail/test", recipients="", template="free", body="")
    assert (answer.status_code, "Write some text" in answer.one("#body-error").text) == (422, True)
    assert "recipients-error" not in answer.get_data(as_text=True)


def test_tests_are_limited_and_counted(make_app, ann):
    for _ in range(10):
        assert send(ann, "/mail/test").status_code == 303
    answer = send(ann, "/mail/test", subject="Not lost")
    assert (answer.status_code, answer.one("#subject")["value"]) == (429, "Not lost")
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert "10 tests an hour" in answer.one("#recipients-error").text
    RateCount.delete().execute()
    browser = browse(make_app(mail_daily_limit=10), ann.user)
    assert "have 0 left" in send(browser, "/mail/test").one("#recipients-error").text
    assert Delivery.select().count() == Task.select().count() == 10


def test_who_has_no_address_is_told_what_a_test_needs(ann):
    User.update(email="", email_confirmed_at=None).execute()
    assert "first confirm an email address" in send(ann, "/mail/test").one("#recipients-error").text
