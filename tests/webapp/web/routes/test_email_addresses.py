"""Email addresses: each is used once it is confirmed, and whoever had the one before can undo the change."""

import logging
import re
from datetime import timedelta

import pytest

from tasks.engine.sweep_hooks import sweep_hooks
from tasks.export_posts import export_posts
from tasks.withdraw_addresses import withdraw_addresses
from tests.browsing import browse
from webapp.dev.account_factories import make_email_change
from webapp.dev.factories import PASSWORD, make_message, make_task, make_user
from webapp.lib.times import utcnow
from webapp.mail import link_limits
from webapp.mail.confirmation_links import Purpose, token_of
from webapp.mail.link_limits import Limit, mailbox_of
from webapp.mail.mailings import outgoing_mail
from webapp.mail.senders import refusal_for
from webapp.models import AccountMail, EmailChange, Mailing, Message, RateCount, Session, State, User
from webapp.models.email_change import KEPT, LINK_LASTS, UNDO_LASTS

EVERYTHING_BY_MAIL = {"message": "mail", "succeeded": "mail", "failed": "mail", "mail": "app"}


@pytest.fixture
def app(each_database, mailserver):
    """The app on each database, which sends mail."""
    return each_database


@pytest.fixture
def deliver(app, run_waiting):
    """A function that has the worker send what is due, and returns whom it mailed about what since the last time."""
    seen = []

    def run(mails) -> list[tuple[str, str]]:
        Message.update(mail_due_at=utcnow()).where(Message.mail_due_at.is_null(False)).execute()
        with app.app_context():
            for hook in sweep_hooks:
                hook(10)
        run_waiting()
        new = mails[len(seen) :]
        seen.extend(new)
        return [(mail["To"], mail["Subject"]) for mail in new]

    return run


def _ann() -> User:
    return User.by_username("ann")


def _path(mail, kind: str) -> str:
    texts = [mail.get_body((part,)).get_content() for part in ("plain", "html")]
    [path] = {re.search(rf"http://localhost(/email/{kind}/[\w.-]+)", text)[1] for text in texts}
    return path


def _link(app, change: EmailChange, purpose: Purpose = Purpose.CONFIRM) -> str:
    with app.app_context():
        token = token_of(change, purpose)
    return f"/email/{'confirmation' if purpose == Purpose.CONFIRM else 'undo'}/{token}"


def _use_everything(user: User) -> None:
    """All that would be mailed to somebody who wants that."""
    User.update(hearing=EVERYTHING_BY_MAIL).where(User.id == user.id).execute()
    make_message(make_user(), user)
    make_task(State.IN_PROGRESS, user).succeed()
    make_task(State.IN_PROGRESS, user).fail("It broke.")
    export_posts.launch(user)


def test_a_stranger_whose_address_is_typed_gets_one_mail_and_nothing_else_until_they_confirm(app, mailserver, deliver):
    browse(app).submit("/register", username="ann", password="a good password", email="victim@example.org")
    _use_everything(_ann())
    assert deliver(mailserver.mails) == [("victim@example.org", "Confirm your email address for Errand")]
    _use_everything(_ann())
    assert deliver(mailserver.mails) == []

    stranger, path = browse(app), _path(mailserver.mails[0], "confirmation")
    assert _ann().email == ""
    question = stranger.get(path)
    assert ("victim@example.org" in question.words, "ann" in question.words) == (True, True)
    assert _ann().email == "", "programs that check mail open links"
    answer = stranger.submit(path)
    assert (answer.status_code, answer.location) == (303, path)
    assert "From now on, we’ll email ann at victim@example.org" in stranger.get(path).words
    assert (_ann().email, _ann().must_confirm_email) == ("victim@example.org", False)
    _use_everything(_ann())
    assert {to for to, _ in deliver(mailserver.mails)} == {"victim@example.org"}
    assert len(mailserver.mails) > 3


def test_an_address_lets_nobody_mail_others_and_is_no_reply_to_until_it_is_confirmed(app):
    ann = make_user("ann")
    change = make_email_change(ann, "ceo@bigbank.example")
    mailing = Mailing(user=ann, subject="Hello", text="Hello", html="<p>Hello</p>")
    with app.app_context():
        assert outgoing_mail(mailing, _ann()).reply_to is None
        assert "confirm an email address" in str(refusal_for(_ann(), utcnow()).words)
    assert change.confirm()
    with app.app_context():
        assert str(outgoing_mail(mailing, _ann()).reply_to) == "ceo@bigbank.example"
        assert refusal_for(_ann(), utcnow()) is None


