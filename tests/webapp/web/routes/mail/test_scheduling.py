"""A mail that is sent later, and changed until then."""

from datetime import datetime, timedelta

import pytest

from tasks import send_mail
from tests.webapp.web.routes.mail.desk import HTMX, TWO, addresses, in_future, send, upload
from webapp.dev.factories import make_draft, make_mailing, make_mailing_file
from webapp.lib.times import local, utcnow
from webapp.models import Mailing, MailingFile, State, Task, User
from webapp.web.forms import start_time


def test_a_mail_is_scheduled_in_the_time_zone_of_its_writer(ann):
    User.update(time_zone="Asia/Tokyo").where(User.id == ann.user.id).execute()
    answer = send(ann, send_at=in_future(days=2))
    task = Task.get()
    assert task.state == State.SCHEDULED
    assert abs(task.run_at - (utcnow() + timedelta(days=2, hours=-9))) < timedelta(minutes=1)
    assert ann.get(answer.location).one(f"main a[href='/mail/{Mailing.get().id}']").text.strip() == "Edit email"


def test_changes_to_a_scheduled_mail_are_saved_while_typing(ann):
    send(ann, send_at=in_future(days=2), form_key=ann.get("/mail").one("#form_key")["value"])
    path = f"/mail/{Mailing.get().id}"
    for subject in ("Typed once", "Typed twice"):
        key = ann.get(path).one("#form_key")["value"]
        answer = send(ann, f"{path}/draft", headers={"HX-Request": "true"}, subject=subject, form_key=key)
        assert "Changes kept as a draft" in answer.words
        assert "Draft saved" not in answer.words
        assert ann.get(path).one("#subject")["value"] == subject
    assert Task.get().title.endswith(": Hello"), "until the changes are saved"


def test_an_autosave_that_comes_after_the_changes_were_saved_is_dropped(ann):
    at, first = in_future(days=2), ann.get("/mail").one("#form_key")["value"]
    send(ann, send_at=at, form_key=first)
    path = f"/mail/{Mailing.get().id}"
    key = ann.get(path).one("#form_key")["value"]
    send(ann, path, subject="Changed", send_at=at, form_key=key)
    late = send(ann, f"{path}/draft", headers={"HX-Request": "true"}, subject="Chan", form_key=key)
    assert "kept" not in late.words
    assert Mailing.select().count() == 1
    again = send(ann, send_at=at, form_key=first, subject="Changed")
    assert (again.status_code, Task.select().count()) == (303, 1), "the form that it was sent from is known, too"


def test_a_draft_that_has_the_key_of_the_mail_as_earlier_releases_gave_it_is_kept_too(ann):
    mailing = make_mailing(ann.user, form_key="a" * 32)
    draft = Mailing.begin_draft(ann.user, mailing)
    draft.write(form_key="a" * 32)
    send(ann, f"/mail/{mailing.id}/draft", headers={"HX-Request": "true"}, subject="Typed", form_key="a" * 32)
    assert Mailing.get_by_id(draft.id).subject == "Typed"


def test_changes_are_discarded_and_the_mail_stays_as_it_was(ann, bob):
    mailing = make_mailing(ann.user)
    make_mailing_file(mailing)
    path = f"/mail/{mailing.id}"
    assert not ann.get(path).one("#mail-found").has_attr("data-begun"), "nothing has been changed yet"
    send(ann, f"{path}/draft", subject="Changed")
    assert ann.get(path).one("#mail-found").has_attr("data-begun")
    button = ann.get(path).one("button[formaction$='/draft/deletion']")
    assert button.text == "Discard changes"
    assert bob.submit(button["formaction"]).status_code == 404
    for _ in range(2):
        assert ann.submit(button["formaction"]).location == path
    page = ann.get(path)
    assert "Changes discarded." in page.words
    assert page.one("#subject")["value"] == "Hello"
    assert (Mailing.get().files()[0].name, Task.get().state) == ("notes.txt", State.SCHEDULED)


def test_an_autosaved_draft_can_be_discarded_without_a_reload(ann):
    for path in ("/mail", f"/mail/{make_mailing(ann.user).id}"):
        button = ann.get(path).one("button.discard")
        answer = send(ann, f"{path}/draft", subject="Typed", headers=HTMX)
        assert answer.one("#mail-found").has_attr("data-begun"), "by which the button is shown"
        ann.submit(button["formaction"])
        assert ann.get(path).one("#subject").get("value") != "Typed"
    answer = send(ann, "/mail/draft", recipients="", subject="", headers=HTMX)
    assert not answer.one("#mail-found").has_attr("data-begun"), "nothing is left of what was typed"


