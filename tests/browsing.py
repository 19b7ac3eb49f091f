"""A person's browser without JavaScript, in the same process as the app: cookies, forms with their tokens, pages."""

from functools import cached_property
from typing import Any

from bs4 import BeautifulSoup, Tag
from flask import Flask, Response, request
from flask_login import FlaskLoginClient
from flask_wtf.csrf import generate_csrf
from werkzeug.test import TestResponse

from webapp.models import Session, User
from webapp.models.session import new_key
from webapp.web.session_cookies import SESSION_KEY

TOKEN_WILL_DO = "tests.token_will_do"  # in a request's environment


class Answer(Response):
    """A response that can be read as a page."""

    @cached_property
    def page(self) -> BeautifulSoup:
        """The document."""
        return BeautifulSoup(self.get_data(as_text=True), "html.parser")

    @property
    def words(self) -> str:
        """What a person reads, with single spaces."""
        return words(self.page)

    @property
    def fragment(self) -> str:
        """The list in the answer to a poll, without what gives its title the focus of a row that is gone."""
        return self.get_data(as_text=True).partition("<hx-partial data-focus-fallback")[0].strip()

    def one(self, selector: str) -> Tag:
        """The only element that fits the selector. AssertionError when there is none, or more than one."""
        return one(self.page, selector)


class Browser(FlaskLoginClient):
    """A test client. `browse(app)` makes one, `browse(app, user)` one that is signed in."""

    user: User | None = None

    def open(self, *args: Any, buffered: bool = True, **kwargs: Any) -> TestResponse:
        """Make a request and read its answer to the end, as browsers do; not where a test reads it in pieces."""
        answer = super().open(*args, buffered=buffered, **kwargs)
        if buffered:
            answer.request.environ["wsgi.input"].close()  # a large upload is a file on disk
        return answer

    def token(self) -> str:
        """The CSRF token of a page that this person could have open."""
        answer = self.get("/", environ_overrides={TOKEN_WILL_DO: True})
        assert answer.status_code == 200, f"no page would be shown to them: {answer.status}"
        return answer.get_data(as_text=True)

    def submit(self, path: str, *, headers: dict[str, str] | None = None, **fields: Any) -> TestResponse:
        """Send a form to a path, with the token that its page would have had."""
        return self.post(path, data={"csrf_token": self.token()} | fields, headers=headers)


def browse(app: Flask, user: User | None = None) -> Browser:
    """A new browser at this site, signed in as somebody if one is given."""
    hooks = app.before_request_funcs.setdefault(None, [])
    if _answer_with_token not in hooks:
        hooks.append(_answer_with_token)  # after those of the app, so that what they refuse is refused
    browser = Browser(app, type("Answer", (Answer,), {}), user=user)
    browser.user = user
    if user:
        with browser.session_transaction() as session:
            session[SESSION_KEY] = key = new_key()
        Session.begin(user, key)
    return browser


def _answer_with_token() -> str | None:
    """The token alone, where that is all that is wanted of a page: to show the page and to read it takes far longer."""
    return generate_csrf() if TOKEN_WILL_DO in request.environ else None


def words(tag: Tag) -> str:
    """The text of an element with single spaces."""
    return " ".join(tag.get_text(" ").split())


def one(tag: Tag, selector: str) -> Tag:
    """The only element inside `tag` that fits the selector."""
    found = tag.select(selector)
    assert len(found) == 1, f"{len(found)} elements fit {selector}"
    return found[0]