def test_a_change_is_told_to_the_old_address_which_can_undo_it(app, mailserver, deliver):
    ann = browse(app, make_user("ann", email="ann@example.com"))
    answer = ann.submit("/settings/email", email="mallory@example.com")
    assert (answer.status_code, answer.location) == (303, "/settings")
    assert "We sent a link to mallory@example.com" in ann.get("/settings").one("#pending-email").text.replace("\n", " ")
    assert deliver(mailserver.mails) == [("mallory@example.com", "Confirm your email address for Errand")]
    assert _ann().email == "ann@example.com"
    ann.submit(_path(mailserver.mails[0], "confirmation"))
    assert _ann().email == "mallory@example.com"
    assert deliver(mailserver.mails) == [("ann@example.com", "Your Errand email address was changed")]
    told = mailserver.mails[1]
    assert "mallory" not in told.as_string(), "an old mailbox need not know the new one"

    owner, path = browse(app), _path(told, "undo")
    assert "ann@example.com will be the address" in owner.get(path).words
    assert _ann().email == "mallory@example.com"
    assert owner.submit(path).location == path
    assert (_ann().email, _ann().must_confirm_email) == ("ann@example.com", False)
    assert "everyone has been signed out" in owner.get(path).words
    assert ann.get("/settings").location.startswith("/login")
    assert not Session.of(_ann(), 1)
    assert deliver(mailserver.mails) == [("ann@example.com", "Your Errand email address was changed back")]


def test_who_has_not_proved_who_they_are_for_a_while_cannot_change_the_address(app):
    ann = browse(app, make_user("ann", email="ann@example.com"))
    Session.update(authenticated_at=utcnow() - timedelta(minutes=11)).execute()
    assert ann.get("/settings/email").location == "/reauthentication?next=/settings/email"
    for address in ("mallory@example.com", ""):
        answer = ann.submit("/settings/email", email=address)
        assert (answer.status_code, len(answer.page.select("#reauthentication_password"))) == (422, 1)
    assert not EmailChange.select().exists()
    assert _ann().email == "ann@example.com"


def test_the_first_address_can_undo_whatever_followed_it(app):
    first = make_email_change(make_user("ann", email="ann@example.com"), "b@example.com")
    assert first.confirm()
    second = make_email_change(_ann(), "c@example.com")
    assert second.confirm()
    EmailChange.remove(_ann())
    third = make_email_change(_ann(), "d@example.com")
    assert [mail.address for mail in AccountMail.select().order_by(AccountMail.id)] == [
        "ann@example.com",
        "b@example.com",
        "c@example.com",
    ]
    assert EmailChange.get_by_id(first.id).undo()
    assert _ann().email == "ann@example.com"
    visitor = browse(app)
    for change, purpose in ((second, Purpose.UNDO), (third, Purpose.CONFIRM)):
        assert visitor.get(_link(app, change, purpose)).status_code == 410
        assert visitor.submit(_link(app, change, purpose)).status_code == 303
    assert not EmailChange.get_by_id(first.id).undo(), "once"
    assert _ann().email == "ann@example.com"


def _expire(change: EmailChange) -> None:
    EmailChange.update(sent_at=utcnow() - LINK_LASTS).where(EmailChange.id == change.id).execute()


def _replace(change: EmailChange) -> None:
    EmailChange.request(change.user, "other@example.com", send=True)


def _cancel(change: EmailChange) -> None:
    EmailChange.cancel(change.user)


def _delete(change: EmailChange) -> None:
    change.user.delete_instance(recursive=True)


@pytest.mark.parametrize(
    ("happens", "status", "words"),
    [
        (_expire, 410, "This link has expired"),
        (_replace, 410, "This link is no longer needed"),
        (_cancel, 410, "This link is no longer needed"),
        (EmailChange.confirm, 200, "Your email address is confirmed"),
        (_delete, 404, "This link doesn’t work"),
    ],
)
def test_a_link_that_is_of_no_use_says_why(make_app, happens, status, words):
    app = make_app()
    change = make_email_change(make_user("ann"), "ann@example.com")
    happens(change)
    before = [user.email for user in User.select()]
    visitor, path = browse(app), _link(app, change)
    assert visitor.submit(path).status_code == 303
    answer = visitor.get(path)
    assert (answer.status_code, answer.one("h1").text) == (status, words)
    assert not answer.page.select("main form")
    assert [user.email for user in User.select()] == before


