"""Mailings by the API: drafts of programs, their sending, and what came of it."""

import io
from datetime import timedelta

import pytest

from tests.browsing import Browser, browse
from tests.webapp.web.api.client import Program, pointers
from tests.webapp.web.routes.mail.desk import TWO
from webapp.dev.factories import make_mailing, make_user
from webapp.dev.mail_factories import make_suppression
from webapp.lib.times import utcnow
from webapp.mail.recipients import MOST_RECIPIENTS
from webapp.models import Delivery, Mailing, State, Task, User
from webapp.models.mailing import drafts
from webapp.models.mailing.delivery import Sending
from webapp.models.mailing.suppression import Reason

HELLO = {"recipients": ["bea@example.com", "Cem <cem@example.com>"], "subject": "Hello", "body": "Hi there."}


@pytest.fixture(autouse=True)
def _mail(mailserver):
    """A site that can send mail."""


@pytest.fixture
def anns(program_of) -> Program:
    """A program of Ann's, who may mail others."""
    return program_of(make_user("ann", email="ann@example.com"))


@pytest.fixture
def ann_in_browser(app, anns) -> Browser:
    """Ann at the site itself."""
    return browse(app, anns.user)


def in_future(**delta) -> str:
    return f"{utcnow() + timedelta(**delta):%Y-%m-%dT%H:%M:%SZ}"


def draft_of(program, **fields) -> str:
    answer = program.post("/mailings", HELLO | fields)
    assert answer.status_code == 201, answer.json
    return answer.headers["Location"]


def sent_by(program, **fields) -> str:
    where = draft_of(program, **fields)
    assert program.post(f"{where}/sending").status_code == 202
    return where


# Drafts


def test_a_program_writes_a_draft_and_sends_it(anns, run_tasks, mailserver):
    where = draft_of(anns)
    draft = anns.get(where).json
    assert (draft["state"], draft["task"], draft["deliveries"]) == ("draft", None, None)
    assert draft["recipients"] == ["bea@example.com", "Cem <cem@example.com>"]
    assert draft["template"] == "free"
    answer = anns.post(f"{where}/sending")
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/api/v1/tasks/{answer.json['task']}"
    assert (answer.json["state"], answer.json["deliveries"]["waiting"]) == ("pending", 2)
    run_tasks()
    assert anns.get(where).json["state"] == "succeeded"
    found = anns.get(f"{where}/deliveries").json["items"]
    assert [(each["address"], each["state"]) for each in found] == [
        ("bea@example.com", "sent"),
        ("cem@example.com", "sent"),
    ]
    assert len(mailserver.mails) == 2


def test_a_draft_can_lack_what_is_not_known_yet_but_cannot_be_sent(anns):
    where = anns.post("/mailings", {"subject": "Hello"}).headers["Location"]
    answer = anns.post(f"{where}/sending")
    assert answer.status_code == 422
    assert pointers(answer) == {
        "/recipients": "Add at least one recipient.",
        "/body": "Write some text, or choose another template.",
    }
    assert anns.patch(where, {"recipients": TWO, "template": "welcome"}).status_code == 200
    assert anns.post(f"{where}/sending").status_code == 202


@pytest.mark.parametrize(
    ("said", "places"),
    [
        ({}, ""),
        ({"recipients": 1}, "/recipients"),
        ({"recipients": ["bea@example.com", "", "bea"]}, "/recipients /recipients/2"),
        ({"recipients": "bea@example.com, bea"}, "/recipients"),
        ({"subject": "Hello\u2028there"}, "/subject"),
        ({"subject": "x" * 201}, "/subject"),
        ({"body": "x" * 20_001}, "/body"),
        ({"template": "none"}, "/template"),
        ({"run_at": "tomorrow"}, "/run_at"),
        ({"run_at": "2001-01-01T00:00:00Z"}, "/run_at"),
        ({"run_at": "9999-01-01T00:00:00Z"}, "/run_at"),
        ({"attachment": "x"}, "/attachment"),
    ],
)
def test_what_is_wrong_with_a_mailing_is_said_at_its_place(anns, said, places):
    answer = anns.post("/mailings", said)
    assert answer.status_code == 422
    assert " ".join(pointers(answer)) == places
    assert Mailing.select().count() == 0


def test_the_largest_list_of_recipients_is_taken_and_no_larger_one(anns):
    many = [f"person{number}@example.com" for number in range(MOST_RECIPIENTS)]
    assert anns.post("/mailings", {"recipients": many}).status_code == 201
    answer = anns.post("/mailings", {"recipients": [*many, "one@example.com"]})
    assert pointers(answer) == {"/recipients": "You have 5,001 recipients. The limit is 5,000."}


