"""Whom a mail goes to: typed, pasted and uploaded addresses, and what is wrong with them."""

import time

import pytest

from tests.racing import elsewhere
from tests.webapp.web.routes.mail.desk import HTMX, TWO, addresses, in_future, send, upload
from webapp.dev.factories import make_mailing, make_post
from webapp.mail.recipients import read_recipients
from webapp.models import Delivery, Mailing, Task


def test_recipients_are_typed_in_many_ways_and_each_gets_one(ann):
    typed = '"Doe, Jane" <jane@example.com>; Bea <BEA@example.com>\r\nbea@example.com,,\n cem@example.com ;'
    answer = send(ann, recipients=typed)
    assert answer.status_code == 303
    assert addresses() == ["jane@example.com", "BEA@example.com", "cem@example.com"]
    assert "Skipped 1 duplicate." in ann.get(answer.location).words


def test_invalid_recipients_are_listed_by_line_and_nothing_is_sent(ann):
    typed = "bea@example.com\nnobody\nBea@example.com, cem@example\nx@y@z.example"
    answer = send(ann, recipients=typed, subject="Kept", template="free", body="My words")
    assert answer.status_code == 422
    assert "3 addresses aren’t valid" in answer.one("#recipients-error").text
    slips = [" ".join(slip.get_text(" ").split()) for slip in answer.page.select(".slips li")]
    assert [slip.split(" ")[:3] for slip in slips] == [
        ["Line", "2", "nobody"], ["Line", "3", "cem@example"], ["Line", "4", "x@y@z.example"],
        ["Line", "3", "Bea@example.com"],
    ]  # fmt: skip
    assert slips[-1].endswith("Duplicate of line 1.")
    assert answer.one("#recipients").text.strip() == typed
    assert answer.one("#subject")["value"] == "Kept"
    assert answer.one("#template option[selected]")["value"] == "free"
    assert answer.one("#body").text.strip() == "My words"
    assert not Task.select().exists()


@pytest.mark.parametrize(
    "data",
    [
        b"name,email\nDoe,dee@example.com\nEve,eve@example.com\n",
        'Name;E-Mail\n"Müller; Ä";dee@example.com\nEve;eve@example.com'.encode(),
        b"\xef\xbb\xbfdee@example.com\r\neve@example.com\r\n",
        b"dee@example.com, eve@example.com",
        "Name\tMail\nÄ\tdee@example.com\nEve\teve@example.com".encode("utf-16"),
    ],
)
def test_recipients_can_be_uploaded_and_are_added_to_those_typed(ann, data):
    assert send(ann, recipients="bea@example.com", recipients_file=upload("people.csv", data)).status_code == 303
    assert addresses() == ["bea@example.com", "dee@example.com", "eve@example.com"]


def test_uploaded_recipients_stand_in_the_field_when_something_is_wrong(ann):
    answer = send(ann, subject="", recipients="", recipients_file=upload("p.txt", b"dee@example.com\nnobody"))
    assert answer.status_code == 422
    assert answer.one("#recipients").text.split() == ["dee@example.com", "nobody"]


@pytest.mark.parametrize("data", [bytes(range(256)) * 9, b"", b"body\nno address", b"\xff\xfe\0"])
def test_a_file_without_recipients_is_told_at_its_field_and_not_mixed_with_those_typed(ann, data):
    for path in ("/mail", "/mail/draft"):
        answer = send(ann, path, recipients="bea@example.com", recipients_file=upload("p.png", data))
        assert (answer.status_code, "p.png" in answer.one("#recipients_file-error").text) == (422, True)
        assert answer.one("#recipients").text.strip() == "bea@example.com"
    assert not Task.select().exists()


def test_duplicates_are_told_in_the_one_sentence_that_says_it_is_sent(ann):
    answer = send(ann, recipients=f"{TWO}, Bea@example.com")
    [said] = ann.get(answer.location).page.select(".flash")
    assert "Hello”. Skipped 1 duplicate." in said.text