def test_a_change_can_be_undone_for_seven_days(make_app):
    app = make_app()
    change = make_email_change(make_user("ann", email="ann@example.com"), "b@example.com")
    change.confirm()
    EmailChange.update(confirmed_at=utcnow() - UNDO_LASTS).execute()
    visitor, path = browse(app), _link(app, change, Purpose.UNDO)
    assert visitor.submit(path).status_code == 303
    answer = visitor.get(path)
    assert (answer.status_code, answer.one("h1").text) == (410, "It’s too late to undo this")
    assert _ann().email == "b@example.com"


def test_a_link_is_for_one_purpose_and_what_is_stored_is_none(make_app):
    app = make_app()
    change = make_email_change(make_user("ann", email="ann@example.com"), "b@example.com")
    link = _link(app, change)
    for path in (
        link.replace("confirmation", "undo"),
        f"/email/confirmation/{change.nonce}",
        link[:-1],
        link + "x" * 500,
    ):
        assert browse(app).get(path).status_code == 404
        browse(app).submit(path)
    assert _ann().email == "ann@example.com"


def test_a_secret_address_is_told_to_nobody(make_app, caplog):
    app = make_app()
    link = _link(app, make_email_change(make_user("ann")))
    with caplog.at_level(logging.INFO):
        answer = browse(app).get(link)
    assert answer.headers.getlist("Referrer-Policy") == ["no-referrer"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "/email/confirmation/…" in caplog.text
    assert link not in caplog.text


def test_what_happens_to_an_address_is_in_the_security_log(make_app, caplog):
    app = make_app(mail_server="127.0.0.1")
    ann = browse(app, make_user("ann", email="ann@example.com"))
    with caplog.at_level(logging.INFO, "errand.security"):
        ann.submit("/settings/email", email="b@example.com")
        change = EmailChange.get()
        for purpose in (Purpose.CONFIRM, Purpose.UNDO):
            ann.submit(_link(app, change, purpose))
        browse(app, _ann()).submit("/settings/email", email="")
    said = [record.fields["event"] for record in caplog.records if record.name == "errand.security"]
    assert said == ["address change asked", "address confirmed", "address change undone", "address removed"]
    assert "example.com" not in caplog.text


# What one sees in Settings


def test_an_address_that_is_not_confirmed_can_be_sent_another_link_or_be_forgotten(make_app):
    ann = browse(make_app(mail_server="127.0.0.1"), make_user("ann"))
    ann.submit("/settings/email", email="ann@example.com")
    assert "until you confirm ann@example.com" in ann.get("/notifications").one("#hear").text
    assert ann.get("/settings/email").one("#email")["value"] == "ann@example.com"
    _expire(EmailChange.get())
    assert "has expired" in ann.get("/settings").one("#pending-email").text
    # Pressed on a page that shows what is wrong with a form, whose address has no page of its own.
    for here, then in (("/settings/profile", "/settings"), ("/tasks?state=done", "/tasks?state=done")):
        answer = ann.submit("/settings/email/link", headers={"Referer": f"http://localhost{here}"})
        assert (answer.status_code, answer.location) == (303, then)
    assert [mail.address for mail in AccountMail.select()] == ["ann@example.com"] * 3
    assert EmailChange.select().count() == 1
    assert ann.get("/settings").one("form[action$=cancellation] button").text == "Remove"
    ann.submit("/settings/email/cancellation")
    assert not ann.get("/settings").page.select("#pending-email")
    assert EmailChange.pending_of(_ann()) is None


@pytest.mark.parametrize("chosen", [{"hearing": {"message": "mail"}}, {"mail_after": 5}])
def test_who_chose_mail_and_removes_the_address_is_told_what_that_means(make_app, chosen):
    ann = browse(make_app(), make_user("ann", email="ann@example.com", **chosen))
    ann.submit("/settings/email", email="")
    assert _ann().email == ""
    assert "You’ll get none until you add an email address." in ann.get("/settings").words
    assert "won’t get any emails until you add an email address" in ann.get("/notifications").one("#hear").text
    assert AccountMail.get().kind == "address_changed"


def test_a_wrong_address_is_told_at_the_field(make_app):
    ann = browse(make_app(), make_user("ann", email="ann@example.com"))
    for wrong in ("no address", f"{'a' * 60}@{'b' * 200}.example"):
        answer = ann.submit("/settings/email", email=wrong)
        assert answer.status_code == 422
        assert answer.one("#email-error")
        assert answer.one("#email")["value"] == wrong
    assert not EmailChange.select().exists()


def test_a_page_of_the_release_before_changes_no_address_and_says_where_to(ann):
    answer = ann.submit("/settings/profile", email="ann@example.com", about="I knit.", time_zone="UTC")
    assert (answer.status_code, answer.location) == (303, "/settings/email")
    assert (_ann().about, _ann().email) == ("I knit.", "")
    assert "change that here" in ann.get("/settings/email").words


@pytest.mark.parametrize("lacks", [{"base_url": ""}, {}])
def test_a_site_that_can_send_no_links_promises_none(make_app, lacks):
    app = make_app(**lacks)  # without a mail server, too
    visitor = browse(app)
    visitor.submit("/register", username="ann", password="a good password", email="ann@example.com")
    assert "no address can be confirmed for now" in visitor.get("/").one("#flashes").text
    page = visitor.get("/settings")
    assert "Whoever runs it has to set that up" in page.one("#pending-email").text
    assert not page.page.select("form[action='/settings/email/link']")
    assert not AccountMail.select().exists()


def test_a_guest_whose_change_is_undone_keeps_the_account(make_app):
    app = make_app()
    guest = browse(app, make_user("ann", guest=True, email="ann@example.com"))
    change = make_email_change(_ann(), "b@example.com")
    change.confirm()
    browse(app).submit(_link(app, change, Purpose.UNDO))
    assert _ann().email == "ann@example.com"
    assert guest.get("/settings").status_code == 200
    assert "set one in Settings" in browse(app).get(_link(app, change, Purpose.UNDO)).words


# Limits


def test_one_address_gets_three_links_an_hour_whoever_types_it(make_app):
    app = make_app(mail_server="127.0.0.1")
    spellings = [
        "victim@bücher.example",
        "Victim@xn--bcher-kva.example",
        "victim+1@bücher.example",
        "victim@BÜCHER.example",
    ]
    people = [browse(app, make_user()) for _ in spellings]
    for person, address in zip(people[:3], spellings, strict=False):
        assert person.submit("/settings/email", email=address).status_code == 303
    answer = people[3].submit("/settings/email", email=spellings[3])
    assert answer.status_code == 422
    assert "We’ve sent 3 links to that address within an hour. Try again in 1 hour." in answer.one("#email-error").text
    assert AccountMail.select().count() == 3
    late = browse(app)
    late.submit("/register", username="late", password="a good password", email=spellings[0])
    assert "Try again in" in late.get("/").one("#flashes").text
    assert AccountMail.select().count() == 3
    assert EmailChange.pending_of(User.by_username("late")).sent_at is None
    people[0].submit("/settings/email/link")
    assert "Try again in" in people[0].get("/settings").one("#flashes").text


def test_strangers_who_use_up_an_address_leave_those_an_allowance_whose_it_is(make_app):
    app = make_app(mail_server="127.0.0.1")
    for _ in range(3):
        assert browse(app, make_user()).submit("/settings/email", email="ann@example.com").status_code == 303
    make_user("ann", email="ann@example.com", email_confirmed_at=utcnow())
    make_user("second")
    hers = browse(app)
    assert hers.submit("/login", username="ann", password=PASSWORD).status_code == 303
    hers.submit("/logout")
    assert hers.submit("/login", username="second", password=PASSWORD).status_code == 303
    assert hers.submit("/settings/email", email="ann@example.com").status_code == 303
    assert browse(app, make_user()).submit("/settings/email", email="ann@example.com").status_code == 422


def test_one_account_and_one_network_can_ask_for_some_links_only(make_app, monkeypatch):
    monkeypatch.setattr(link_limits, "PER_ACCOUNT", (Limit(2, link_limits.HOUR),))
    monkeypatch.setattr(link_limits, "PER_NETWORK", (Limit(3, link_limits.DAY),))
    app = make_app(mail_server="127.0.0.1")
    ann, bob = browse(app, make_user()), browse(app, make_user())
    sent = [
        browser.submit("/settings/email", email=f"{n}@example.com")
        for n, browser in enumerate([ann, ann, ann, bob, bob])
    ]
    assert [answer.status_code for answer in sent] == [303, 303, 422, 303, 422]
    assert "You’ve asked for 2 links within an hour" in sent[2].one("#email-error").text
    assert "within 1 day" in sent[4].one("#email-error").text


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [("Ann@Example.COM", "ann@example.com"), ("a+b+c@example.com", "a@example.com"), ("no address", "@no address")],
)
def test_spellings_of_one_address_count_together(address, mailbox):
    assert mailbox_of(address) == mailbox


