"""What reading costs that people type, upload or link to: eight times as much takes about eight times as long, whatever
it is. A quadratic pattern would take 64 times as long, and one in a few kilobytes could hold up everybody.

Whoever adds something that reads what comes from outside adds a row to PARSERS.
"""

import gc
import io
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Response
from jinja2.utils import urlize
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import BadRequest

from tasks.count_words import _words as words_of_text
from tasks.engine import TaskError, Upload
from tasks.engine.parameters.types import TYPES
from tasks.lib.csv_cells import csv_row, escape_formula, unescape_formula
from tasks.lib.post_files import open_posts
from webapp.dev.mailbox.store import find_mail
from webapp.lib import logs
from webapp.lib.filenames import safe_name, unique_names
from webapp.lib.language_detection import language_of
from webapp.lib.token_text import PREFIX, is_text
from webapp.lib.tokenization import places, query_terms, terms_of
from webapp.mail import headers
from webapp.mail.address_files import read_file
from webapp.mail.mailings import render_mailing
from webapp.mail.mime import build_content
from webapp.mail.recipients import read_recipients, without_invalid
from webapp.models import Mailing, Post, User, recovery_code
from webapp.models.mailing.row import BODY_LENGTH
from webapp.models.search import newest
from webapp.web import form_recovery, htmx, request_guard
from webapp.web.downloads import download_as
from webapp.web.forms import attachments, mail
from webapp.web.forms.accounts import RegisterForm
from webapp.web.forms.messages import MessageForm
from webapp.web.forms.posts import PostForm
from webapp.web.forms.search import SearchForm, TaskFilterForm
from webapp.web.forms.second_factor import CodeForm
from webapp.web.forms.settings import ProfileForm
from webapp.web.forms.tasks import TaskForm
from webapp.web.forms.tokens import TokenForm
from webapp.web.idempotency import clean_key
from webapp.web.paging import page
from webapp.web.presenters.excerpts import excerpt, pieces
from webapp.web.redirects import local_url, redirect_back

SMALL = 2000
NOTHING = 0.05  # seconds, within which a machine that is busy measures its memory: at 8 * SMALL a square takes far more
FAR_TOO_LONG = 1.0
NO_TOKEN = {"csrf": False}

