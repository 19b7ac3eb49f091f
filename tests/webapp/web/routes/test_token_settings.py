"""Settings → Tokens: a new one, which is shown once, the list, and how one is revoked."""

import logging
from datetime import timedelta

import pytest
from limits import parse_many

from tasks.mail_account import line_up_account_mails
from tasks.remind_of_tokens import remind_of_tokens
from tests.browsing import browse
from tests.webapp.web.api.client import ROOT
from webapp.dev.account_factories import make_api_token
from webapp.dev.factories import PASSWORD, make_user
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.lib.token_text import new_text
from webapp.mail.token_mails import MOST_NAMED
from webapp.models import AccountMail, ApiToken, Session, User
from webapp.models.scopes import Scope
from webapp.web import shown_once

PAGE = "/settings/tokens"


@pytest.fixture
def mailed(app, mailserver, run_tasks):
    """A function that tells what is due, and returns the text of each mail."""

    def mailed() -> list[str]:
        line_up_account_mails(10)
        run_tasks()
        found, mailserver.mails[:] = list(mailserver.mails), []
        return [f"{mail['Subject']}\n{mail.get_body(('plain',)).get_content()}" for mail in found]

    return mailed


@pytest.fixture
def ann(app):
    """Ann's browser; she has an address."""
    return browse(app, make_user("ann", email="ann@example.com", email_confirmed_at=utcnow()))


def _make(browser, name="Backup script", scopes=("tasks:read", "posts"), days="30"):
    return browser.submit(PAGE, name=name, scopes=list(scopes), days=days)


def _shown(browser) -> str | None:
    found = browser.get(PAGE).page.select_one("#made-token[autofocus]")
    return found and found["value"]


def test_somebody_makes_a_token_and_a_program_uses_it(app, ann):
    page = ann.get(PAGE)
    assert "No tokens yet" in page.words
    assert page.one(".subpages [aria-current=page]").text == "Tokens"
    assert page.one("main a[href='/developers']")
    assert page.one("#days [selected]")["value"] == "90"
    assert (answer := _make(ann)).location == PAGE, answer.words
    text = _shown(ann)
    program = app.test_client()
    answer = program.get(f"{ROOT}/user", headers={"Authorization": f"Bearer {text}"})
    assert answer.json["username"] == "ann"
    row = ann.get(PAGE).one(f"#apitoken-{ApiToken.get().id}")
    said = " ".join(row.text.split())
    assert f"Backup script errand_pat_…{text[-4:]}" in said
    assert "See tasks · Posts" in said
    assert "Last used" in said
    assert "from 127.0.0.0/24" in said
    [token] = ApiToken.select()
    assert abs(token.expires_at - token.created_at - timedelta(days=30)) < timedelta(minutes=1)


def test_it_is_shown_for_ten_minutes_to_the_browser_that_made_it_or_until_it_is_copied(app, ann, monkeypatch):
    elsewhere = browse(app, ann.user)
    _make(ann)
    text = _shown(ann)
    assert _shown(ann) == text, "the first answer may have been lost"
    assert "no-store" in ann.get(PAGE).headers["Cache-Control"]
    assert _shown(elsewhere) is None
    with ann.session_transaction() as session:
        assert text not in str(dict(session)), "whoever reads a cookie has no token"
    assert ann.submit(f"{PAGE}/copied").location == PAGE
    assert _shown(ann) is None
    _make(ann, "Another")
    now = shown_once.time.time()
    monkeypatch.setattr("webapp.web.shown_once.time.time", lambda: now + shown_once.HOLDS + 1)
    assert _shown(ann) is None


def test_one_that_is_revoked_is_shown_no_more(app, ann):
    _make(ann)
    ApiToken.get().revoke()
    assert _shown(ann) is None


def test_it_asks_for_the_password_first_and_keeps_what_was_chosen(ann):
    Session.update(authenticated_at=utcnow() - timedelta(minutes=11)).execute()
    asked = _make(ann)
    assert asked.status_code == 422
    assert "Enter your password to make a token" in asked.words
    assert "What it can do" in asked.words
    assert "Expires after" in asked.words
    assert "See tasks, Posts" in asked.words
    assert "30 days" in asked.words
    assert not ApiToken.select().exists()
    fields = {"name": "Backup script", "scopes": ["tasks:read", "posts"], "days": "30"}
    assert ann.submit(PAGE, **fields, reauthentication_password="wrong").status_code == 422
    assert not ApiToken.select().exists()
    assert ann.submit(PAGE, **fields, reauthentication_password=PASSWORD).location == PAGE
    assert ApiToken.get().scopes == {Scope.TASKS_READ, Scope.POSTS}