# Addresses of before


def _grace(user: User, days: int) -> None:
    ends_at = utcnow() + timedelta(days=days)
    User.update(email_confirmed_at=None, email_grace_ends_at=ends_at).where(User.id == user.id).execute()


def test_an_address_of_before_is_asked_for_on_every_page_and_used_meanwhile(app, mailserver, deliver):
    ann = browse(app, make_user("ann", email="ann@example.com"))
    assert not ann.get("/").page.select("#confirm-email")
    _grace(ann.user, 20)
    for path in ("/", "/tasks", "/settings"):
        assert "Confirm that ann@example.com is yours by" in ann.get(path).one("#confirm-email").text
    withdraw_addresses(10)
    with app.app_context():
        assert refusal_for(_ann(), utcnow()) is None
    make_email_change(ann.user, "other@example.com")
    button = ann.get("/").one("#confirm-email button")
    ann.submit("/settings/email/link", **{button["name"]: button["value"]})
    assert deliver(mailserver.mails) == [("ann@example.com", "Confirm your email address for Errand")]
    ann.submit(_path(mailserver.mails[0], "confirmation"))
    assert (_ann().must_confirm_email, _ann().email_grace_ends_at) == (False, None)
    assert not ann.get("/").page.select("#confirm-email")
    assert deliver(mailserver.mails) == [], "nothing has changed that would have to be told"


