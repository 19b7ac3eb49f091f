"""What tests/test_stripping.py runs in a copy without posts, messages, mail: somebody registers and starts a task."""

import re
import sys
from pathlib import Path

from flask import Flask
from jinja2 import meta

from tasks.engine.executor import execute_next
from tasks.queue import huey
from webapp import db
from webapp.app import create_app
from webapp.dev.factories import make_notification, make_user
from webapp.models import Task
from webapp.settings import Settings
from webapp.web.polling import POLLED_FRAGMENTS

PAGES = ("/tasks", "/tasks/new", "/tasks/new/countdown", "/notifications", "/settings", "/people/ann", "/people/bea")
GONE = ("/posts", "/messages", "/messages/ann", "/mail", "/unsubscribe/x", "/tasks/new/export_posts")
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
    submit("/register", "/register", username="ann", password="correct horse battery")
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
        named = set(re.findall(r"(?:url_for|part|pages)\([\"'](\w+\.\w+)[\"']", text))
        assert not re.search(r"[\"'](posts|messages|mail)[./]", text), path
        assert named <= app.view_functions.keys(), f"{path} names {named - app.view_functions.keys()}"


if __name__ == "__main__":
    main(sys.argv[1])