@pytest.mark.parametrize(
    ("wrong", "at", "words"),
    [
        ({"name": " "}, "#name-error", "Name the token after what will use it."),
        ({"name": f"my {new_text()}"}, "#name-error", "That’s a token itself."),
        ({"name": "x" * 61}, "#name-error", "Use at most 60 characters."),
        ({"scopes": []}, "#scopes-error", "Choose what the token can do."),
        ({"scopes": ["desk:write"]}, "#scopes-error", "is not a valid choice"),
        ({"scopes": ["everything"]}, "#scopes-error", "is not a valid choice"),
        ({"days": "366"}, "#days-error", "Not a valid choice."),
        ({"days": ""}, "#days-error", "Not a valid choice."),
    ],
)
def test_a_wrong_field_says_so_and_the_rest_stays(ann, wrong, at, words):
    answer = _make(ann, **wrong)
    assert answer.status_code == 422
    assert words in answer.one(at).text
    if "name" not in wrong:
        assert answer.one("#name")["value"] == "Backup script"
    if "scopes" not in wrong:
        assert [box["value"] for box in answer.page.select("[name=scopes][checked]")] == ["tasks:read", "posts"]
    assert not ApiToken.select().exists()


def test_beyond_the_limit_it_says_what_to_do(ann, allow, caplog):
    allow(Quota.TOKENS, 1)
    _make(ann)
    answer = _make(ann, "Another")
    assert answer.status_code == 422
    assert "You can have 1 token at a time. Revoke it, then try again." in answer.words
    assert answer.one("#name")["value"] == "Another"
    assert ApiToken.select().count() == 1


def test_who_makes_one_after_the_other_is_told_to_wait(ann, monkeypatch):
    monkeypatch.setattr("webapp.web.routes.settings.tokens.NEW_TOKENS", parse_many("1 per hour"))
    assert _make(ann, "").status_code == 422, "which is none"
    assert _make(ann).status_code == 303
    refused = _make(ann, "Another")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert ApiToken.select().count() == 1


def test_scopes_of_the_desk_are_offered_to_who_has_a_role_that_counts(app):
    def offered(**account) -> set[str]:
        page = browse(app, make_user(**account)).get(PAGE)
        return {box["value"] for box in page.page.select("[name=scopes]") if box["value"].startswith("desk")}

    assert offered() == offered(role="admin") == set()
    assert offered(role="viewer", totp_secret="x") == {"desk:read"}
    assert offered(role="operator", totp_secret="x") == {"desk:read", "desk:write"}


def test_guests_are_told_that_they_need_an_account(app):
    guest = browse(app, make_user(guest=True))
    page = guest.get(PAGE)
    assert "You’re a guest" in page.words
    assert page.one("section a[href='/settings#keep']").text == "Set a password"
    assert not page.page.select("form[action='/settings/tokens']")
    assert _make(guest).location == PAGE
    assert not ApiToken.select().exists()


def test_a_token_is_revoked_and_stays_in_the_list_as_that(ann, caplog):
    caplog.set_level("INFO", "errand.security")
    token, text = make_api_token(ann.user, name="Phone")
    revoke = f"{PAGE}/{token.id}/revocation"
    assert ann.get(PAGE).one(f"details form[action='{revoke}']"), "asked once more before it is done"
    assert ann.submit(revoke).location == PAGE
    page = ann.get(PAGE)
    assert "Token revoked: Phone." in page.words
    assert page.one(f"#apitoken-{token.id} .badge").text == "Revoked"
    assert not page.page.select(f"[action='{revoke}']")
    assert ApiToken.by_text(text) is None
    ann.submit(revoke)
    assert "That token had already ended." in ann.get(PAGE).words, "from another tab"
    [said] = [record.fields for record in caplog.records if record.name == "errand.security"]
    assert (said["event"], said["token_id"], said["account_id"]) == ("token revoked", token.id, ann.user.id)


def test_somebody_elses_token_does_not_exist(ann):
    token, text = make_api_token(name="Of somebody else")
    assert "Of somebody else" not in ann.get(PAGE).words
    assert ann.submit(f"{PAGE}/{token.id}/revocation").status_code == 404
    assert ApiToken.by_text(text)