def test_a_template_brings_its_subject(anns):
    where = draft_of(anns, template="all_tasks", subject="")
    assert anns.get(where).json["subject"] == "ann’s tasks"
    assert anns.patch(where, {"template": "in_progress"}).json["subject"] == "ann’s tasks in progress"
    assert anns.patch(where, {"subject": "Mine"}).json["subject"] == "Mine"
    assert anns.patch(where, {"template": "all_tasks"}).json["subject"] == "Mine"


def test_the_draft_that_is_open_in_a_browser_is_left_alone(anns, ann_in_browser):
    ann_in_browser.submit("/mail/draft", recipients="dora@example.com", subject="By hand", template="free")
    [by_hand] = Mailing.select()
    where = draft_of(anns)
    assert anns.get(f"/mailings/{by_hand.id}").status_code == 404
    assert [each["subject"] for each in anns.get("/mailings").json["items"]] == ["Hello"]
    assert anns.post(f"{where}/sending").status_code == 202
    assert Mailing.draft_of(anns.user).recipients == "dora@example.com"


def test_a_person_finds_the_drafts_of_their_programs_and_may_send_them(anns, ann_in_browser):
    where = draft_of(anns).removeprefix("/api/v1/mailings")
    shown = ann_in_browser.get("/mail").get_data(as_text=True)
    assert f'href="/mail{where}"' in shown
    assert "Draft by a program, 2 recipients" in shown
    page = ann_in_browser.get(f"/mail{where}").get_data(as_text=True)
    assert "Draft by a program" in page
    assert "Hi there." in page
    sending = ann_in_browser.submit(f"/mail{where}", recipients=TWO, subject="Hello", template="free", body="Better.")
    assert sending.status_code == 303
    assert anns.get(f"/mailings{where}").json["body"] == "Better."
    assert Mailing.select().count() == 1


def test_a_person_deletes_a_draft_of_their_programs_and_keeps_their_own(anns, ann_in_browser):
    ann_in_browser.submit("/mail/draft", recipients="dora@example.com", subject="By hand", template="free")
    where = draft_of(anns).removeprefix("/api/v1/mailings")
    assert ann_in_browser.submit(f"/mail{where}/draft/deletion").location == "/mail"
    assert anns.get(f"/mailings{where}").status_code == 404
    assert Mailing.draft_of(anns.user).recipients == "dora@example.com"


def test_programs_have_so_many_drafts_at_a_time(anns, monkeypatch):
    monkeypatch.setattr(drafts, "MOST_BY_PROGRAMS", 2)
    first = draft_of(anns)
    draft_of(anns)
    answer = anns.post("/mailings", HELLO)
    assert (answer.status_code, answer.json["quota"]) == (422, "mail_drafts")
    anns.delete(first)
    draft_of(anns)
    assert Mailing.select().count() == 2


def test_a_draft_is_deleted_for_good(anns):
    where = draft_of(anns)
    old = anns.get(where).headers["ETag"]
    anns.patch(where, {"body": "Changed"})
    assert anns.delete(where, headers={"If-Match": old}).status_code == 412
    assert anns.delete(where).status_code == 204
    assert anns.get(where).status_code == 404


def test_a_draft_is_changed_in_the_version_that_was_read(anns):
    where = draft_of(anns)
    old = anns.get(where).headers["ETag"]
    new = anns.patch(where, {"body": "New"}, headers={"If-Match": old})
    assert (new.json["body"], new.json["subject"]) == ("New", "Hello")
    assert anns.patch(where, {"body": "Newer"}, headers={"If-Match": old}).status_code == 412
    assert anns.patch(where, {"body": "Newer"}, headers={"If-Match": new.headers["ETag"]}).status_code == 200
    assert anns.get(where, headers={"If-None-Match": new.headers["ETag"]}).status_code == 200
    assert anns.get(where, headers={"If-None-Match": anns.get(where).headers["ETag"]}).status_code == 304


# Sending


def test_what_is_scheduled_can_be_changed_until_it_starts(anns, run_tasks):
    where = draft_of(anns)
    sent = anns.post(f"{where}/sending", {"run_at": in_future(hours=2)})
    assert sent.json["state"] == "scheduled"
    later = in_future(hours=3)
    changed = anns.patch(where, {"recipients": "dora@example.com", "run_at": later, "subject": "Later"}).json
    assert (changed["run_at"], changed["subject"], changed["deliveries"]["waiting"]) == (later, "Later", 1)
    assert changed["task"] == sent.json["task"]
    assert Task.get_by_id(changed["task"]).title_words() == "Email to 1 person: Later"
    assert pointers(anns.patch(where, {"recipients": []})) == {"/recipients": "Add at least one recipient."}
    assert anns.patch(where, {"run_at": None}).json["state"] == "pending"
    run_tasks()
    assert anns.patch(where, {"subject": "Too late"}).status_code == 409
    assert anns.get(where).json["subject"] == "Later"


