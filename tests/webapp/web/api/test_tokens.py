"""The API about tokens themselves: what one may do, and how one ends."""

from limits import parse_many

from tests.webapp.web.api.client import Program, pointers
from webapp.dev.account_factories import make_api_token
from webapp.dev.factories import make_user
from webapp.lib.token_text import new_text
from webapp.models import AccountMail, ApiToken
from webapp.models.scopes import Scope


def test_a_token_tells_what_it_may_do_and_not_what_it_is(program_of):
    program = program_of(make_user(), Scope.POSTS, Scope.TASKS_READ)
    said = program.get("/tokens/current").json
    token = ApiToken.get()
    assert said["scopes"] == ["tasks:read", "posts"]
    assert (said["id"], said["name"], said["last_four"]) == (token.id, "A program", token.last_four)
    assert said["expires_at"].endswith("Z")
    assert token.token_hash not in str(said)


def test_a_token_in_an_address_is_none(app):
    _, text = make_api_token()
    for query in (f"access_token={text}", f"token={text}", f"Authorization=Bearer+{text}"):
        assert Program(app).get(f"/user?{query}").status_code == 401


def test_a_program_revokes_its_own_token_and_no_other(program_of, caplog):
    ann = make_user()
    caplog.set_level("INFO", "errand.security")
    one, other = program_of(ann), program_of(ann)
    assert one.delete("/tokens/current").status_code == 204
    assert [each.get("/user").status_code for each in (one, other)] == [401, 200]
    assert one.delete("/tokens/current").status_code == 401
    [said] = [record.fields for record in caplog.records if record.name == "errand.security"]
    assert (said["event"], said["token_id"], said["account_id"]) == ("token revoked", one.token.id, ann.id)


def test_whoever_finds_a_token_revokes_it_without_one_and_its_owner_is_told(app, caplog):
    caplog.set_level("INFO", "errand.security")
    token, text = make_api_token(ann := make_user(email="ann@example.com"))
    AccountMail.delete().execute()
    finder = Program(app)
    answer = finder.post("/token-revocations", {"token": f" {text}\n"})
    assert (answer.status_code, answer.data, answer.headers.get("Content-Type")) == (202, b"", None)
    assert ApiToken.by_text(text) is None
    [mail] = AccountMail.select()
    assert (mail.kind, mail.address, mail.user, mail.arguments) == (
        "token_found", "ann@example.com", ann, {"token": token.id}
    )  # fmt: skip
    [said] = [record.fields for record in caplog.records if record.name == "errand.security"]
    assert (said["event"], said["found"], said["account_id"]) == ("token revoked", 1, ann.id)


def test_whoever_guesses_learns_nothing(app):
    revoked, text = make_api_token()
    revoked.revoke()
    for guess in (new_text(), text, "", "not a token", "errand_pat_" + "0" * 36, "x" * 100_000):
        assert Program(app).post("/token-revocations", {"token": guess}).status_code == 202
    assert AccountMail.select().where(AccountMail.kind == "token_found").count() == 0


def test_a_revocation_that_is_no_json_or_something_else_is_refused_in_words(app):
    finder = Program(app)
    assert finder.post("/token-revocations", data=b"token=x").status_code == 415
    assert pointers(finder.post("/token-revocations", {"tokens": "x"})) == {
        "/token": "This is required.", "/tokens": "There is no such member."
    }  # fmt: skip
    assert pointers(finder.post("/token-revocations", {"token": 7})) == {"/token": "This must be a text."}


def test_a_network_asks_for_so_many_revocations_and_no_more(app, monkeypatch):
    monkeypatch.setattr("webapp.web.routes.api.tokens.PER_NETWORK", parse_many("1 per hour"))
    finder, (_, text) = Program(app), make_api_token()
    assert finder.post("/token-revocations", {"token": "x"}).status_code == 202
    refused = finder.post("/token-revocations", {"token": text})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert ApiToken.by_text(text)