def test_five_thousand_and_no_more(ann, queries):
    many = "\n".join(f"p{number}@example.com" for number in range(5001))
    answer = send(ann, recipients=many)
    assert (answer.status_code, "5,001 recipients" in answer.one("#recipients-error").text) == (422, True)
    with queries() as seen:
        assert send(ann, recipients=many.rpartition("\n")[0]).status_code == 303
    assert seen.count < 50
    assert Delivery.select().count() == 5000


@pytest.mark.parametrize(
    "typed", ["", " ,; \n", "bea@example.com\0\nx", "a@b\r\nBcc: x@example.com", "jörg@example.com"]
)
def test_nobody_or_nonsense_is_refused(ann, typed):
    answer = send(ann, recipients=typed)
    assert answer.status_code == 422
    assert answer.one("#recipients-error").text


@pytest.mark.parametrize("file", [False, True], ids=["typed", "uploaded"])
@pytest.mark.parametrize(
    "text", ["<" + " " * 6000 + "x", '"' * 400_001, "a@," * 130_000, "a@" + "ü." * 190_000, "<,>" * 130_000]
)
def test_hostile_recipients_cost_little(ann, text, file):
    fields = (
        {"recipients": "", "recipients_file": upload("p.txt", text.encode()[:400_000])}
        if file
        else {"recipients": text}
    )
    token = ann.token()
    began = time.process_time()
    answer = ann.post("/mail/draft", data={"csrf_token": token, "template": "free"} | fields, headers=HTMX)
    assert time.process_time() - began < 10, "a pattern that tries everything takes a minute"
    assert answer.status_code == 200


def test_while_recipients_are_read_others_can_write(ann, bob, monkeypatch):
    def read(text):
        assert elsewhere(lambda: make_post(bob.user)), "in the transaction this would wait for its end"
        return read_recipients(text)

    monkeypatch.setattr("webapp.web.forms.recipient_input.read_recipients", read)
    people = upload("p.csv", b"dee@example.com")
    assert send(ann, "/mail/draft", recipients_file=people).status_code == 303
    assert "dee@example.com" in Mailing.draft_of(ann.user).recipients


def test_recipients_are_read_once_in_a_request_and_by_no_poll(ann, monkeypatch):
    read = []
    monkeypatch.setattr(
        "webapp.web.forms.recipient_input.read_recipients", lambda text: read.append(text) or read_recipients(text)
    )
    assert send(ann, recipients="bea@example.com, nobody").status_code == 422
    assert len(read) == 1
    assert "Draft, 1 recipient" in ann.get("/mail/_list", headers=HTMX).words
    assert len(read) == 1
    assert send(ann).status_code == 303
    assert len(read) == 2


def test_a_long_file_is_neither_shown_nor_kept_beyond_what_a_mail_may_have(ann):
    many = "".join(f"p{number}@example.com\n" for number in range(20_000)).encode()
    answer = send(ann, recipients="bea@example.com", recipients_file=upload("all.csv", many))
    assert answer.status_code == 422
    words = answer.one("#recipients_file-error").text
    assert "all.csv is too long" in words
    assert "lines weren’t read" in words
    assert "5,001 recipients" in answer.one("#recipients-error").text
    shown = answer.one("#recipients").text.split()
    assert (len(shown), shown[0], shown[-1]) == (5001, "bea@example.com", "p4999@example.com")
    assert len(Mailing.draft_of(ann.user).recipients) < 200_000
    assert not Task.select().exists()


def test_text_beyond_the_limit_is_told_and_shown_and_not_sent(ann):
    typed = "bea@example.com\n" * 40_000
    answer = send(ann, recipients=typed)
    assert (answer.status_code, "weren’t read" in answer.one("#recipients-error").text) == (422, True)
    assert answer.one("#recipients").text.strip() == typed.strip(), "nothing typed is lost"
    assert not Task.select().exists()


