"""The mail desk: writing to many, looking first, now or later, changing it until then."""

import io
import time
from datetime import datetime, timedelta

import pytest

from tests.browsing import browse
from tests.racing import elsewhere, race
from webapp.dev.factories import make_draft, make_mailing, make_mailing_file, make_post, make_task, make_user
from webapp.lib.times import local, utcnow
from webapp.mail.recipients import read_recipients
from webapp.models import Delivery, MailCount, Mailing, MailingFile, State, Task, User
from webapp.web.forms import start_time
from webapp.web.forms.mail import MailForm

HTMX = {"HX-Request": "true"}
TWO = "bea@example.com, cem@example.com"


@pytest.fixture(autouse=True)
def _mail(mailserver):
    """A site that can send mail."""


@pytest.fixture
def ann(ann):
    """Ann with an address, so that she may mail many."""
    User.update(email="ann@example.com").where(User.id == ann.user.id).execute()
    return ann


def _send(browser, path="/mail", **fields):
    return browser.submit(path, **{"recipients": TWO, "subject": "Hello", "template": "welcome"} | fields)


def _file(name: str, data: bytes):
    return (io.BytesIO(data), name)


def _addresses() -> list[str]:
    return [delivery.address for delivery in Delivery.select().order_by(Delivery.id)]


def _in(**delta) -> str:
    return f"{utcnow() + timedelta(**delta):%Y-%m-%dT%H:%M:%S}"


# Sending


def test_the_page_is_for_who_is_signed_in_and_linked_to_in_the_header(ann, visitor):
    assert visitor.get("/mail").status_code in (302, 303)
    page = ann.get("/mail")
    assert page.one("nav a[href='/mail']")["aria-current"] == "page"
    for name in ("recipients", "recipients_file", "subject", "template", "body", "attachment", "send_at"):
        assert page.one(f"#{name}")["name"] == name
        assert page.one(f"label[for={name}]").text
    assert page.one("form#mail")["enctype"] == "multipart/form-data"


def test_a_mail_is_sent_at_once(ann, mailserver, run_tasks):
    answer = _send(ann)
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
    first, second = (_send(ann, form_key=key) for _ in range(2))
    assert (second.status_code, second.location) == (303, first.location)
    assert Task.select().count() == 1


def test_a_second_press_with_uploads_sends_nothing_more(ann):
    key = ann.get("/mail").one("#form_key")["value"]
    first, second = (
        _send(ann, form_key=key, recipients_file=_file("p.csv", b"dee@example.com"), attachment=[_file("a", b"a")])
        for _ in range(2)
    )
    assert (second.status_code, second.location) == (303, first.location)
    assert Task.select().count() == 1


def test_a_draft_that_went_on_in_another_tab_is_neither_lost_nor_sent_unasked(ann):
    key = ann.get("/mail").one("#form_key")["value"]
    _send(ann, form_key=key)
    answer = _send(ann, form_key=key, subject="Another")
    assert (answer.status_code, Task.select().count()) == (422, 1)
    assert "press Send again" in answer.words
    assert answer.one("#subject")["value"] == Mailing.draft_of(ann.user).subject == "Another"
    _send(ann, form_key=answer.one("#form_key")["value"], subject="Another")
    assert Task.select().count() == 2


@pytest.fixture
def ann_and_her_tabs(each_database):
    """Ann, and a function that makes a tab of hers with a token for its forms, on each database."""
    user = make_user("ann", email="ann@example.com")

    def tab():
        browser = browse(each_database, user)
        return browser, browser.token()

    return user, tab


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
    answer = _send(ann, subject="Mine", form_key="key", attachment=[_file("a.txt", b"all of it")])
    assert (answer.status_code, Task.select().count()) == (422, 1)
    draft = Mailing.draft_of(ann.user)
    assert answer.one("#subject")["value"] == draft.subject == "Mine"
    assert [file.read() for file in draft.files()] == [b"all of it"]


def test_a_subject_of_blanks_is_none(ann):
    assert _send(ann, subject=" \t").status_code == 422
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
    assert len(_addresses()) == 2


# Whom to


def test_recipients_are_typed_in_many_ways_and_each_gets_one(ann):
    typed = '"Doe, Jane" <jane@example.com>; Bea <BEA@example.com>\r\nbea@example.com,,\n cem@example.com ;'
    answer = _send(ann, recipients=typed)
    assert answer.status_code == 303
    assert _addresses() == ["jane@example.com", "BEA@example.com", "cem@example.com"]
    assert "Skipped 1 duplicate." in ann.get(answer.location).words