def test_a_draft_keeps_the_time_at_which_it_is_to_be_sent(anns):
    at = in_future(days=2)
    where = draft_of(anns, run_at=at)
    assert anns.get(where).json["run_at"] == at
    assert anns.post(f"{where}/sending").json["run_at"] == at


def test_a_mailing_is_sent_once(anns):
    where = sent_by(anns)
    again = anns.post(f"{where}/sending")
    assert again.status_code == 409
    assert again.json["state"] == "pending"
    assert again.json["task"] == anns.get(where).json["task"]
    assert Task.select().count() == 1


def test_who_may_not_mail_others_yet_is_told_the_words_of_the_page(program_of):
    new = program_of(make_user("new", email="new@example.com", created_at=utcnow()))
    where = draft_of(new)
    answer = new.post(f"{where}/sending")
    assert answer.status_code == 403
    assert answer.json["detail"].startswith("Your account is new:")
    assert answer.json["detail"].endswith("You can schedule this for later.")
    assert new.get(where).json["state"] == "draft"
    assert new.post(f"{where}/sending", {"run_at": in_future(days=2)}).status_code == 202


def test_the_daily_limit_of_the_pages_counts_for_programs(make_app):
    anns = Program(make_app(mail_daily_limit=3), make_user("ann", email="ann@example.com"))
    sent_by(anns)
    where = draft_of(anns)
    answer = anns.post(f"{where}/sending")
    assert (answer.status_code, answer.json["quota"]) == (429, "mail_daily_limit")
    assert int(answer.headers["Retry-After"]) >= 60
    assert pointers(answer)["/recipients"].startswith("You can email 3 people in 24 hours and have 1 left")
    many = draft_of(anns, recipients=[f"{number}@example.com" for number in range(4)])
    assert anns.post(f"{many}/sending").status_code == 422
    assert anns.get(where).json["state"] == "draft"


def test_what_is_sent_is_deleted_once_it_is_finished(anns, run_tasks):
    where = sent_by(anns)
    answer = anns.delete(where)
    assert (answer.status_code, answer.json["state"]) == (409, "pending")
    run_tasks()
    assert anns.delete(where).status_code == 204
    assert anns.get(where).status_code == 404
    assert Task.select().count() == Mailing.select().count() == 0


def test_what_was_sent_from_the_pages_is_there_as_well(anns, ann_in_browser):
    ann_in_browser.submit("/mail", recipients=TWO, subject="By hand", template="welcome")
    [mailing] = anns.get("/mailings").json["items"]
    assert mailing["subject"] == "By hand"
    assert anns.get(f"/mailings/{mailing['id']}").json["recipients"] == ["bea@example.com, cem@example.com"]


# Looking at it before


