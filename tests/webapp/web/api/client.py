"""A program that uses the API, in the same process as the app."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.webapp.web.api.contract import hold_to_document
from webapp.lib.times import utcnow
from webapp.models import User
from webapp.models.api_token import ApiToken
from webapp.models.scopes import Scope

ROOT = "/api/v1"


class Program:
    """Sends requests with a token of somebody's; `program.token` is its row."""

    def __init__(self, app: Flask, user: User | None = None, scopes: Iterable[Scope] = tuple(Scope)) -> None:
        self._app, self._client, self.headers = app, FlaskClient(app, app.response_class), {}
        self.user, self.is_held = user, True
        if user:
            self.token, text = ApiToken.issue(user, "A program", set(scopes), utcnow() + timedelta(days=30))
            self.headers["Authorization"] = f"Bearer {text}"

    def ask(self, method: str, path: str, *, headers: dict[str, str] | None = None, **more: Any) -> TestResponse:
        """A request to a path below ROOT, and its answer.

        A problem must be one, whatever it says. The document must allow every answer of an operation, unless the test
        has made another of it (`is_held`).
        """
        address = path if path.startswith("/api/") else ROOT + path
        answer = self._client.open(address, method=method, headers=self.headers | (headers or {}), **more)
        answer.request.environ["wsgi.input"].close()  # a large upload is a file on disk
        if answer.status_code >= 400:
            assert answer.mimetype == "application/problem+json", answer.get_data(as_text=True)
            assert method == "HEAD" or answer.json["status"] == answer.status_code
        if self.is_held:
            hold_to_document(self._app, method, address, answer)
        return answer

    def get(self, path: str, **more: Any) -> TestResponse:
        """GET."""
        return self.ask("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        """POST, of JSON if there is any."""
        return self.ask("POST", path, **({} if json is None else {"json": json}), **more)

    def patch(self, path: str, json: Any, **more: Any) -> TestResponse:
        """PATCH."""
        return self.ask("PATCH", path, json=json, **more)

    def delete(self, path: str, **more: Any) -> TestResponse:
        """DELETE."""
        return self.ask("DELETE", path, **more)


def pointers(answer: TestResponse) -> dict[str, str]:
    """What is wrong by place: a JSON pointer, or the name of a parameter or header."""
    faults = answer.json.get("errors", [])
    return {each.get("pointer", each.get("parameter", each.get("header"))): each["detail"] for each in faults}