def test_what_is_wrong_is_told_line_by_line_and_nothing_is_sent(ann):
    typed = "bea@example.com\nnobody\nBea@example.com, cem@example\nx@y@z.example"
    answer = _send(ann, recipients=typed, subject="RecoveredForm", template="free", body="My words")
    assert answer.status_code == 422
    assert "3 addresses aren’t valid" in answer.one("#recipients-error").text
    slips = [" ".join(slip.get_text(" ").split()) for slip in answer.page.select(".slips li")]
    assert [slip.split(" ")[:3] for slip in slips] == [
        ["Line", "2", "nobody"], ["Line", "3", "cem@example"], ["Line", "4", "x@y@z.example"],
        ["Line", "3", "Bea@example.com"],
    ]  # fmt: skip
    assert slips[-1].endswith("Duplicate of line 1.")
    assert answer.one("#recipients").text.strip() == typed
    assert answer.one("#subject")["value"] == "RecoveredForm"
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
    assert _send(ann, recipients="bea@example.com", recipients_file=_file("people.csv", data)).status_code == 303
    assert _addresses() == ["bea@example.com", "dee@example.com", "eve@example.com"]


def test_uploaded_recipients_stand_in_the_field_when_something_is_wrong(ann):
    answer = _send(ann, subject="", recipients="", recipients_file=_file("p.txt", b"dee@example.com\nnobody"))
    assert answer.status_code == 422
    assert answer.one("#recipients").text.split() == ["dee@example.com", "nobody"]


@pytest.mark.parametrize("data", [bytes(range(256)) * 9, b"", b"body\nno address", b"\xff\xfe\0"])
def test_a_file_without_recipients_is_told_at_its_field_and_not_mixed_with_those_typed(ann, data):
    for path in ("/mail", "/mail/draft"):
        answer = _send(ann, path, recipients="bea@example.com", recipients_file=_file("p.png", data))
        assert (answer.status_code, "p.png" in answer.one("#recipients_file-error").text) == (422, True)
        assert answer.one("#recipients").text.strip() == "bea@example.com"
    assert not Task.select().exists()


def test_duplicates_are_told_in_the_one_sentence_that_says_it_is_sent(ann):
    answer = _send(ann, recipients=f"{TWO}, Bea@example.com")
    [said] = ann.get(answer.location).page.select(".flash")
    assert "Hello”. Skipped 1 duplicate." in said.text


def test_five_thousand_and_no_more(ann, queries):
    many = "\n".join(f"p{number}@example.com" for number in range(5001))
    answer = _send(ann, recipients=many)
    assert (answer.status_code, "5,001 recipients" in answer.one("#recipients-error").text) == (422, True)
    with queries() as seen:
        assert _send(ann, recipients=many.rpartition("\n")[0]).status_code == 303
    assert seen.count < 50
    assert Delivery.select().count() == 5000


@pytest.mark.parametrize(
    "typed", ["", " ,; \n", "bea@example.com\0\nx", "a@b\r\nBcc: x@example.com", "jörg@example.com"]
)
def test_nobody_or_nonsense_is_refused(ann, typed):
    answer = _send(ann, recipients=typed)
    assert answer.status_code == 422
    assert answer.one("#recipients-error").text


