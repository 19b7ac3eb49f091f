"""`flask tokens`: a token without a browser."""

import pytest

from tests.webapp.web.api.client import ROOT
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
        ("ann", ("--scope", "desk:read"), "ann has no role for desk:read"),
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
    assert "limit" in said