def test_a_draft_is_deleted_from_the_list_of_mails(ann):
    mailing = make_mailing(ann.user)
    Mailing.begin_draft(ann.user, mailing).write(subject="Changed")
    make_draft(ann.user, subject="Unwanted")
    page = ann.get("/mail")
    buttons = page.page.select("#mailings button")
    assert [" ".join(button.text.split()) for button in buttons] == ["Delete draft: Unwanted", "Discard changes: Hello"]
    assert {button["form"] for button in buttons} == {"action"}, "the list is polled, and holds no form"
    for button in buttons:
        assert ann.submit(button["formaction"]).status_code == 303
    assert list(Mailing) == [mailing]
    assert not ann.get("/mail").page.select("#mailings button")


def test_who_changes_a_scheduled_mail_comes_from_the_mails_and_is_told_once(ann):
    send(ann, send_at=in_future(days=2), recipients=f"{TWO}, bea@example.com")
    path = f"/mail/{Mailing.get().id}"
    assert [link.text for link in ann.get(path).page.select(".crumb a")] == ["Mail"]
    assert ann.get(path).one(f"main .lead a[href='/tasks/{Task.get().id}']")
    answer = send(
        ann, path, send_at=in_future(days=3), subject="Lunch on Friday?", recipients=f"{TWO}, bea@example.com"
    )
    [said] = ann.get(answer.location).page.select(".flash")
    assert said.text == "Saved your changes to “Email to 2 people: Lunch on Friday?”."


def test_a_sent_mail_belongs_to_the_mails_and_leads_to_its_task(ann):
    mailing = make_mailing(ann.user, state=State.SUCCEEDED)
    page = ann.get(f"/mail/{mailing.id}")
    assert [link.text for link in page.page.select(".crumb a")] == ["Mail"]
    assert page.one(f".mail-head a[href='/tasks/{mailing.task_id}']")


def test_the_state_of_a_draft_is_one_line(ann):
    data = b"name,email\nDee,dee@example.com\nEve,\n"
    answer = send(ann, "/mail/draft", recipients="", recipients_file=upload("p.csv", data))
    [said] = ann.get(answer.location).page.select(".flash")
    assert said.text == "Draft saved. Skipped 1 row without an address."


def test_a_draft_is_deleted_with_its_files_and_nobody_elses(ann, bob):
    assert not ann.get("/mail").one("#mail-found").has_attr("data-begun")
    for browser in (ann, bob):
        send(browser, "/mail/draft", attachment=[upload("a.txt", b"a")])
    assert ann.get("/mail").one("#mail-found").has_attr("data-begun")
    button = ann.get("/mail").one("#mail button[formaction$='/draft/deletion']")
    assert button.text == "Delete draft"
    assert ann.submit(button["formaction"]).location == "/mail"
    assert [mailing.user_id for mailing in Mailing] == [bob.user.id]
    assert MailingFile.select().count() == 1
    assert ann.get("/mail").one("#subject").get("value", "") == ""


@pytest.fixture
def in_paris(ann, monkeypatch):
    """Ann lives in Paris, and it is the beginning of October 2027, at whose end the clocks go back."""
    monkeypatch.setattr(start_time, "utcnow", lambda: datetime(2027, 10, 1))
    User.update(time_zone="Europe/Paris").where(User.id == ann.user.id).execute()


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2027, 10, 31, 0, 30),
        datetime(2027, 10, 31, 1, 30),
        datetime(2027, 10, 31, 0, 59, 59),
        datetime(2027, 12, 1, 8, 0, 7),
    ],
)
@pytest.mark.usefixtures("in_paris")
def test_saving_a_scheduled_mail_unchanged_does_not_move_it(ann, moment):
    there = local(moment, "Europe/Paris")
    which = ["after" if there.fold else "before"]
    send(ann, send_at=[f"{there:%Y-%m-%dT%H:%M:%S}", *which])
    assert Task.get().run_at == moment
    page = ann.get(f"/mail/{Mailing.get().id}")
    shown = [page.one("#send_at")["value"]]
    shown += [option["value"] for option in page.page.select("#send_at-which option[selected]")]
    assert shown[1:] == (which if moment.month == 10 else [])
    for _ in range(2):
        assert send(ann, f"/mail/{Mailing.get().id}", send_at=shown).status_code == 303
        assert (Task.get().run_at, Mailing.get().send_at) == (moment, moment)


@pytest.mark.usefixtures("in_paris")
def test_a_draft_keeps_which_of_two_equal_times_was_meant_while_somebody_types(ann):
    send(ann, "/mail/draft", headers={"HX-Request": "true"}, send_at=["2027-10-31T02:30", "after"])
    page = ann.get("/mail")
    assert page.one("#send_at-which option[selected]").text == "02:30, after the clocks go back (UTC+1)"
    assert "#send_at-which" in page.one("[hx-trigger*='input from:#mail']")["hx-include"]