def test_a_row_without_an_address_is_told(ann):
    data = b"name,email\nDee,dee@example.com\nEve,\n"
    answer = send(ann, "/mail/draft", recipients="", recipients_file=upload("p.csv", data))
    assert "Skipped 1 row without an address." in ann.get(answer.location).words
    assert ann.get("/mail").one("#recipients").text.split() == ["dee@example.com"]
    shown = send(ann, "/mail/draft", recipients="", recipients_file=upload("p.csv", data), headers=HTMX)
    assert "Skipped 1 row without an address." in shown.one("#mail-to").text


# Leaving out what is no address


WRONG = "bea@example.com\nnobody\ncem@example.com, x@\nBea@example.com"
RIGHT = "bea@example.com\ncem@example.com\nBea@example.com"


def _leave_out(browser, page, **fields):
    button = page.one("form#mail #mail-leave-out")
    return send(browser, button["formaction"], recipients=WRONG, **fields)


def test_the_invalid_ones_are_left_out_by_one_press_and_all_else_stays(ann):
    typed = {"subject": "Kept", "template": "free", "body": "My words", "send_at": in_future(days=1)}
    page = send(ann, recipients=WRONG, attachment=[upload("early.txt", b"1")], **typed)
    assert page.one("#mail-leave-out").text == "Remove 2 invalid addresses"
    answer = _leave_out(ann, page, attachment=[upload("late.txt", b"2")], **typed)
    assert (answer.status_code, answer.location) == (303, "/mail#mail-to")
    page = ann.get(answer.location)
    assert page.one("#recipients").text.strip() == RIGHT
    assert not page.page.select("#mail-leave-out, .bad")
    assert (page.one("#subject")["value"], page.one("#body").text.strip()) == ("Kept", "My words")
    assert page.one("#send_at")["value"][:10] == typed["send_at"][:10]
    assert [file.name for file in Mailing.draft_of(ann.user).files()] == ["early.txt", "late.txt"]


def test_by_htmx_the_field_comes_back_without_them_and_with_the_focus(ann):
    page = send(ann, "/mail/draft", recipients=WRONG, headers=HTMX)
    assert page.one("#mail-leave-out")["hx-target"] == "#mail-to", "it is offered while somebody types"
    answer = send(ann, page.one("#mail-leave-out")["formaction"], recipients=WRONG, headers=HTMX)
    field = answer.one("#mail-to #recipients")
    assert (answer.status_code, field.text.strip()) == (200, RIGHT)
    assert field.has_attr("autofocus")


def test_invalid_recipients_are_removed_from_changes_to_a_scheduled_mail(ann):
    mailing = make_mailing(ann.user)
    page = send(ann, f"/mail/{mailing.id}/draft", recipients=WRONG, headers=HTMX)
    answer = send(ann, page.one("#mail-leave-out")["formaction"], recipients=WRONG)
    assert answer.location == f"/mail/{mailing.id}#mail-to"
    assert Mailing.draft_of(ann.user, mailing).recipients == RIGHT
    assert Mailing.draft_of(ann.user) is None
    assert Mailing.get_by_id(mailing.id).recipients != RIGHT


def test_invalid_recipients_are_removed_from_an_uploaded_file(ann):
    path = "/mail/recipients/correction"
    answer = send(ann, path, recipients="bea@example.com", recipients_file=upload("p.txt", b"dee@example.com\nnobody"))
    assert ann.get(answer.location).one("#recipients").text.split() == ["bea@example.com", "dee@example.com"]


def test_a_long_list_of_invalid_recipients_is_cut(ann):
    page = send(ann, recipients="\n".join(f"nobody-{number}" for number in range(332)))
    slips = page.page.select(".slips li")
    assert (len(slips), slips[19].b.text, slips[20].text) == (21, "Line 20", "and 312 more invalid addresses")
    assert page.one("#mail-leave-out").text == "Remove 332 invalid addresses"