SHAPES: dict[str, Callable[[int], str]] = {
    "letters": lambda n: "a" * n,
    "digits": lambda n: "1" * n,
    "blanks": lambda n: " " * n + "x",
    "an opening and blanks": lambda n: "<" + " " * n + "x",
    "openings": lambda n: "<" * n,
    "brackets": lambda n: "<>" * n,
    "brackets that never close": lambda n: "<a" * n + ">" * n,
    "quotes": lambda n: '"' * (n | 1),
    "single quotes": lambda n: "'" * n + "x",
    "quotes with a backslash": lambda n: '"\\' * n,
    "commas": lambda n: "a," * n + "b>",
    "lines": lambda n: "\n" * n + "x",
    "blank lines": lambda n: "x\n \t" * n + "x",
    "carriage returns": lambda n: "\r" * n + "x",
    "lines with a quote": lambda n: 'x"\n' * n,
    "addresses that never end": lambda n: "a@" * n,
    "addresses": lambda n: "".join(f"p{number}@example.com," for number in range(n // 8)),
    "a domain of many parts": lambda n: "a@" + "b." * n,
    "a domain in another script": lambda n: "a@" + "ü." * n + "x",
    "dots": lambda n: "." * n + "!",
    "links": lambda n: "http://" * n,
    "links in brackets": lambda n: "(" * n + "http://a.example" + ")" * n + ".",
    "mailto": lambda n: "mailto:" * n,
    "slashes": lambda n: "/\\" * n,
    "percent signs": lambda n: "/%" * n,
    "accents": lambda n: "e" + "\u0301" * n,
    "accents of two kinds": lambda n: "e" + "\u0301\u0323" * n,
    "joined by apostrophes": lambda n: "a'" * n + "!",
    "what nobody sees": lambda n: "\u200b" * n + "x",
    "ampersands": lambda n: "&amp;" * n + "&",
}


def _form(kind: Any, **given: Any) -> Callable[[str], object]:
    """Every field of a form, filled in with the text and checked."""

    def check(text: str) -> None:
        names = [field.name for field in kind(formdata=None, meta=NO_TOKEN, **given)]
        kind(formdata=MultiDict(dict.fromkeys(names, text)), meta=NO_TOKEN, **given).validate()

    return check


FORM = '--xx\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n--xx--\r\n'


def _read_json_values(text: str) -> None:
    for row in TYPES:
        with suppress(ValueError):
            row.read_json(text)


def _mailed(text: str) -> object:
    return render_mailing(Mailing(user=1, template="free", body=text), User(username="ann"))


def _headed(text: str) -> None:
    line = headers.one_line(text)
    headers.unstructured(line, "Subject")
    for written in (text, f"{line} <ann@example.com>", f"ann@{line}"):
        with suppress(headers.InvalidHeader):
            headers.mailbox(written, "From")


PARSERS: dict[str, Callable[[str], object]] = {
    "recipients": read_recipients,
    "recipients without the wrong ones": without_invalid,
    "recipients in a file": lambda text: read_file(io.BytesIO(text.encode())),
    "recipients in a file by a head": lambda text: read_file(io.BytesIO(f"Name,Mail\n{text}".encode())),
    "the form of a mail": _form(mail.MailForm, zone="UTC"),
    "the form of a post": _form(PostForm),
    "the form of a message": _form(MessageForm),
    "the form of a profile, with an e-mail address": _form(ProfileForm),
    "the form of a new account, with a user name": _form(RegisterForm),
    "the form of a code": _form(CodeForm),
    "a recovery code": recovery_code.as_typed,
    "the form of a token": _form(TokenForm, user=User(username="ann")),
    "a token": lambda text: (is_text(text), is_text(PREFIX + text)),
    "a line of the log": lambda text: logs.clean(text + PREFIX + text, len(text)),
    "the form of a task": _form(TaskForm, owner=User(username="ann")),
    "an argument of JSON": _read_json_values,
    "a search": lambda text: SearchForm(MultiDict({"q": text})).page(Post.timeline(), None),
    "a filter": lambda text: TaskFilterForm(
        MultiDict(dict.fromkeys(("q", "state", "name", "since", "until"), text)), "UTC"
    ),
    "the terms of a search": query_terms,
    "the terms of a post": terms_of,
    "the places of what was sought": lambda text: places(text, "word"),
    "a query": lambda text: newest(Post, text, 20),
    "what was found": lambda text: pieces(text, "word"),
    "what was found of all": lambda text: pieces(text, text),
    "what was found as it stands": lambda text: pieces(text, "!"),
    "an excerpt": lambda text: excerpt(text, "word"),
    "the language of a text": language_of,
    "a cell": lambda text: (csv_row(text), escape_formula(text), unescape_formula(text)),
    "the posts in a file": lambda text: list(open_posts(Upload("posts.csv", f"body\n{text}".encode()))),
    "the columns of a file": lambda text: list(open_posts(Upload("posts.csv", text.encode()))),
    "the posts in a file of JSON": lambda text: list(open_posts(Upload("a.json", f'{{"posts": [{text}]}}'.encode()))),
    "the name of a file": safe_name,
    "names of files": lambda text: list(unique_names([text] * 20)),
    "the words of a text": lambda text: list(words_of_text(text)),
    "a user name": User.by_username,
    "a way inside": local_url,
    "a cursor": lambda text: page(Post.timeline(), text),
    "a key": clean_key,
    "the name of an upload": lambda text: Upload(text, b"").name,
    "the name of an attachment": lambda text: attachments.safe_file_name(text),
    "the kind of an attachment": lambda text: attachments.CONTENT_TYPE.fullmatch(f"text/{text}"),
    "the name of a download": lambda text: download_as(Response(), text),
    "the id of a mail": lambda text: find_mail(Path(), text),
    "links in a text": lambda text: urlize(text[:BODY_LENGTH]),  # as long as they are looked for
    "a mail as it is sent": _mailed,
    "the head of a mail": _headed,
    "the content of a mail": lambda text: build_content(text, text, (), ()),
    "the beginning of a form": lambda text: request_guard._read_partial_form(b"xx", FORM.format(text, text).encode()),
    "a boundary": lambda text: request_guard._read_partial_form(b"xx", f"{text}--{text}".encode()),
    "what was typed into a form": lambda text: list(form_recovery._shown([(text, text)])),
}
HEADERS: dict[str, Callable[[], object]] = {"Referer": lambda: redirect_back("/"), "HX-Current-URL": htmx.current_page}


def _cost(parse: Callable[[str], object], text: str) -> float:
    """CPU seconds. What is refused was read, too.

    Without the garbage collector, as timeit has it: what it walks is what the tests before this one left in memory.
    """
    gc.disable()
    try:
        began = time.thread_time()
        with suppress(TaskError, BadRequest):
            parse(text)
        return time.thread_time() - began
    finally:
        gc.enable()


def _assert_linear(parse: Callable[[str], object], shape: Callable[[int], str]) -> None:
    few, many = shape(SMALL), shape(8 * SMALL)
    assert _cost(parse, few) < FAR_TOO_LONG, "and that is the small one"
    if _cost(parse, many) < NOTHING:
        return
    # Each round has the same amount of text on both sides, at the same time, so that a busy machine slows down both:
    # twice as long in all is sixteen times as long for eight times as much.
    rounds = []
    for _ in range(6):
        eight, one = sum(_cost(parse, few) for _ in range(8)), _cost(parse, many)
        rounds.append((one, eight))
        if one < 2 * max(eight, NOTHING / 2):
            return
    raise AssertionError("; ".join(f"{one:.3f} s at once, {eight:.3f} s in eight" for one, eight in rounds))


@pytest.fixture
def context(app):
    """What forms and queries need around them."""
    with app.test_request_context("/", method="POST"):
        yield app


@pytest.mark.parametrize("name", PARSERS)
def test_eight_times_as_much_takes_about_eight_times_as_long(context, name):
    _cost(PARSERS[name], "x")  # what is made once is made now
    for shape in SHAPES.values():
        _assert_linear(PARSERS[name], shape)


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_of_eight_times_the_length_takes_about_eight_times_as_long(app, name):
    def read(text: str) -> None:
        with app.test_request_context("/", headers={name: f"http://localhost/{''.join(text.split())}"}):
            HEADERS[name]()

    read("x")
    for shape in SHAPES.values():
        _assert_linear(read, shape)
