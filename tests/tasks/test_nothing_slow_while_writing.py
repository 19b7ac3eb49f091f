"""SQLite lets one write at a time: so nothing is parsed, hashed, drawn, rendered or waited for in a transaction.

Each door is gone through with the watch on, and must have done what is slow about it outside of any transaction.
Whoever adds a door behind which something slow is done adds a test here, and to SLOW what that is.
"""

import io
import smtplib
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from types import FrameType
from typing import Any

import jinja2
import pytest
from PIL import Image, ImageFile
from werkzeug import security

from tasks import count_words
from tasks.lib import layouts, post_files
from tasks.mail_messages import line_up_messages
from tasks.mail_task_outcome import line_up_outcomes
from webapp.db import database
from webapp.dev.factories import PASSWORD, make_message, make_posts, make_user
from webapp.lib import sockets
from webapp.lib.quota_variables import DEFAULTS
from webapp.lib.times import utcnow
from webapp.mail import address_files, recipients
from webapp.models import Mailing, MailingFile, Message, State, Task, User
from webapp.models.password_reset import reset_token
from webapp.web.idempotency import new_key

HASHING, PEOPLE, TABLE, POSTS = "a password", "recipients", "a file of addresses", "a file of posts"
PICTURE, WORDS, PAGE, MAIL, WAITING = "a picture", "the words of a text", "a page or a mail", "a mail server", "a wait"
SLOW: dict[Any, str] = {
    security.generate_password_hash: HASHING,
    security.check_password_hash: HASHING,
    recipients.read_recipients: PEOPLE,
    recipients.without_invalid: PEOPLE,
    address_files.read_file: TABLE,
    layouts.find_layout: POSTS,
    post_files.PostTable._row: POSTS,
    post_files.PostJson._row: POSTS,
    Image.open: PICTURE,
    Image.Image.save: PICTURE,
    Image.Image.thumbnail: PICTURE,
    ImageFile.ImageFile.load: PICTURE,
    count_words._words: WORDS,
    jinja2.Template.render: PAGE,
    sockets.connect: MAIL,
    smtplib.SMTP.getreply: MAIL,
    time.sleep: WAITING,
    threading.Condition.wait: WAITING,
}
BY_CODE = {getattr(function, "__code__", function): what for function, what in SLOW.items()}

pytestmark = pytest.mark.usefixtures("no_heartbeat")


@pytest.fixture
def app(make_app):
    """A site with quotas, as most have them: where there is one, counting is a write."""
    return make_app(quotas=DEFAULTS)


class Watch:
    """What this thread has done that is slow: in a write transaction, with who asked for it, and outside of one."""

    def __init__(self) -> None:
        self.inside: set[str] = set()
        self.outside: set[str] = set()

    def __call__(self, frame: FrameType, event: str, function: Any) -> None:
        """For sys.setprofile."""
        what = BY_CODE.get(frame.f_code) if event == "call" else BY_CODE.get(function) if event == "c_call" else None
        if what is None:
            return
        connection = database.obj._state.conn
        if connection is not None and connection.in_transaction:
            self.inside.add(f"{what}: {_way(frame)}")
        else:
            self.outside.add(what)


def _way(frame: FrameType | None) -> str:
    """Our own functions on the way to it, the innermost first."""
    names = []
    while frame and len(names) < 8:
        if frame.f_globals.get("__name__", "").partition(".")[0] in {"webapp", "tasks", "tests"}:
            names.append(frame.f_code.co_qualname)
        frame = frame.f_back
    return " < ".join(names)


@contextmanager
def watching(*slow: str) -> Iterator[None]:
    """What is done in the block has these things that are slow, and none of them in a transaction."""
    watch = Watch()
    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)
    assert watch.inside == set()
    assert set(slow) <= watch.outside


def _file(name: str, data: bytes) -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


def _csv(rows: int = 600) -> bytes:
    return ("body\n" + "".join(f"post {number}\n" if number % 50 else " \n" for number in range(rows))).encode()


def _json(rows: int = 600) -> bytes:
    return ('{"posts": [' + ", ".join(f'{{"body": "post {number}"}}' for number in range(rows)) + "]}").encode()


def _picture() -> bytes:
    data = io.BytesIO()
    Image.linear_gradient("L").resize((1700, 900)).save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize("wait", [time.sleep, threading.Event().wait])
def test_the_watch_sees_what_is_slow(app, wait):
    with pytest.raises(AssertionError, match="a wait"), watching(), database.atomic():
        wait(0.001)
    with watching(WAITING):
        wait(0.001)


# What people do


def test_accounts(app, visitor, ann):
    registering = {"username": "zoe", "password": PASSWORD, "email": "zoe@example.com"}
    changing = {"current": PASSWORD, "password": "another horse battery"}
    token = visitor.token()
    with watching(HASHING):
        assert visitor.post("/register", data=registering | {"csrf_token": token}).status_code == 303
    assert visitor.post("/logout", data={"csrf_token": visitor.token()}).status_code == 303
    token = visitor.token()
    with watching(HASHING, PAGE):
        wrong = {"username": "zoe", "password": "a guess that is wrong", "csrf_token": token}
        assert visitor.post("/login", data=wrong).status_code == 422
        assert visitor.post("/login", data=registering | {"csrf_token": token}).status_code == 303
    token = ann.token()
    with watching(HASHING):
        assert ann.post("/settings/password", data=changing | {"csrf_token": token}).status_code == 303
    user = make_user("lea", email="lea@example.com", email_confirmed_at=utcnow())
    visitor.get(f"/password/new?token={reset_token(user, app.config['SECRET_KEY'])}")
    token = visitor.token()
    with watching(HASHING):
        assert visitor.post("/password/new", data=changing | {"csrf_token": token}).status_code == 303


