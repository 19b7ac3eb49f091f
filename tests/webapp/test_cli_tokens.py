"""`flask tokens`: a token without a browser, what an operator sees of somebody's tokens, and that they end."""

from datetime import datetime

import pytest

from tests.webapp.test_cli import _run
from tests.webapp.web.api.client import ROOT
from webapp.dev.account_factories import make_api_token
from webapp.dev.factories import make_user
from webapp.lib.quota_variables import Quota
from webapp.models.api_token import ApiToken
from webapp.models.scopes import Scope


@pytest.fixture
def issue(app):
    """`issue(*options)`: what the command says, and its exit code."""

    def issue(*options: str) -> tuple[str, int]:
        result = app.test_cli_runner().invoke(args=["tokens", "issue", *options])
        return result.output, result.exit_code

    return issue


def test_a_token_is_printed_alone_and_works(app, issue):
    make_user("ann")
    said, code = issue("ANN", "--scope", "tasks:read", "--scope", "posts", "--days", "2", "--name", "Nightly")
    assert code == 0
    [text] = said.splitlines()
    answer = app.test_client().get(f"{ROOT}/user", headers={"Authorization": f"Bearer {text}"})
    assert answer.json["username"] == "ann"
    token = ApiToken.get()
    assert (token.name, token.scopes) == ("Nightly", {Scope.TASKS_READ, Scope.POSTS})
    assert (token.expires_at - token.created_at).days in {1, 2}


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("guest", ("--scope", "posts"), "guest is a guest"),
        ("nobody", ("--scope", "posts"), "nobody here is called nobody"),
        ("ann", (), "Missing option '--scope'"),
        ("ann", ("--scope", "everything"), "'everything' is not one of"),
        ("ann", ("--scope", "desk:read"), "ann has no role that counts for desk:read"),
        ("ann", ("--scope", "posts", "--days", "1000"), "1000 is not in the range"),
        ("ann", ("--scope", "posts", "--name", ""), "a name has 1 to 60 characters"),
    ],
)
def test_what_nobody_can_have_is_refused_in_words(issue, name, options, words):
    make_user("ann")
    make_user("guest", guest=True)
    said, code = issue(name, *options)
    assert code
    assert words in said
    assert not ApiToken.select().exists()


def test_the_limit_of_tokens_holds_here_too(issue, allow):
    make_user("ann")
    allow(Quota.TOKENS, 1)
    assert issue("ann", "--scope", "posts")[1] == 0
    said, code = issue("ann", "--scope", "posts")
    assert (code, ApiToken.select().count()) == (1, 1)
    assert "You can have 1 token at a time" in said


def test_tokens_are_listed_and_revoked_and_nobody_elses(app, written):
    ann = make_user("ann")
    assert _run(app, "tokens", "list", "ann") == "ann has no tokens.\n"
    token, text = make_api_token(ann, Scope.TASKS_READ, Scope.POSTS, name="Phone\x1b[2J")
    _, another = make_api_token(ann, days=30)
    _, bobs = make_api_token()
    used = {
        "last_used_at": datetime(2026, 11, 1, 9, 30),
        "last_network": "192.0.2.0/24",
        "expires_at": datetime(2999, 1, 2),
    }
    ApiToken.update(used).where(ApiToken.id == token.id).execute()
    listed = _run(app, "tokens", "list", "ann").splitlines()
    assert listed[0] == rf"…{text[-4:]}  until 2999-01-02, last used 2026-11-01 09:30 from 192.0.2.0/24: Phone\x1b[2J"
    assert listed[1] == "    tasks:read posts"
    assert "never used: Script" in listed[2]
    lines = written("json")
    assert _run(app, "tokens", "revoke", "ann") == "Revoked 2 tokens.\n"
    assert [bool(ApiToken.by_text(each)) for each in (text, another, bobs)] == [False, False, True]
    [told] = lines.objects("errand.security")
    assert (told["event"], told["account_id"], told["tokens"], told["via"]) == ("token revoked", ann.id, 2, "command")
