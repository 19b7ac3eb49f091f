"""The list of a person's mails: what they sent, scheduled and drafted; and writing another like one of them."""

from datetime import timedelta

import pytest

from tasks.engine.models.state import FINISHED
from tasks.mail_task_outcome import line_up_outcomes
from tests.browsing import browse
from tests.racing import race
from webapp.dev.factories import make_draft, make_mailing, make_mailing_file, make_user
from webapp.lib.times import utcnow
from webapp.models import Delivery, Mailing, State, Task, User
from webapp.models.mailing.delivery import Sending

HTMX = {"HX-Request": "true"}
THREE = ("bea@example.com", "cem@example.com", "dan@example.com")
COPIED = {"recipients": "bea@example.com", "subject": "Hello", "template": "free", "body": "How are you?"}


@pytest.fixture
def app(mailserver, each_database):
    """The app on each database, and a mail server that it sends by."""
    return each_database


@pytest.fixture
def ann(app):
    """Ann's browser; she has an address."""
    return browse(app, make_user("ann", email="ann@example.com"))


def _rows(browser, path: str = "/mail") -> list[str]:
    return [" ".join(row.text.split()) for row in browser.get(path).page.select("#mailings li")]


def _sent(user, subject: str = "Hello", state: State = State.SUCCEEDED, delivered: int = 3, **fields) -> Mailing:
    mailing = make_mailing(user, THREE, state, subject=subject, **fields)
    ids = [delivery.id for delivery in Delivery.unsettled(mailing)[:delivered]]
    Delivery.update(state=Sending.SENT).where(Delivery.id.in_(ids)).execute()
    return mailing


def test_an_empty_page_says_what_will_be_there(ann):
    page = ann.get("/mail")
    assert "No emails yet. Drafts, scheduled emails, and sent emails appear here." in page.words
    assert _rows(ann) == []


@pytest.mark.parametrize(
    ("state", "delivered", "words"),
    [
        (State.SUCCEEDED, 2, "Sent, delivered to 2 of 3 recipients"),
        (State.SCHEDULED, 0, "Scheduled for 3 recipients"),
        (State.IN_PROGRESS, 1, "Sending, delivered to 1 of 3 recipients"),
        (State.PENDING, 0, "Waiting, delivered to 0 of 3 recipients"),
        (State.FAILED, 1, "Stopped, delivered to 1 of 3 recipients, 2 not sent"),
        (State.CANCELED, 1, "Canceled, delivered to 1 of 3 recipients, 2 not sent"),
        (State.CANCELED, 3, "Canceled, delivered to 3 of 3 recipients"),
    ],
)
def test_a_mail_says_to_how_many_when_and_how_it_stands_and_leads_to_its_page(ann, state, delivered, words):
    mailing = _sent(ann.user, "Come to the party", state, delivered)
    page = ann.get("/mail")
    row = page.one("#mailings li")
    assert row["data-state"] == state
    assert words in " ".join(row.text.split())
    assert "Come to the party" in row.text
    task = Task.get()
    when = task.run_at or task.finished_at or mailing.created_at
    assert row.select_one("time")["datetime"].startswith(when.isoformat()[:16])
    assert ann.get(row.select_one("a")["href"]).status_code == 200
    assert row.select_one("a")["href"] == f"/mail/{mailing.id}"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.CANCELED, "Canceled: 1 sent, 1 refused, 1 not sent"),
        (State.FAILED, "Stopped: 1 sent, 1 refused, 1 not sent"),
        (State.IN_PROGRESS, "Sending: 1 sent, 1 refused, 1 waiting"),
        (State.PAUSED, "Paused: 1 sent, 1 refused, 1 waiting"),
    ],
)
def test_a_mail_that_was_stopped_says_the_same_wherever_it_stands(ann, state, words):
    mailing = _sent(ann.user, "Come", state, delivered=1)
    refused = Delivery.update(state=Sending.REFUSED, error="No such person.")
    refused.where(Delivery.id == Delivery.unsettled(mailing)[0].id).execute()
    title, counts = words.split(": ")
    head = ann.get(f"/mail/{mailing.id}").one("dl.mail-head")
    assert [" ".join(part.text.split()) for part in head.select("dt, dd")][2:4] == [title, counts]
    panel = ann.get(f"/tasks/{mailing.task_id}")
    assert counts in panel.words
    assert f"{title} after" not in panel.words, "that would count those who were refused"
    if state in FINISHED:
        assert f"{title}, delivered to 1 of 3 recipients, {counts.partition(', ')[2]}" in _rows(ann)[0]


