"""What tests/test_stripping.py runs in a copy without posts, messages, mail: somebody registers and starts a task."""

import io
import json
import re
import sys
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import meta

from tasks.delete_accounts import hide_posts_of_the_deleted, stop_tasks_of_the_deleted
from tasks.engine.executor import execute_next
from tasks.engine.retention import purge
from tasks.export_account import latest_export
from tasks.lib.exported import exported_models
from tasks.queue import huey
from webapp import db
from webapp.app import create_app
from webapp.dev.account_factories import make_api_token
from webapp.dev.factories import make_notification, make_user
from webapp.lib.times import utcnow
from webapp.models import Artifact, Deletion, State, Task, User
from webapp.models.permissions import Role
from webapp.settings import Settings
from webapp.web.polling import POLLED_FRAGMENTS

PAGES = ("/tasks", "/tasks/new", "/tasks/new/countdown", "/notifications", "/people/ann", "/people/bea", "/settings")
PAGES += ("/settings/storage", "/settings/storage?order=age", "/settings/data", "/settings/data/deletion")
PAGES += ("/settings/security", "/settings/sessions", "/settings/picture", "/settings/username", "/settings/email")
GONE = ("/posts", "/messages", "/messages/ann", "/mail", "/unsubscribe/x", "/tasks/new/export_posts")
GONE += ("/settings/blocked", "/people/bea/block")
GONE += tuple(f"/developers/{noun}" for noun in ("posts", "messages", "mailings"))
# What the API and the pages about it name; an account still has an email address, and what is done is still posted.
GONE_WORDS = re.compile(r"\w*(?:[a-z_]posts?\b|\bposts|message|mail|attachment|conversation)\w*", re.IGNORECASE)
STAYING_WORDS = {"email"}
PASSWORD = "correct horse battery"
Submit = Callable[..., str]  # the path of a form's action, that of its page, and its fields; returns where it leads
ROOT = Path(__file__).parent.parent


def main(folder: str) -> None:
    """Exits with a traceback if anything is missing."""
    settings = {"database_url": f"sqlite:///{folder}/errand.db", "base_url": "http://localhost", "mailbox": True}
    settings |= {"secret_key": "secret of a test", "data_dir": Path(folder), "log_level": "WARNING"}
    app = create_app(Settings(**settings))
    db.migrate(huey.create_tables)
    check_references(app)
    browser = app.test_client()

    def submit(path: str, page: str, **fields: str) -> str:
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', browser.get(page).text)
        assert token, f"{page} has no form"
        answer = browser.post(path, data=fields | {"csrf_token": token[1]})
        assert answer.status_code == 303, answer.text
        return answer.location

    assert "Start it." in browser.get("/").text
    submit("/register", "/register", username="ann", password=PASSWORD)
    show = submit("/tasks/new/countdown", "/tasks/new/countdown", seconds="1")
    with app.app_context():
        assert execute_next()
        make_notification(Task.get().user)
        make_user("bea")
    assert 'data-state="succeeded"' in browser.get(show).text
    assert "Count down from 1 finished" in browser.get("/notifications").text
    assert browser.get("/").location == "/tasks"
    for path in (*PAGES, "/live", "/readyz", f"{show}/_panel"):
        assert browser.get(path, headers={"HX-Request": "true"}).status_code == 200, path
    for path in GONE:
        assert browser.get(path).status_code == 404, path
    look_at_the_desk(app, browser, show)
    ask_as_program(app, browser, submit)
    download_everything(app, browser, submit)
    delete_account(app, submit)


def look_at_the_desk(app: Flask, browser: FlaskClient, show: str) -> None:
    """Have a role for a moment, and open each page of the desk that is left, and what they lead to."""
    with app.app_context():
        ann = User.by_username("ann")
        User.update(role=Role.ADMIN, totp_secret="sealed").where(User.id == ann.id).execute()
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/desk") and "GET" in rule.methods]
    pages = [rule.rule for rule in rules if not rule.arguments and not rule.rule.rpartition("/")[2].startswith("_")]
    assert len(pages) > 9
    assert not [page for page in pages if "reports" in page]
    for path in (*pages, "/desk/kinds/countdown", f"/desk{show}", f"/desk/people/{ann.id}"):
        answer = browser.get(path)
        assert answer.status_code == 200, path
        links = BeautifulSoup(answer.text, "html.parser").select("nav[aria-label=Desk] a")
        assert {link["href"] for link in links} <= set(pages), path
    with app.app_context():
        User.update(role=None, totp_secret=None).where(User.id == ann.id).execute()