def test_one_that_has_expired_says_so(ann):
    token, _ = make_api_token(ann.user)
    ApiToken.update(expires_at=utcnow() - timedelta(days=1)).execute()
    assert ann.get(PAGE).one(f"#apitoken-{token.id} .badge").text == "Expired"


def test_the_page_asks_the_same_however_many_tokens_there_are(ann, queries):
    counts = []
    for _ in range(2):
        ann.get(PAGE)
        with queries() as seen:
            page = ann.get(PAGE)
        counts.append(seen.count)
        row = {"user": ann.user.id, "name": "n" * 60, "last_four": "xxxx", "scope": "posts", "expires_at": utcnow()}
        ApiToken.insert_many([row | {"token_hash": f"{n}"} for n in range(200)]).on_conflict_ignore().execute()
    assert counts[0] == counts[1]
    assert len(page.page.select(".sessions li")) == 100
    assert "These are 100 of your tokens." in page.words


def test_its_owner_is_mailed_what_it_can_do_and_never_what_it_is(ann, mailed, caplog):
    caplog.set_level(logging.DEBUG)
    _make(ann)
    text = _shown(ann)
    [mail] = mailed()
    assert mail.startswith("A token was made for your Errand account\n")
    for words in (
        "Backup script",
        f"Ends in: {text[-4:]}",
        "- see your tasks",
        "- read posts, and write, change and delete your own",
        PAGE,
    ):
        assert words in mail
    assert "download the files" not in mail
    assert text[:20] not in mail + caplog.text
    made = [record.fields for record in caplog.records if record.name == "errand.security"]
    assert [(said["event"], said["token_id"]) for said in made] == [("token made", ApiToken.get().id)]


def test_whoever_found_one_has_its_owner_told(ann, mailed):
    _, text = make_api_token(ann.user, Scope.ARTIFACTS_READ, name="Leaked")
    AccountMail.delete().execute()
    ApiToken.by_text(text).used("192.0.2.0/24")
    ApiToken.revoke_by_text(text)
    [mail] = mailed()
    assert "Someone found an API token for your account, ann" in mail
    assert "Leaked" in mail
    assert "from 192.0.2.0/24" in mail
    assert "- download what your tasks made" in mail


def test_tokens_that_expire_soon_are_told_once_and_none_that_was_revoked_meanwhile(ann, mailed):
    tokens = {name: make_api_token(ann.user, name=name)[0] for name in ("Later", "Sooner", "Gone")}
    for name, days in (("Later", 6), ("Sooner", 2), ("Gone", 1)):
        ApiToken.update(expires_at=utcnow() + timedelta(days=days)).where(ApiToken.id == tokens[name].id).execute()
    AccountMail.delete().execute()
    remind_of_tokens(10)
    ApiToken.get_by_id(tokens["Gone"].id).revoke()
    [mail] = mailed()
    assert mail.startswith("A token of your Errand account expires soon\n")
    assert mail.index("Sooner") < mail.index("Later")
    assert "Gone" not in mail
    remind_of_tokens(10)
    assert mailed() == []


def test_one_that_expires_soon_is_told_however_many_last_longer(ann, mailed):
    for number in range(MOST_NAMED):
        make_api_token(ann.user, name=f"Longer {number}")
    token, _ = make_api_token(ann.user, name="Soon")
    ApiToken.update(expires_at=utcnow() + timedelta(days=2)).where(ApiToken.id == token.id).execute()
    AccountMail.delete().execute()
    remind_of_tokens(10)
    [mail] = mailed()
    assert "Soon" in mail
    assert "Longer" not in mail


def test_a_new_password_leaves_tokens_and_says_so(app, ann, mailed):
    _, text = make_api_token(ann.user, name="Phone")
    AccountMail.delete().execute()
    ann.submit("/settings/password", current=PASSWORD, password="another one of those")
    assert ApiToken.by_text(text)
    [mail] = mailed()
    assert "These API tokens still work." in mail
    assert f"Phone (…{text[-4:]})" in mail
    ApiToken.revoke_all(ann.user)
    browse(app, User.get()).submit("/settings/password", current="another one of those", password=PASSWORD + "!!!!")
    [mail] = mailed()
    assert "API token" not in mail


def test_sessions_say_that_tokens_go_on_working(ann):
    assert ann.get("/settings/sessions").one(f"main p a[href='{PAGE}']")