def test_a_scheduled_mail_can_be_changed(ann, mailserver, run_tasks):
    mailing = make_mailing(ann.user)
    make_mailing_file(mailing, "old.txt")
    make_mailing_file(mailing, "stays.txt")
    page = ann.get(f"/mail/{mailing.id}")
    assert page.one("#subject")["value"] == "Hello"
    assert page.one("#recipients").text.split() == ["bea@example.com", "cem@example.com"]
    removal = page.page.select("#mail-files button")[0]["formaction"]
    assert send(ann, removal).location == f"/mail/{mailing.id}#mail-files"
    assert len(mailing.files()) == 2, "until the changes are saved"
    page = send(ann, f"/mail/{mailing.id}/preview", subject="Changed", template="all_tasks")
    assert "has no tasks yet" in page.one("#preview pre").text, "the mail does not list itself"
    assert Mailing.get_by_id(mailing.id).subject == "Hello"
    when = utcnow() + timedelta(days=3)
    answer = send(
        ann, f"/mail/{mailing.id}", subject="Changed", recipients="dee@example.com", send_at=f"{when:%Y-%m-%dT%H:%M:%S}"
    )
    assert (answer.status_code, answer.location) == (303, f"/tasks/{mailing.task_id}")
    task = Task.get()
    assert (task.state, task.title) == (State.SCHEDULED, "Email to 1 person: Changed")
    assert task.own_title == send_mail.TITLE(number=1, subject="Changed")
    assert task.run_at == when.replace(microsecond=0)
    assert addresses() == ["dee@example.com"]
    assert Mailing.select().count() == 1
    Task.update(run_at=utcnow()).execute()
    task.reload().enqueue()
    run_tasks()
    [mail] = mailserver.mails
    assert mail["Subject"] == "Changed"
    assert [part.get_filename() for part in mail.iter_attachments()] == ["stays.txt"]


def test_a_change_without_a_time_sends_it_now(ann, mailserver, run_tasks):
    mailing = make_mailing(ann.user)
    send(ann, f"/mail/{mailing.id}", send_at="")
    assert Task.get().state == State.PENDING
    run_tasks()
    assert len(mailserver.mails) == 2


@pytest.mark.parametrize("state", [State.PENDING, State.IN_PROGRESS, State.SUCCEEDED, State.CANCELED])
def test_a_mail_that_has_started_cannot_be_changed(ann, state):
    mailing = make_mailing(ann.user, state=state)
    for path in ("", "/draft", "/preview"):
        answer = send(ann, f"/mail/{mailing.id}{path}", subject="Changed")
        assert (answer.status_code, answer.location) == (303, f"/tasks/{mailing.task_id}")
    assert "Nothing changed: “Email to" in ann.get(answer.location).words
    assert Mailing.get_by_id(mailing.id).subject == "Hello"
    assert not ann.get(f"/mail/{mailing.id}").page.select("form#mail")


def test_a_mail_that_starts_while_it_is_changed_is_sent_unchanged(ann, monkeypatch):
    mailing = make_mailing(ann.user)
    replace = Task.reschedule

    def too_late(task, *given):
        Task.update(state=State.PENDING).execute()
        replace(task, *given)

    monkeypatch.setattr(Task, "reschedule", too_late)
    answer = send(ann, f"/mail/{mailing.id}", subject="Changed", send_at=in_future(days=1))
    assert (answer.status_code, answer.location) == (303, f"/tasks/{mailing.task_id}")
    assert Mailing.get_by_id(mailing.id).subject == "Hello"
    assert addresses() == ["bea@example.com", "cem@example.com"]


def test_canceling_its_task_cancels_it(ann, mailserver, run_tasks):
    send(ann, send_at=in_future(days=2))
    ann.submit(f"/tasks/{Task.get().id}/cancellation")
    run_tasks()
    assert (Task.get().state, mailserver.mails) == (State.CANCELED, [])


def test_somebody_elses_mail_does_not_exist(ann, bob):
    mailing = make_mailing(ann.user)
    file = make_mailing_file(mailing)
    for path in (f"/mail/{mailing.id}", f"/mail/{mailing.id}/html"):
        assert bob.get(path).status_code == 404
    for path in ("", "/draft", "/preview"):
        assert send(bob, f"/mail/{mailing.id}{path}").status_code == 404
    assert send(bob, f"/mail/files/{file.id}/deletion").status_code == 404
    draft = Mailing.begin_draft(ann.user)
    assert ann.get(f"/mail/{draft.id}").status_code == 404, "a draft is no mail yet"
