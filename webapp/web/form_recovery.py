"""Form recovery: a form that was refused is shown on the error page, where one press sends it again.

Nothing is stored on the server. The page shows what would be sent and where to, and sends nothing by itself. A form
that came from another site is not shown at all.

The CSRF token of a session names the account that its pages were shown to (`bind_csrf_token`), so a refused form tells
who wrote it. The error page carries a signed permit by which the same person may send the form from a later session.
Anybody else who is signed in by then is asked first.
"""

import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app, request, session
from flask_login import current_user
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.datastructures import MultiDict

from tasks.catalogue import CATALOGUE
from tasks.engine import Secret
from webapp.lib.i18n import ngettext, number
from webapp.web.redirects import local_url, path_and_query
from webapp.web.request_guard import partial_form

CSRF_FIELD = "csrf_token"
PERMIT_FIELD = "kept"
PERMIT_MAX_AGE = 24 * 3600  # seconds
INVISIBLE_FIELDS = {"form_key", "again", "setup", "version"}  # nobody filled them in: sent again, not shown
# By whole words of a name: `new_password` is one, `postcode` and `current_page` are none.
SECRET_FIELD = re.compile(r"(?:^|_)(?:password|passphrase|secret|pin|code|current)$")
MAX_TEXT_SHOWN = 5000  # characters of one text; all of it is sent
MAX_VALUES_SHOWN = 3  # values of one field
_unrecoverable_endpoints: set[str] = set()
_option_labels: dict[str, dict[str, str]] = {}  # by field, then by value
# Endpoints whose answers contain no form, and so need no token.
ENDPOINTS_WITHOUT_FORM = {None, "static", "health.healthz", "health.readyz", "artifacts.show"}


@dataclass(frozen=True)
class RecoveredForm:
    """A form to be sent again: its fields, what is shown of them, and the passwords and files to be given again."""

    action: str
    hidden: list[tuple[str, str]]
    shown: list[tuple[str, str]]
    secrets: list[tuple[str, str]]
    files: list[tuple[str, str, list[str]]]
    permit: str


def never_recover(endpoint: str) -> None:
    """Let no form be shown back that was sent to this endpoint: what it held was to be deleted."""
    _unrecoverable_endpoints.add(endpoint)


def label_options(field: str, labels: Mapping[str, str]) -> None:
    """Let what was chosen in a field be shown by its label instead of its value."""
    _option_labels[field] = dict(labels)


def recover_form(
    sender: int | None, without: Collection[str] = (), *, even_empty: bool = False
) -> RecoveredForm | None:
    """The form of this request; None if nothing was typed, unless it may be `even_empty`, or it came from another site.

    `sender` is the id of who is signed in, if known, and `without` are fields to leave out. No query. Of a form that is
    too large, the beginning.
    """
    action = local_url(path_and_query(request.url))
    is_recoverable = request.method == "POST" and request.endpoint and request.endpoint not in _unrecoverable_endpoints
    if not is_recoverable or not action or is_cross_site():
        return None
    sent = _parsed_so_far("form")
    fields = [(name, text) for name, text in sent.items(multi=True) if name not in {CSRF_FIELD, PERMIT_FIELD, *without}]
    secret_names = {name for name, _ in fields if SECRET_FIELD.search(name)} | _secret_parameters()
    hidden = [(name, text) for name, text in fields if name not in secret_names]
    shown = list(_shown([(name, text) for name, text in hidden if name not in INVISIBLE_FIELDS and text]))
    passwords = [
        (name, _field_label(name)) for name in dict.fromkeys(name for name, _ in fields) if name in secret_names
    ]
    files = list(_files())
    if not (shown or passwords or files or even_empty):
        return None
    return RecoveredForm(action, hidden, shown, passwords, files, _permit(sender))


def _secret_parameters() -> set[str]:
    """The fields of a task's form that are secret by their type, whatever they are called."""
    function = CATALOGUE.get((request.view_args or {}).get("name", "")) if request.blueprint == "tasks" else None
    return {each.name for each in function.parameters if each.type.python is Secret} if function else set()