def test_a_preview_says_who_will_not_get_it(anns):
    make_suppression(anns.user, "bea@example.com", Reason.UNSUBSCRIBED)
    where = f"{draft_of(anns)}/preview"
    answer = anns.get(where)
    assert anns.get(where, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    preview = answer.json
    assert (preview["recipients"], preview["suppressed"]) == (2, {"unsubscribed": 1})
    assert (preview["subject"], preview["reply_to"]) == ("Hello", "ann@example.com")
    assert "Hi there." in preview["text"]
    assert "<p" in preview["html"]


def test_a_test_goes_to_oneself_alone_and_changes_nothing(anns, run_tasks, mailserver):
    where = anns.post("/mailings", {"subject": "Hello", "body": "Hi."}).headers["Location"]
    answer = anns.post(f"{where}/test")
    assert (answer.status_code, answer.json["address"]) == (202, "ann@example.com")
    assert answer.headers["Location"] == f"/api/v1/tasks/{answer.json['task']}"
    run_tasks()
    assert [message["Subject"] for message in mailserver.mails] == ["Test: Hello"]
    assert anns.get(where).json["state"] == "draft"


def test_tests_have_the_limit_of_the_pages(anns, program_of):
    where = draft_of(anns)
    answers = [anns.post(f"{where}/test") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [202] * 10 + [429]
    assert answers[-1].json["detail"].startswith("You can send yourself 10 tests an hour.")
    assert int(answers[-1].headers["Retry-After"]) > 0
    nobody = program_of(make_user("bob"))
    answer = nobody.post(f"{draft_of(nobody)}/test")
    assert answer.status_code == 403
    assert answer.json["detail"] == "To send yourself a test, first confirm an email address in Settings."
    assert anns.post(f"{anns.post('/mailings', {'body': 'Hi'}).headers['Location']}/test").status_code == 422


# Files


def attach(program, where, **files):
    data = {"files": [(io.BytesIO(content), f"{name}.txt") for name, content in files.items()]}
    return program.ask("POST", f"{where}/attachments", data=data, content_type="multipart/form-data")


def test_files_go_with_a_mailing(anns, run_tasks, mailserver):
    where = draft_of(anns)
    answer = attach(anns, where, a=b"one", b=b"two")
    assert (answer.status_code, answer.headers["ETag"]) == (200, anns.get(where).headers["ETag"])
    first, second = answer.json["attachments"]
    assert (first["name"], first["size"], first["content_type"]) == ("a.txt", 3, "text/plain")
    assert anns.delete(f"{where}/attachments/{first['id']}").status_code == 204
    assert anns.delete(f"{where}/attachments/{first['id']}").status_code == 404
    anns.post(f"{where}/sending")
    assert anns.delete(f"{where}/attachments/{second['id']}").status_code == 409
    assert attach(anns, where, c=b"late").status_code == 409
    run_tasks()
    files = [[part.get_filename() for part in mail.iter_attachments()] for mail in mailserver.mails]
    assert files == [["b.txt"], ["b.txt"]]


def test_files_of_what_is_scheduled_can_be_changed(anns):
    where = draft_of(anns)
    anns.post(f"{where}/sending", {"run_at": in_future(hours=2)})
    [file] = attach(anns, where, a=b"one").json["attachments"]
    assert anns.get(where).json["state"] == "scheduled"
    assert anns.delete(f"{where}/attachments/{file['id']}").status_code == 204
    assert anns.get(where).json["attachments"] == []


def test_files_are_attached_all_or_none(anns, app):
    where = draft_of(anns)
    answer = attach(anns, where, a=b"one", b=b"x" * app.config["SETTINGS"].max_upload)
    assert (answer.status_code, list(pointers(answer))) == (422, ["/files"])
    assert anns.get(where).json["attachments"] == []
    assert pointers(attach(anns, where)) == {"/files": "Send at least one file."}
    assert anns.post(f"{where}/attachments", {"files": []}).status_code == 415


# Others, and costs


def test_somebody_elses_mailing_is_not_there(anns, program_of):
    drafted, sent = draft_of(anns), sent_by(anns)
    [file] = attach(anns, drafted, a=b"one").json["attachments"]
    bobs = program_of(make_user("bob", email="bob@example.com"))
    for where in (drafted, sent):
        answers = [
            bobs.get(where),
            bobs.patch(where, {"body": "x"}),
            bobs.delete(where),
            bobs.get(f"{where}/preview"),
            bobs.post(f"{where}/test"),
            bobs.post(f"{where}/sending"),
            bobs.get(f"{where}/deliveries"),
            attach(bobs, where, a=b"x"),
            bobs.delete(f"{where}/attachments/{file['id']}"),
        ]
        assert {answer.status_code for answer in answers} == {404}
    other = draft_of(anns)
    assert anns.delete(f"{other}/attachments/{file['id']}").status_code == 404
    assert bobs.get("/mailings").json["items"] == []


def test_deliveries_are_paged_by_their_addresses(anns):
    where = sent_by(anns, recipients=[f"{letter}@example.com" for letter in "edcba"])
    mailing = int(where.rpartition("/")[2])
    Delivery.update(state=Sending.REFUSED, skipped=Reason.ENTERED, error="You suppressed it.").where(
        Delivery.mailing == mailing, Delivery.address == "b@example.com"
    ).execute()
    first = anns.get(f"{where}/deliveries?limit=2")
    second = anns.get(first.headers["Link"].partition(">")[0].removeprefix("<"))
    third = anns.get(f"{where}/deliveries?limit=2&cursor={second.json['next']}")
    found = [each["address"][0] for answer in (first, second, third) for each in answer.json["items"]]
    assert ("".join(found), third.json["next"]) == ("abcde", None)
    assert first.json["items"][1]["state"] == "skipped"
    assert first.json["items"][1]["error"] == "You suppressed it."


def test_what_mailings_cost_in_queries(each_database, queries):
    ann = make_user("ann", email="ann@example.com")
    anns = Program(each_database, ann)
    for _ in range(5):
        make_mailing(ann, state=State.SUCCEEDED)
    drafted = draft_of(anns)
    sent = f"/mailings/{Mailing.get(Mailing.draft_key.is_null()).id}"
    costs = {}
    for name, ask in {
        "list": lambda: anns.get("/mailings?limit=3"),
        "draft": lambda: anns.get(drafted),
        "sent": lambda: anns.get(sent),
        "deliveries": lambda: anns.get(f"{sent}/deliveries"),
        "preview": lambda: anns.get(f"{drafted}/preview"),
    }.items():
        with queries() as seen:
            assert ask().status_code == 200
        costs[name] = seen.count
    assert costs == {"list": 2, "draft": 3, "sent": 5, "deliveries": 3, "preview": 3}
    assert User.select().count() == 1