def test_whom_a_mail_did_not_reach_is_counted_in_its_notification_timeline_and_mail_too(ann, mailserver, run_waiting):
    User.update(hearing={"mail": "mail"}).execute()
    mailserver.refused.add("cem@example.com")
    ann.submit("/mail", recipients=", ".join(THREE), subject="Come", template="welcome")
    run_waiting()
    line_up_outcomes(200)
    run_waiting()
    counts, task = "2 sent, 1 refused", Task.get(Task.name == "send_mail")
    assert counts in ann.get(f"/tasks/{task.id}").one(".timeline").text
    assert f"Email to 3 people: Come was sent: {counts}" in ann.get("/notifications").words
    assert counts in ann.get(f"/mail/{Mailing.get().id}").words
    assert "Sent, delivered to 2 of 3 recipients, 1 refused" in _rows(ann)[0]
    assert mailserver.mails[-1]["Subject"] == "Your email was sent"
    told = mailserver.mails[-1].get_body(("plain",)).get_content()
    assert "Email to 3 people: Come was sent" in told
    assert counts in told


def test_a_mail_to_one_recipient_is_singular(ann):
    make_mailing(ann.user, THREE[:1])
    assert "for 1 recipient" in _rows(ann)[0]


def test_the_draft_is_among_them_and_leads_to_the_form(ann):
    ann.submit("/mail/draft", recipients="bea@example.com, cem@example.com", subject="Not yet", template="welcome")
    [row] = ann.get("/mail").page.select("#mailings li")
    assert "Not yet" in row.text
    assert "Draft, 2 recipients" in " ".join(row.text.split())
    assert row.select_one("a")["href"] == "/mail#mail"
    assert ann.get("/mail").one("#mail")


def test_an_empty_draft_is_not(ann):
    ann.submit("/mail/draft", recipients="", subject="", template="welcome")
    assert Mailing.draft_of(ann.user)
    assert _rows(ann) == []


def test_a_scheduled_mail_says_that_its_changes_are_not_saved_yet(ann):
    mailing = make_mailing(ann.user)
    ann.submit(f"/mail/{mailing.id}/draft", recipients="dan@example.com", subject="Changed", template="welcome")
    [row] = _rows(ann)
    assert "Hello" in row
    assert row.endswith("Scheduled for 2 recipients · unsaved changes Discard changes: Hello")


def test_nobody_sees_those_of_others(ann, bob):
    _sent(ann.user, "A secret")
    make_draft(ann.user, subject="Another")
    assert _rows(bob) == []
    assert "secret" not in bob.get("/mail/_list").text


def test_mails_are_paged_newest_first(ann):
    for number in range(45):
        _sent(ann.user, f"Mail {number:02}", delivered=0, created_at=utcnow() - timedelta(minutes=number))
    seen, path = [], "/mail"
    for rows in (20, 20, 5):
        page = ann.get(path)
        seen += [link.text for link in page.page.select("#mailings li strong")]
        assert len(_rows(ann, path)) == rows
        path = page.one("#mailings a[rel=next]")["href"] if rows == 20 else ""
    assert seen == [f"Mail {number:02}" for number in range(45)]
    assert "#mailings" in ann.get("/mail").one("#mailings a[rel=next]")["href"]


def test_an_open_page_gets_it_only_when_something_has_changed(ann):
    mailing = _sent(ann.user, state=State.IN_PROGRESS, delivered=1)
    fragment = ann.get("/mail/_list", headers=HTMX)
    assert fragment.fragment in ann.get("/mail").text
    known = HTMX | {"If-None-Match": fragment.headers["ETag"]}
    assert ann.get("/mail/_list", headers=known).status_code == 304
    Task.get_by_id(mailing.task_id).succeed()
    assert "Sent, delivered" in ann.get("/mail/_list", headers=known).words
    known = HTMX | {"If-None-Match": ann.get("/mail/_list", headers=HTMX).headers["ETag"]}
    ann.submit("/mail/draft", recipients="", subject="Begun elsewhere", template="welcome")
    assert "Begun elsewhere" in ann.get("/mail/_list", headers=known).words


def test_the_list_of_mails_costs_the_same_however_many_there_are(ann, queries):
    def cost() -> int:
        with queries() as seen:
            ann.get("/mail/_list")
        assert not [query for query in seen.get_queries() if '"html"' in query.msg[0]]
        return seen.count

    _sent(ann.user)
    few = cost()
    for _ in range(10):
        _sent(ann.user)
    assert cost() == few <= 3


# Another like this


def _copy(browser, mailing: Mailing, **fields):
    return browser.submit(f"/mail/{mailing.id}/copy", **fields)