def is_cross_site() -> bool:
    """Whether the browser says that a page of another site sent this request."""
    if site := request.headers.get("Sec-Fetch-Site"):
        return site not in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    try:
        return origin is not None and urlsplit(origin).netloc != request.host
    except ValueError:
        return True


def init_app(app: Flask) -> None:
    """Bind the tokens of an app's sessions to their accounts. To be called before what makes a token."""
    app.before_request(bind_csrf_token)


def bind_csrf_token() -> None:
    """Have the CSRF token of a session name its account.

    One query in the first request of a session, which the rest of the request needs, too.
    """
    is_new = CSRF_FIELD not in session and "_user_id" in session and request.endpoint not in ENDPOINTS_WITHOUT_FORM
    if is_new and current_user.is_authenticated:
        session[CSRF_FIELD] = f"{current_user.id}.{secrets.token_hex(20)}"


def may_resubmit() -> bool:
    """Whether this is a recovered form that its author, or who confirmed it, sends from a new session."""
    given = _signed_value(PERMIT_FIELD, _permit_serializer(), PERMIT_MAX_AGE)
    return current_user.is_authenticated and given == [current_user.id, request.path]


def author_id() -> int | None:
    """The id of the account whose page the form was on, in whichever session; None if unknown."""
    raw = _signed_value(CSRF_FIELD, _serializer("wtf-csrf-token"), None)
    user_id = raw.partition(".")[0] if isinstance(raw, str) and "." in raw else ""
    if user_id.isdecimal():
        return int(user_id)
    given = _signed_value(PERMIT_FIELD, _permit_serializer(), PERMIT_MAX_AGE)
    return given[0] if isinstance(given, list) and given and isinstance(given[0], int) else None


def _permit(sender: int | None) -> str:
    who = sender or author_id()
    return _permit_serializer().dumps([who, request.path]) if who else ""


def _permit_serializer() -> URLSafeTimedSerializer:
    return _serializer("errand.kept")


def _serializer(salt: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(current_app.config["SECRET_KEYS"], salt=salt)


def _signed_value(field: str, serializer: URLSafeTimedSerializer, max_age: int | None) -> Any:
    """The value that was signed into a field; None if the signature is invalid or too old."""
    try:
        return serializer.loads(_parsed_so_far("form").get(field, ""), max_age=max_age)
    except BadData:
        return None


def _parsed_so_far(what: str) -> MultiDict[str, Any]:
    """The form or the files of this request as far as they were read: reading on might fail again."""
    read = request.__dict__.get(what)
    return getattr(partial_form(), what) if read is None else read


def _shown(fields: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """The label and the text of each field, cut to a readable length."""
    for name, texts in MultiDict(fields).lists():
        are_few = len(texts) <= MAX_VALUES_SHOWN
        text = ", ".join(_value_label(name, text) for text in texts) if are_few else f"{number(len(texts))} selected"
        if more := text[MAX_TEXT_SHOWN:]:
            rest = ngettext("%(num)s more character", "%(num)s more characters", len(more))
            text = f"{text[:MAX_TEXT_SHOWN]} … and {rest}"
        yield _field_label(name), text


def _files() -> Iterator[tuple[str, str, list[str]]]:
    """Each field in which files were chosen: its name, its label, and the names of the files."""
    for name, files in _parsed_so_far("files").lists():
        if names := [str(file.filename)[:MAX_TEXT_SHOWN] for file in files if file.filename]:
            yield name, _field_label(name), names[:MAX_VALUES_SHOWN] + (["…"] if len(names) > MAX_VALUES_SHOWN else [])


def _value_label(name: str, text: str) -> str:
    """The label of an option that was chosen; any other text as it is."""
    return _option_labels.get(name, {}).get(text, text)


def _field_label(name: str) -> str:
    words = {
        "body": "Text",
        "current": "Current password",
        "q": "Search",
        "scopes": "What it can do",
        "days": "Expires after",
    }
    words |= {"reauthentication_password": "Your password", "reauthentication_code": "Code from your app"}
    words |= {"password": "New password"} if request.endpoint == "settings.update_password" else {}
    return words.get(name) or name.replace("_", " ").strip().capitalize() or "Text"