@pytest.mark.parametrize("file", [False, True], ids=["typed", "uploaded"])
@pytest.mark.parametrize(
    "text", ["<" + " " * 6000 + "x", '"' * 400_001, "a@," * 130_000, "a@" + "ü." * 190_000, "<,>" * 130_000]
)
def test_hostile_recipients_cost_little(ann, text, file):
    fields = (
        {"recipients": "", "recipients_file": _file("p.txt", text.encode()[:400_000])} if file else {"recipients": text}
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
    upload = _file("p.csv", b"dee@example.com")
    assert _send(ann, "/mail/draft", recipients_file=upload).status_code == 303
    assert "dee@example.com" in Mailing.draft_of(ann.user).recipients


def test_recipients_are_read_once_in_a_request_and_by_no_poll(ann, monkeypatch):
    read = []
    monkeypatch.setattr(
        "webapp.web.forms.recipient_input.read_recipients", lambda text: read.append(text) or read_recipients(text)
    )
    assert _send(ann, recipients="bea@example.com, nobody").status_code == 422
    assert len(read) == 1
    assert "Draft, 1 recipient" in ann.get("/mail/_list", headers=HTMX).words
    assert len(read) == 1
    assert _send(ann).status_code == 303
    assert len(read) == 2


def test_a_long_file_is_neither_shown_nor_kept_beyond_what_a_mail_may_have(ann):
    many = "".join(f"p{number}@example.com\n" for number in range(20_000)).encode()
    answer = _send(ann, recipients="bea@example.com", recipients_file=_file("all.csv", many))
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
    answer = _send(ann, recipients=typed)
    assert (answer.status_code, "weren’t read" in answer.one("#recipients-error").text) == (422, True)
    assert answer.one("#recipients").text.strip() == typed.strip(), "nothing typed is lost"
    assert not Task.select().exists()


def test_a_row_without_an_address_is_told(ann):
    data = b"name,email\nDee,dee@example.com\nEve,\n"
    answer = _send(ann, "/mail/draft", recipients="", recipients_file=_file("p.csv", data))
    assert "Skipped 1 row without an address." in ann.get(answer.location).words
    assert ann.get("/mail").one("#recipients").text.split() == ["dee@example.com"]
    shown = _send(ann, "/mail/draft", recipients="", recipients_file=_file("p.csv", data), headers=HTMX)
    assert "Skipped 1 row without an address." in shown.one("#mail-to").text


# Leaving out what is no address


WRONG = "bea@example.com\nnobody\ncem@example.com, x@\nBea@example.com"
RIGHT = "bea@example.com\ncem@example.com\nBea@example.com"


def _leave_out(browser, page, **fields):
    button = page.one("form#mail #mail-leave-out")
    return _send(browser, button["formaction"], recipients=WRONG, **fields)


def test_the_invalid_ones_are_left_out_by_one_press_and_all_else_stays(ann):
    typed = {"subject": "RecoveredForm", "template": "free", "body": "My words", "send_at": _in(days=1)}
    page = _send(ann, recipients=WRONG, attachment=[_file("early.txt", b"1")], **typed)
    assert page.one("#mail-leave-out").text == "Remove 2 invalid addresses"
    answer = _leave_out(ann, page, attachment=[_file("late.txt", b"2")], **typed)
    assert (answer.status_code, answer.location) == (303, "/mail#mail-to")
    page = ann.get(answer.location)
    assert page.one("#recipients").text.strip() == RIGHT
    assert not page.page.select("#mail-leave-out, .bad")
    assert (page.one("#subject")["value"], page.one("#body").text.strip()) == ("RecoveredForm", "My words")
    assert page.one("#send_at")["value"][:10] == typed["send_at"][:10]
    assert [file.name for file in Mailing.draft_of(ann.user).files()] == ["early.txt", "late.txt"]


def test_by_htmx_the_field_comes_back_without_them_and_with_the_focus(ann):
    page = _send(ann, "/mail/draft", recipients=WRONG, headers=HTMX)
    assert page.one("#mail-leave-out")["hx-target"] == "#mail-to", "it is offered while somebody types"
    answer = _send(ann, page.one("#mail-leave-out")["formaction"], recipients=WRONG, headers=HTMX)
    field = answer.one("#mail-to #recipients")
    assert (answer.status_code, field.text.strip()) == (200, RIGHT)
    assert field.has_attr("autofocus")


def test_they_are_left_out_of_changes_to_a_scheduled_mail_too(ann):
    mailing = make_mailing(ann.user)
    page = _send(ann, f"/mail/{mailing.id}/draft", recipients=WRONG, headers=HTMX)
    answer = _send(ann, page.one("#mail-leave-out")["formaction"], recipients=WRONG)
    assert answer.location == f"/mail/{mailing.id}#mail-to"
    assert Mailing.draft_of(ann.user, mailing).recipients == RIGHT
    assert Mailing.draft_of(ann.user) is None
    assert Mailing.get_by_id(mailing.id).recipients != RIGHT


def test_they_are_left_out_of_a_file_that_is_sent_along(ann):
    path = "/mail/recipients/correction"
    answer = _send(ann, path, recipients="bea@example.com", recipients_file=_file("p.txt", b"dee@example.com\nnobody"))
    assert ann.get(answer.location).one("#recipients").text.split() == ["bea@example.com", "dee@example.com"]


def test_what_is_wrong_is_listed_in_part(ann):
    page = _send(ann, recipients="\n".join(f"nobody-{number}" for number in range(332)))
    slips = page.page.select(".slips li")
    assert (len(slips), slips[19].b.text, slips[20].text) == (21, "Line 20", "and 312 more invalid addresses")
    assert page.one("#mail-leave-out").text == "Remove 332 invalid addresses"


# What it says


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
    answer = _send(ann, **{"template": "free", "body": "Hi", field: value})
    assert answer.status_code == 422
    assert answer.one(f"#{field}-error").text
    assert answer.one(f"#{field}")["aria-invalid"] == "true"
    assert not Task.select().exists()


def test_the_preview_is_what_is_sent(ann, mailserver, run_tasks):
    make_task(State.SUCCEEDED, ann.user, title="Count <b>")
    fields = {"template": "all_tasks", "attachment": _file("a.txt", b"a")}
    page = _send(ann, "/mail/preview", **fields)
    assert page.status_code == 200
    frame = page.one("#preview iframe")
    assert frame.has_attr("sandbox")
    html = ann.get(frame["src"])
    assert "default-src 'none'" in html.headers["Content-Security-Policy"]
    assert not Task.select().where(Task.name == "send_mail").exists()
    assert page.one("#subject")["value"] == "Hello"
    Task.update(state=State.SUCCEEDED).execute()
    _send(ann, template="all_tasks", form_key=page.one("#form_key")["value"])
    run_tasks()
    [mail, _] = mailserver.mails
    assert mail.get_body(("plain",)).get_content().split() == page.one("#preview pre").text.split()
    sent = mail.get_body(("html",)).get_content()
    assert "Count &lt;b&gt;" in sent
    assert 'src="cid:logo"' in sent
    shown = html.get_data(as_text=True)
    assert "cid:logo" not in shown
    assert shown.partition("data:image/png")[0].split() == sent.partition("cid:logo")[0].split()
    assert [part.get_filename() for part in mail.iter_attachments()] == ["a.txt"], "the file was kept with the draft"


def test_a_preview_says_which_addresses_are_wrong_and_does_not_complain_of_what_is_missing(ann):
    page = _send(ann, "/mail/preview", recipients="nobody", subject="")
    assert page.status_code == 200
    assert "nobody" in page.one(".slips").text
    assert not page.page.select(".error")
    assert page.one("[autofocus]")["id"] == "preview-title", "that is what was asked for"
    assert page.one("#preview iframe")


def test_free_text_is_escaped_and_keeps_its_paragraphs(ann):
    _send(ann, "/mail/preview", template="free", body="One <script>\nline\r\n\r\nhttps://example.com/a")
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
    assert _send(ann, recipients="bea@example.com", template="free", body=body).status_code == 303
    run_tasks()
    [mail] = mailserver.mails
    assert mail.get_body(("plain",)).get_content().partition("\r\n\r\n\r\n-- ")[0] == body.replace("\n", "\r\n")
    assert mail["Auto-Submitted"] is None, "it is from a person"


@pytest.mark.parametrize("typed", ["jörg@example.com", "ann@bücher.example"])
def test_who_has_an_address_in_another_script_can_mail_too(ann, mailserver, run_tasks, typed):
    User.update(email=typed).where(User.id == ann.user.id).execute()
    _send(ann, recipients="bea@example.com")
    run_tasks()
    [mail] = mailserver.mails
    assert mail["Reply-To"] == (None if "jörg" in typed else "ann@xn--bcher-kva.example")


def test_a_subject_may_have_what_joins_letters(ann, mailserver, run_tasks):
    subject = "\N{MAN}\u200d\N{WOMAN}\u200d\N{GIRL} می\u200cخواهم"
    assert _send(ann, recipients="bea@example.com", subject=subject).status_code == 303
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
        page = _send(ann, path, template=template, subject=subject)
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
    page = _send(ann, subject="")
    assert (page.status_code, page.one("#subject")["value"]) == (422, "Welcome to Errand")
    assert "no subject" in page.one("#subject-error").text
    key = page.one("#form_key")["value"]
    assert _send(ann, subject=page.one("#subject")["value"], form_key=key).status_code == 303
    run_tasks()
    assert {mail["Subject"] for mail in mailserver.mails} == {"Welcome to Errand"}
    assert "Add a subject" in _send(ann, subject="", template="free", body="Hi").one("#subject-error").text


# Files


@pytest.mark.parametrize(
    "name", ["posts.json", "Übersicht 👋.csv", "名前.json", "with space.txt", "..", "x" * 300 + ".pdf"]
)
def test_a_file_goes_with_it_under_its_name(ann, mailserver, run_tasks, name):
    data = bytes(range(256)) * 30
    assert _send(ann, recipients="bea@example.com", attachment=[_file(name, data), _file("b", b"")]).status_code == 303
    run_tasks()
    [first, second] = mailserver.mails[0].iter_attachments()
    assert first.get_payload(decode=True) == data
    assert first.get_filename() == (name if len(name) < 200 else "x" * 196 + ".pdf")
    assert (second.get_filename(), second.get_payload(decode=True)) == ("b", b"")


def test_a_file_has_no_folder_and_no_odd_type(ann):
    _send(ann, attachment=[_file("docs/../a.eml", b"From: x")])
    [file] = MailingFile.select()
    assert (file.name, file.content_type) == ("a.eml", "application/octet-stream")


def test_files_that_are_too_large_together_are_named_and_what_was_typed_is_kept(make_app, ann):
    browser = browse(make_app(max_upload=1000), ann.user)
    answer = _send(browser, attachment=[_file("a.bin", b"x" * 600), _file("b.bin", b"x" * 600)])
    assert answer.status_code == 422
    assert "b.bin" in answer.one("#attachment-error").text
    assert "a.bin" in answer.one("#mail-files ul").text
    assert answer.one("#subject")["value"] == "Hello"
    again = _send(browser, "/mail/draft", attachment=[_file("b.bin", b"x" * 600)])
    assert (again.status_code, "b.bin" in again.one("#attachment-error").text) == (422, True)


def test_far_too_large_a_request_leads_back_to_the_draft(ann):
    _send(ann, "/mail/draft", subject="RecoveredForm")
    answer = _send(ann, body="x" * 12 * 1024 * 1024)
    assert answer.status_code == 413, "a browser that is still sending does not hear of a redirect"
    assert "10 MB" in answer.one("#attachment-error").text
    assert answer.one("#subject")["value"] == "RecoveredForm"
    answer = _send(ann, subject="Typed since", body="Now", attachment=[_file("a.bin", b"x" * 12 * 1024 * 1024)])
    assert answer.status_code == 413
    assert answer.one("#subject")["value"] == "Typed since"
    assert answer.one("#body").text.strip() == "Now"
    answer = _send(ann, "/mail/draft", headers=HTMX, body="x" * 12 * 1024 * 1024)
    assert (answer.status_code, "HX-Redirect" in answer.headers) == (413, False)
    field = answer.one("hx-partial[hx-target='#mail-files']")
    assert "10 MB" in field.select_one("#attachment-error").text


def test_a_file_is_removed_and_the_rest_is_kept(ann):
    _send(ann, "/mail/draft", attachment=[_file("a.txt", b"a"), _file("b.txt", b"b")])
    button = ann.get("/mail").page.select("#mail-files button")[0]
    answer = _send(ann, button["formaction"], subject="Typed since")
    assert (answer.status_code, answer.location) == (303, "/mail#mail-files")
    page = ann.get("/mail")
    assert [span.text for span in page.page.select("#mail-files li > bdi")] == ["b.txt"]
    assert page.one("#subject")["value"] == "Typed since"
    answer = _send(ann, page.page.select("#mail-files button")[0]["formaction"], headers=HTMX)
    assert answer.one("#attachment").has_attr("autofocus"), "the button that had the focus is gone"
    assert not answer.page.select("#mail-files li")


# Drafts


def test_a_draft_is_kept_one_a_person(ann, bob):
    when = _in(days=2)
    for subject in ("First", "Second"):
        answer = _send(ann, "/mail/draft", subject=subject, recipients="bea@", template="free", body="Hi", send_at=when)
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
    answer = _send(ann, "/mail/draft", headers=HTMX, recipients=f"{TWO}, bea@example.com\nnobody")
    assert answer.status_code == 200
    fragment = answer.one("#mail-found")
    assert "2 recipients, 1 duplicate skipped · Draft saved" in " ".join(fragment.text.split())
    assert "nobody" in fragment.text
    assert Mailing.draft_of(ann.user).subject == "Hello"


def test_the_same_file_twice_is_one(ann):
    for _ in range(2):
        _send(ann, "/mail/draft", attachment=[_file("a.txt", b"a")])
    _send(ann, "/mail/draft", attachment=[_file("a.txt", b"b"), _file("b.txt", b"a")])
    assert MailingFile.select().count() == 3


def test_a_file_that_is_chosen_is_kept_at_once(ann):
    answer = _send(ann, "/mail/draft", headers=HTMX, subject="", attachment=[_file("a.txt", b"a")])
    assert "a.txt" in answer.one("#mail-files").text
    assert not answer.page.select(".error"), "whoever is not done yet is not told what is missing"


def test_what_was_still_being_saved_when_it_was_sent_begins_no_new_draft(ann):
    key = ann.get("/mail").one("#form_key")["value"]
    _send(ann, form_key=key)
    answer = _send(ann, "/mail/draft", headers=HTMX, form_key=key)
    assert "Draft saved" not in answer.words
    assert Mailing.draft_of(ann.user) is None


def test_what_goes_on_from_a_form_that_was_sent_is_saved(ann):
    key = ann.get("/mail").one("#form_key")["value"]
    _send(ann, form_key=key)
    answer = _send(ann, "/mail/draft", headers=HTMX, form_key=key, subject="Another")
    assert "Draft saved" in answer.words
    assert Mailing.draft_of(ann.user).subject == "Another"


def test_what_is_typed_into_changes_to_a_mail_that_was_scheduled_by_the_form_is_saved(ann):
    _send(ann, form_key=ann.get("/mail").one("#form_key")["value"], send_at=_in(days=2))
    path = f"/mail/{Mailing.get().id}"
    for subject in ("Changed", "Changed again"):  # also from the form that has the draft
        key, at = (ann.get(path).one(f"#{name}")["value"] for name in ("form_key", "send_at"))
        answer = _send(ann, f"{path}/draft", headers=HTMX, form_key=key, subject=subject, send_at=at)
        assert "Changes kept as a draft" in answer.words
        assert "Draft saved" not in answer.words
        assert ann.get(path).one("#subject")["value"] == subject
    assert _send(ann, path, form_key=key, subject=subject, send_at=at).status_code == 303
    late = _send(ann, f"{path}/draft", headers=HTMX, form_key=key, subject=subject, send_at=at)
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


# Later


def test_it_is_sent_later_by_the_clock_on_the_wall(ann):
    User.update(time_zone="Asia/Tokyo").where(User.id == ann.user.id).execute()
    answer = _send(ann, send_at=_in(days=2))
    task = Task.get()
    assert task.state == State.SCHEDULED
    assert abs(task.run_at - (utcnow() + timedelta(days=2, hours=-9))) < timedelta(minutes=1)
    assert ann.get(answer.location).one(f"main a[href='/mail/{Mailing.get().id}']").text.strip() == "Edit email"


def test_what_is_typed_while_a_scheduled_mail_is_changed_is_kept(ann):
    _send(ann, send_at=_in(days=2), form_key=ann.get("/mail").one("#form_key")["value"])
    path = f"/mail/{Mailing.get().id}"
    for subject in ("Typed once", "Typed twice"):
        key = ann.get(path).one("#form_key")["value"]
        answer = _send(ann, f"{path}/draft", headers={"HX-Request": "true"}, subject=subject, form_key=key)
        assert "Changes kept as a draft" in answer.words
        assert "Draft saved" not in answer.words
        assert ann.get(path).one("#subject")["value"] == subject
    assert Task.get().title.endswith(": Hello"), "until the changes are saved"


def test_what_was_still_being_saved_when_changes_were_saved_begins_no_changes(ann):
    at, first = _in(days=2), ann.get("/mail").one("#form_key")["value"]
    _send(ann, send_at=at, form_key=first)
    path = f"/mail/{Mailing.get().id}"
    key = ann.get(path).one("#form_key")["value"]
    _send(ann, path, subject="Changed", send_at=at, form_key=key)
    late = _send(ann, f"{path}/draft", headers={"HX-Request": "true"}, subject="Chan", form_key=key)
    assert "kept" not in late.words
    assert Mailing.select().count() == 1
    again = _send(ann, send_at=at, form_key=first, subject="Changed")
    assert (again.status_code, Task.select().count()) == (303, 1), "the form that it was sent from is known, too"


def test_a_draft_that_has_the_key_of_the_mail_as_earlier_releases_gave_it_is_kept_too(ann):
    mailing = make_mailing(ann.user, form_key="a" * 32)
    draft = Mailing.begin_draft(ann.user, mailing)
    draft.write(form_key="a" * 32)
    _send(ann, f"/mail/{mailing.id}/draft", headers={"HX-Request": "true"}, subject="Typed", form_key="a" * 32)
    assert Mailing.get_by_id(draft.id).subject == "Typed"


def test_changes_are_discarded_and_the_mail_stays_as_it_was(ann, bob):
    mailing = make_mailing(ann.user)
    make_mailing_file(mailing)
    path = f"/mail/{mailing.id}"
    assert not ann.get(path).one("#mail-found").has_attr("data-begun"), "nothing has been changed yet"
    _send(ann, f"{path}/draft", subject="Changed")
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


def test_what_is_kept_while_somebody_types_can_be_discarded_without_loading_the_page_again(ann):
    for path in ("/mail", f"/mail/{make_mailing(ann.user).id}"):
        button = ann.get(path).one("button.discard")
        answer = _send(ann, f"{path}/draft", subject="Typed", headers=HTMX)
        assert answer.one("#mail-found").has_attr("data-begun"), "by which the button is shown"
        ann.submit(button["formaction"])
        assert ann.get(path).one("#subject").get("value") != "Typed"
    answer = _send(ann, "/mail/draft", recipients="", subject="", headers=HTMX)
    assert not answer.one("#mail-found").has_attr("data-begun"), "nothing is left of what was typed"


def test_what_was_begun_is_deleted_from_the_list_of_mails(ann):
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
    _send(ann, send_at=_in(days=2), recipients=f"{TWO}, bea@example.com")
    path = f"/mail/{Mailing.get().id}"
    assert [link.text for link in ann.get(path).page.select(".crumb a")] == ["Mail"]
    assert ann.get(path).one(f"main .lead a[href='/tasks/{Task.get().id}']")
    answer = _send(ann, path, send_at=_in(days=3), subject="Lunch on Friday?", recipients=f"{TWO}, bea@example.com")
    [said] = ann.get(answer.location).page.select(".flash")
    assert said.text == "Saved your changes to “Email to 2 people: Lunch on Friday?”."


def test_a_sent_mail_belongs_to_the_mails_and_leads_to_its_task(ann):
    mailing = make_mailing(ann.user, state=State.SUCCEEDED)
    page = ann.get(f"/mail/{mailing.id}")
    assert [link.text for link in page.page.select(".crumb a")] == ["Mail"]
    assert page.one(f".mail-head a[href='/tasks/{mailing.task_id}']")


def test_what_is_said_of_a_draft_stands_in_one_line(ann):
    data = b"name,email\nDee,dee@example.com\nEve,\n"
    answer = _send(ann, "/mail/draft", recipients="", recipients_file=_file("p.csv", data))
    [said] = ann.get(answer.location).page.select(".flash")
    assert said.text == "Draft saved. Skipped 1 row without an address."


def test_a_draft_is_deleted_with_its_files_and_nobody_elses(ann, bob):
    assert not ann.get("/mail").one("#mail-found").has_attr("data-begun")
    for browser in (ann, bob):
        _send(browser, "/mail/draft", attachment=[_file("a.txt", b"a")])
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
    _send(ann, send_at=[f"{there:%Y-%m-%dT%H:%M:%S}", *which])
    assert Task.get().run_at == moment
    page = ann.get(f"/mail/{Mailing.get().id}")
    shown = [page.one("#send_at")["value"]]
    shown += [option["value"] for option in page.page.select("#send_at-which option[selected]")]
    assert shown[1:] == (which if moment.month == 10 else [])
    for _ in range(2):
        assert _send(ann, f"/mail/{Mailing.get().id}", send_at=shown).status_code == 303
        assert (Task.get().run_at, Mailing.get().send_at) == (moment, moment)


@pytest.mark.usefixtures("in_paris")
def test_a_draft_keeps_which_of_two_equal_times_was_meant_while_somebody_types(ann):
    _send(ann, "/mail/draft", headers={"HX-Request": "true"}, send_at=["2027-10-31T02:30", "after"])
    page = ann.get("/mail")
    assert page.one("#send_at-which option[selected]").text == "02:30, after the clocks go back (UTC+1)"
    assert "#send_at-which" in page.one("[hx-trigger*='input from:#mail']")["hx-include"]


def test_what_is_scheduled_can_be_changed(ann, mailserver, run_tasks):
    mailing = make_mailing(ann.user)
    make_mailing_file(mailing, "old.txt")
    make_mailing_file(mailing, "stays.txt")
    page = ann.get(f"/mail/{mailing.id}")
    assert page.one("#subject")["value"] == "Hello"
    assert page.one("#recipients").text.split() == ["bea@example.com", "cem@example.com"]
    removal = page.page.select("#mail-files button")[0]["formaction"]
    assert _send(ann, removal).location == f"/mail/{mailing.id}#mail-files"
    assert len(mailing.files()) == 2, "until the changes are saved"
    page = _send(ann, f"/mail/{mailing.id}/preview", subject="Changed", template="all_tasks")
    assert "has not started any task yet" in page.one("#preview pre").text, "the mail does not list itself"
    assert Mailing.get_by_id(mailing.id).subject == "Hello"
    when = utcnow() + timedelta(days=3)
    answer = _send(
        ann, f"/mail/{mailing.id}", subject="Changed", recipients="dee@example.com", send_at=f"{when:%Y-%m-%dT%H:%M:%S}"
    )
    assert (answer.status_code, answer.location) == (303, f"/tasks/{mailing.task_id}")
    task = Task.get()
    assert (task.state, task.title) == (State.SCHEDULED, "Email to 1 person: Changed")
    assert task.run_at == when.replace(microsecond=0)
    assert _addresses() == ["dee@example.com"]
    assert Mailing.select().count() == 1
    Task.update(run_at=utcnow()).execute()
    task.reload().enqueue()
    run_tasks()
    [mail] = mailserver.mails
    assert mail["Subject"] == "Changed"
    assert [part.get_filename() for part in mail.iter_attachments()] == ["stays.txt"]


def test_a_change_without_a_time_sends_it_now(ann, mailserver, run_tasks):
    mailing = make_mailing(ann.user)
    _send(ann, f"/mail/{mailing.id}", send_at="")
    assert Task.get().state == State.PENDING
    run_tasks()
    assert len(mailserver.mails) == 2


@pytest.mark.parametrize("state", [State.PENDING, State.IN_PROGRESS, State.SUCCEEDED, State.CANCELED])
def test_what_has_started_can_not_be_changed_and_the_truth_is_told(ann, state):
    mailing = make_mailing(ann.user, state=state)
    for path in ("", "/draft", "/preview"):
        answer = _send(ann, f"/mail/{mailing.id}{path}", subject="Changed")
        assert (answer.status_code, answer.location) == (303, f"/tasks/{mailing.task_id}")
    assert "Nothing changed: “Mail to" in ann.get(answer.location).words
    assert Mailing.get_by_id(mailing.id).subject == "Hello"
    assert not ann.get(f"/mail/{mailing.id}").page.select("form#mail")


def test_what_starts_while_it_is_being_changed_is_sent_as_it_was(ann, monkeypatch):
    mailing = make_mailing(ann.user)
    replace = Task.reschedule

    def too_late(task, *given):
        Task.update(state=State.PENDING).execute()
        replace(task, *given)

    monkeypatch.setattr(Task, "reschedule", too_late)
    answer = _send(ann, f"/mail/{mailing.id}", subject="Changed", send_at=_in(days=1))
    assert (answer.status_code, answer.location) == (303, f"/tasks/{mailing.task_id}")
    assert Mailing.get_by_id(mailing.id).subject == "Hello"
    assert _addresses() == ["bea@example.com", "cem@example.com"]


def test_canceling_its_task_cancels_it(ann, mailserver, run_tasks):
    _send(ann, send_at=_in(days=2))
    ann.submit(f"/tasks/{Task.get().id}/cancellation")
    run_tasks()
    assert (Task.get().state, mailserver.mails) == (State.CANCELED, [])


def test_somebody_elses_mail_does_not_exist(ann, bob):
    mailing = make_mailing(ann.user)
    file = make_mailing_file(mailing)
    for path in (f"/mail/{mailing.id}", f"/mail/{mailing.id}/html"):
        assert bob.get(path).status_code == 404
    for path in ("", "/draft", "/preview"):
        assert _send(bob, f"/mail/{mailing.id}{path}").status_code == 404
    assert _send(bob, f"/mail/files/{file.id}/deletion").status_code == 404
    draft = Mailing.begin_draft(ann.user)
    assert ann.get(f"/mail/{draft.id}").status_code == 404, "a draft is no mail yet"


# Limits


def test_a_guest_may_mail_twenty_in_a_day(app):
    guest = browse(app, make_user(guest=True))
    many = ",".join(f"p{number}@example.com" for number in range(21))
    answer = _send(guest, recipients=many)
    assert answer.status_code == 422
    assert "20 people in 24 hours; this email has 21 recipients" in answer.one("#recipients-error").text
    assert "password and an email address" in answer.one("#recipients-error").text
    assert _send(guest, recipients=many.rpartition(",")[0]).status_code == 303
    again = _send(guest, recipients="dee@example.com")
    assert (again.status_code, "and have 0 left" in again.one("#recipients-error").text) == (422, True)
    Task.update(state=State.SUCCEEDED).execute()
    Task.get().remove()
    assert not Mailing.select().where(Mailing.draft_key.is_null()).exists()
    assert _send(guest, recipients="dee@example.com").status_code == 422, "deleting it gives nothing back"
    MailCount.update(at=utcnow() - timedelta(hours=25)).execute()
    assert _send(guest, recipients="dee@example.com").status_code == 303


def test_the_limit_is_a_setting(make_app, ann):
    browser = browse(make_app(mail_daily_limit=3), ann.user)
    assert _send(browser).status_code == 303
    answer = _send(browser)
    assert (answer.status_code, "and have 1 left" in answer.one("#recipients-error").text) == (422, True)
    assert Task.select().count() == 1


def test_a_mail_for_later_counts_on_the_day_on_which_it_is_asked_for(make_app, ann):
    browser = browse(make_app(mail_daily_limit=3), ann.user)
    assert _send(browser, send_at=_in(days=3)).status_code == 303
    answer = _send(browser, send_at=_in(days=5))
    assert (answer.status_code, "and have 1 left" in answer.one("#recipients-error").text) == (422, True)
    MailCount.update(at=utcnow() - timedelta(hours=25)).execute()
    assert _send(browser, send_at=_in(days=3)).status_code == 303


def test_a_change_counts_once(make_app, ann):
    browser = browse(make_app(mail_daily_limit=3), ann.user)
    mailing = make_mailing(ann.user)
    three = f"{TWO}, dee@example.com"
    assert _send(browser, f"/mail/{mailing.id}", recipients=three, send_at=_in(days=1)).status_code == 303
    over = _send(browser, f"/mail/{mailing.id}", recipients=f"{three}, eve@example.com", send_at=_in(days=1))
    assert over.status_code == 422
    assert len(_addresses()) == 3


def test_without_a_mail_server_nobody_is_promised_anything(make_app, ann):
    answer = _send(browse(make_app(mail_server=None), ann.user))
    assert (answer.status_code, "no mail server" in answer.words) == (422, True)


def test_pages_cost_the_same_however_much_there_is(ann, queries):
    def cost(path):
        with queries() as seen:
            assert ann.get(path).status_code == 200
        return seen.count

    _send(ann, "/mail/draft", attachment=[_file("a", b"a")])
    few = cost("/mail")
    _send(ann, "/mail/draft", attachment=[_file(str(number), b"a") for number in range(9)])
    for _ in range(9):
        make_mailing(ann.user)
    assert cost("/mail") <= few + 2
    mailing = make_mailing(ann.user, tuple(f"p{n}@example.com" for n in range(300)), State.SUCCEEDED)
    Delivery.update(state="refused", error="No.").execute()
    assert cost(f"/mail/{mailing.id}") < 20