def test_another_mail_is_begun_like_an_earlier_one_without_its_time(ann):
    mailing = _sent(ann.user, **{name: value for name, value in COPIED.items() if name != "subject"})
    Mailing.update(send_at=utcnow()).where(Mailing.id == mailing.id).execute()
    make_mailing_file(mailing, "notes.txt", b"Notes")
    page = ann.get(f"/mail/{mailing.id}")
    assert page.one(f"button[formaction='/mail/{mailing.id}/copy']")["form"] == "action"
    assert page.one("form#action")
    answer = _copy(ann, mailing)
    assert (answer.status_code, answer.location) == (303, "/mail")
    draft = Mailing.draft_of(ann.user)
    assert {name: getattr(draft, name) for name in COPIED} == COPIED
    assert (draft.send_at, draft.task_id, draft.original_id) == (None, None, None)
    assert [(file.name, file.read()) for file in draft.files()] == [("notes.txt", b"Notes")]
    assert [file.name for file in mailing.files()] == ["notes.txt"], "the earlier one keeps its own"
    form = ann.get("/mail")
    assert form.one("#subject")["value"] == "Hello"
    assert "notes.txt" in form.one("#mail-files").text


def test_a_copied_mail_is_sent_like_any_other(ann):
    mailing = _sent(ann.user)
    _copy(ann, mailing)
    page = ann.get("/mail")
    fields = {"recipients": page.one("#recipients").text, "subject": "Again", "template": "welcome"}
    assert ann.submit("/mail", form_key=page.one("#form_key")["value"], **fields).status_code == 303
    assert [row.split(" ")[0] for row in _rows(ann)] == ["Again", "Hello"]


def test_a_draft_with_nothing_in_it_is_not_in_the_way(ann):
    Mailing.begin_draft(ann.user)
    assert _copy(ann, _sent(ann.user)).status_code == 303
    assert Mailing.draft_of(ann.user).subject == "Hello"


@pytest.mark.parametrize("what", ["recipients", "subject", "body", "send_at", "a file"])
def test_a_draft_with_something_in_it_is_replaced_only_when_that_is_wanted(ann, what):
    mailing = _sent(ann.user, "An earlier one")
    draft = Mailing.begin_draft(ann.user)
    if what == "a file":
        make_mailing_file(draft)
    else:
        draft.write(**{what: utcnow() if what == "send_at" else "Mine"})
    before = Mailing.get_by_id(draft.id)
    answer = _copy(ann, mailing)
    assert answer.status_code == 409
    assert "You already have a draft" in answer.words
    assert Mailing.get_by_id(draft.id).__data__ == before.__data__, "nothing is lost without asking"
    button = answer.one("button[name=replace]")
    assert button["formaction"] == f"/mail/{mailing.id}/copy"
    assert _copy(ann, mailing, replace=button["value"]).status_code == 303
    draft = Mailing.draft_of(ann.user)
    assert (draft.subject, draft.send_at, draft.files()) == ("An earlier one", None, [])


def test_changes_to_a_scheduled_mail_are_not_in_the_way_and_stay(ann):
    mailing = make_mailing(ann.user)
    ann.submit(f"/mail/{mailing.id}/draft", recipients="dan@example.com", subject="Changed", template="welcome")
    assert _copy(ann, mailing).status_code == 303
    assert Mailing.draft_of(ann.user, mailing).subject == "Changed"
    assert Mailing.draft_of(ann.user).subject == "Hello"


def test_two_presses_at_once_begin_one(ann):
    user, mailing = User.get_by_id(ann.user.id), make_mailing(ann.user)
    make_mailing_file(mailing)
    results = race(2, lambda: Mailing.get_by_id(mailing.id).copy())
    assert results == [True, True], "the second finds what it was about to make"
    assert [file.name for file in Mailing.draft_of(user).files()] == ["notes.txt"]


def test_a_second_press_is_not_asked_whether_to_replace_what_the_first_has_made(ann):
    mailing = make_mailing(ann.user)
    make_mailing_file(mailing)
    drafts = []
    for _ in range(2):
        answer = _copy(ann, mailing)
        assert (answer.status_code, answer.location) == (303, "/mail")
        drafts.append(Mailing.draft_of(ann.user).id)
    assert drafts[0] == drafts[1]
    make_mailing_file(Mailing.draft_of(ann.user), "more.txt")
    assert _copy(ann, mailing).status_code == 409


def test_somebody_elses_mail_and_a_draft_cannot_be_copied(ann):
    assert _copy(ann, make_mailing(make_user())).status_code == 404
    assert _copy(ann, make_draft(ann.user)).status_code == 404