def ask_as_program(app: Flask, browser: FlaskClient, submit: Submit) -> None:
    """Make a token, start a task by it, follow it by the feed, and read what the API says of itself."""
    page = browser.get("/settings/tokens").text
    scopes = re.findall(r'name="scopes"[^>]*value="([^"]+)"', page)
    assert scopes == ["tasks:read", "tasks:write", "artifacts:read"]
    with app.app_context():
        _, text = make_api_token(User.by_username("ann"))
    program = app.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {text}"}

    def ask(method: str, path: str, status: int, **more: object) -> dict[str, Any]:
        answer = program.open(f"/api/v1{path}", method=method, headers=headers, **more)
        assert answer.status_code == status, (path, answer.text)
        return answer.json

    new = ask("POST", "/tasks", 201, json={"kind": "countdown", "arguments": {"seconds": 1}})
    with app.app_context():
        assert execute_next()
    assert ask("GET", f"/tasks/{new['id']}", 200)["state"] == "succeeded"
    assert new["id"] in [item["data"]["task"] for item in ask("GET", "/notifications", 200)["items"]]
    for path in ("/posts", "/messages", "/mailings"):
        ask("GET", path, 404)
    document = ask("GET", "/openapi.json", 200)
    said = {"/api/v1/openapi.json": json.dumps(document)}
    nouns = {path.split("/")[1] for path in document["paths"]}
    for path in ("", "/problems", *(f"/{noun}" for noun in nouns)):
        said[f"/developers{path}"] = BeautifulSoup(browser.get(f"/developers{path}").text, "html.parser").main.text
    assert len(said) > 8
    for path, words in said.items():
        assert set(GONE_WORDS.findall(words)) <= STAYING_WORDS, path


def download_everything(app: Flask, browser: FlaskClient, submit: Submit) -> None:
    """Export the account, and find in the ZIP file what it has; then delete that file."""
    submit("/settings/data/export", "/settings/data")
    with app.app_context():
        while execute_next():
            pass
        task = latest_export(User.by_username("ann"))
        assert task.state == State.SUCCEEDED, task.error
        [artifact] = Artifact.completed([task])[task]
        with zipfile.ZipFile(io.BytesIO(artifact.read())) as file:
            names = {name for name in file.namelist() if not name.startswith("files/")}
            assert {"README.txt", "account.json", "tasks.json", "notifications.json"} <= names
            assert names == {"README.txt", *(row.file for _, row in exported_models())}
            assert "Count down from 1" in file.read("tasks.json").decode()
    file = f'value="a{artifact.id}"'
    assert file in browser.get("/settings/storage").text
    submit("/settings/storage", "/settings/storage", only=f"a{artifact.id}")
    assert file not in browser.get("/settings/storage").text


def delete_account(app: Flask, submit: Submit) -> None:
    """Delete an account, keep it after all by signing in, and delete it for good."""
    submit("/settings/data/deletion", "/settings/data/deletion", username="ann")
    assert submit("/login", "/login", username="ann", password=PASSWORD) == "/login/keep"
    submit("/login/keep", "/login/keep")
    submit("/settings/data/deletion", "/settings/data/deletion", username="ann")
    with app.app_context():
        stop_tasks_of_the_deleted(200)
        hide_posts_of_the_deleted(200)
        past = utcnow() - timedelta(seconds=1)
        for _ in range(4):  # with the hours between
            Deletion.update(due_at=past, look_at=past).execute()
            purge()
        assert [user.username for user in User.select()] == ["bea"]
        assert not Deletion.select().exists()
        assert not Task.select().exists()


def check_references(app: Flask) -> None:
    """Demand that every template and every endpoint that is named is there."""
    assert not POLLED_FRAGMENTS.keys() - app.view_functions
    there = set(app.jinja_env.list_templates())
    for name in there:
        text = (ROOT / "templates" / name).read_text()
        named = set(meta.find_referenced_templates(app.jinja_env.parse(text))) - {None}
        assert named <= there, f"{name} names {named - there}"
    for path in (*ROOT.glob("webapp/web/**/*.py"), *ROOT.glob("templates/**/*.html")):
        text = path.read_text()
        named = set(re.findall(r"(?:url_for|part|pages)\([\"'](\w+\.\w+)[\"'](?! ~)", text))
        assert not re.search(r"[\"'](posts|messages|mail)[./]", text), path
        assert named <= app.view_functions.keys(), f"{path} names {named - app.view_functions.keys()}"


if __name__ == "__main__":
    main(sys.argv[1])