def test_posts_and_messages(app, ann, bob):
    token = ann.token()
    with watching(PAGE):
        for text, status in ("some words", 303), ("", 422):
            form = {"body": text, "form_key": new_key(), "csrf_token": token}
            assert [ann.post(path, data=form).status_code for path in ("/posts", "/messages/bob")] == [status] * 2
    token = bob.token()
    with watching(PAGE):
        assert bob.post("/messages/ann/reading", data={"csrf_token": token}).status_code == 303
        assert bob.get("/messages").status_code == 200


def _mail(**fields: Any) -> dict[str, Any]:
    mail = {"recipients": "bea@example.com", "subject": "News", "template": "free", "body": "Hello", "send_at": ""}
    return mail | {"recipients_file": _file("people.csv", b"Mail\ndee@example.com\n"), "form_key": new_key()} | fields


def test_the_mail_desk(app, mailserver, ann, run_waiting):
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).where(User.id == ann.user.id).execute()
    token = ann.token()

    def press(path: str, **fields: Any) -> int:
        return ann.post(path, data=_mail(**fields) | {"csrf_token": token}).status_code

    with watching(PEOPLE, TABLE):
        assert press("/mail/draft", attachment=[_file("a.txt", b"a"), _file("b.txt", b"b")]) == 303
    with watching(PEOPLE, TABLE, PAGE):
        assert press("/mail/preview") == 200
        assert press("/mail/draft/template", template="welcome") == 200
        assert press("/mail/recipients/correction", recipients="bea@example.com, nobody") == 303
        assert press("/mail", subject="") == 422
    with watching(PEOPLE, TABLE):
        assert press(f"/mail/files/{MailingFile.select().first().id}/deletion") == 303
    with watching(PEOPLE, TABLE):
        assert press("/mail", attachment=[_file("c.txt", b"c")]) == 303
    with watching(MAIL, PAGE):
        run_waiting()
    assert len(mailserver.recipients) == 2
    later = f"{utcnow() + timedelta(hours=2):%Y-%m-%dT%H:%M}"
    assert press("/mail", send_at=later) == 303
    mailing = Mailing.select().order_by(Mailing.id.desc()).first()
    with watching(PEOPLE, TABLE):
        assert press(f"/mail/{mailing.id}", send_at=later, body="Better") == 303


@pytest.mark.parametrize(
    ("name", "fields", "slow"),
    [
        ("import_posts", {"file": ("posts.csv", _csv())}, [POSTS]),
        ("import_posts", {"file": ("posts.json", _json())}, [POSTS]),
        ("resize_images", {"files": ("a.png", _picture())}, [PICTURE]),
        ("count_words", {"file": ("text.txt", b"one two three " * 9_000)}, [WORDS]),
    ],
    ids=["a table", "JSON", "pictures", "a text"],
)
def test_tasks_with_files(app, ann, run_waiting, name, fields, slow):
    token = ann.token()
    looked_at = [POSTS] if name == "import_posts" else []
    data = {field: _file(*file) for field, file in fields.items()} | {"form_key": new_key(), "csrf_token": token}
    with watching(*looked_at):
        assert ann.post(f"/tasks/new/{name}", data=data).status_code == 303
    with watching(*slow):
        run_waiting()
    task = Task.get()
    assert (task.state, task.error) == (State.SUCCEEDED, "")
    if name == "import_posts":
        with watching():
            form = {"form_key": new_key(), "csrf_token": token}
            assert ann.post(f"/tasks/{task.id}/undo", data=form).status_code == 303
            run_waiting()
        assert {task.state for task in Task.select()} == {State.SUCCEEDED}


# What only the site does


@pytest.mark.parametrize("format", ["json", "csv"])
def test_an_export_that_is_mailed(app, mailserver, ann, run_waiting, format):
    make_posts(ann.user, 1200)
    type(ann.user).update(email="ann@example.com", email_confirmed_at=utcnow()).execute()
    token = ann.token()
    with watching(MAIL, PAGE):
        assert ann.post("/tasks/new/export_posts", data={"format": format, "csrf_token": token}).status_code == 303
        run_waiting()
    assert len(mailserver.recipients) == 1


def test_mails_about_messages_and_tasks(app, mailserver, run_waiting):
    user = make_user("ann", email="ann@example.com", hearing={"message": "mail"}, mail_after=0)
    make_message(make_user("bob"), user)
    Message.update(mail_due_at=utcnow()).execute()
    running = Task.start(user, "nothing that anybody knows", "A task that fails", {})
    with watching(MAIL, PAGE):
        run_waiting()
        line_up_messages(10)
        line_up_outcomes(10)
        run_waiting()
    assert running.reload().state == State.FAILED
    assert len(mailserver.recipients) == 2