def test_when_its_grace_ends_an_address_of_before_is_to_be_confirmed(app):
    late, other, confirmed = (
        make_user("ann", email="ann@example.com"),
        make_user(email="b@example.com"),
        make_user(email="c@example.com"),
    )
    for user in (late, other):
        _grace(user, -1)
    waits = make_email_change(other, "new@example.com")
    withdraw_addresses(1)
    withdraw_addresses(1)
    withdraw_addresses(1)
    assert [User.get_by_id(user.id).email for user in (late, other, confirmed)] == ["", "", "c@example.com"]
    assert EmailChange.pending_of(late).address == "ann@example.com"
    assert EmailChange.pending_of(other) == waits
    assert not AccountMail.select().exists()


def test_an_address_that_the_release_before_has_written_is_sent_its_link(app, mailserver, deliver):
    ann = make_user("ann")
    User.update(email="ann@example.com").execute()
    assert deliver(mailserver.mails) == [("ann@example.com", "Confirm your email address for Errand")]
    assert _ann().email == ""
    browse(app).submit(_path(mailserver.mails[0], "confirmation"))
    assert _ann().email == "ann@example.com"
    assert EmailChange.pending_of(ann) is None


def test_an_address_that_the_release_before_has_written_is_not_said_to_have_a_link_where_none_can_be_sent(app):
    make_user("ann")
    User.update(email="ann@example.com").execute()
    app.config["MAIL_SERVER"] = None
    with app.app_context():
        withdraw_addresses(10)
    assert EmailChange.pending_of(_ann()).sent_at is None
    assert not AccountMail.select().exists()


def test_what_was_settled_long_ago_is_deleted(app):
    old, pending = make_email_change(settled_at=utcnow() - KEPT), make_email_change(requested_at=utcnow() - 9 * KEPT)
    assert EmailChange.purge(10) == 1
    assert list(EmailChange.select()) == [pending] != [old]


def test_of_two_presses_one_confirms(app):
    change = make_email_change(make_user("ann", email="ann@example.com"), "b@example.com")
    same = EmailChange.get_by_id(change.id)
    assert (change.confirm(), same.confirm()) == (True, False)
    assert AccountMail.select().count() == 1
    replaced = make_email_change(_ann(), "c@example.com")
    EmailChange.request(_ann(), "d@example.com", send=False)
    assert not replaced.confirm(), "its owner has changed their mind"
    assert RateCount.select().count() == 0
