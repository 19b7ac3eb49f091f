"""Once: a form that comes twice makes one thing, whether a button was pressed twice, an answer was lost on the way and
the browser sent the form again, or somebody went back and sent it anew.

A template puts `once` of macros.html into the form: a key, made with the page. The route looks whether that form was
sent before anything else, and makes what it makes by `create_once`:

    if answer := replay_response():
        return answer
    …
    return create_once(lambda: Made(url_for(…), "Posted."))

Going back to a page that the browser loads anew brings a new key, though, often below the text that was sent. So what
repeats what its writer wrote last, a moment ago, is asked about (`needs_repeat_confirmation`) unless the form says that it is meant.

The key counts together with all that is in the form, so other words from the same page are another form. A form without
a key, as scripts send it, is made as often as it comes.
"""

import hashlib
import re
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.lib.times import utcnow
from webapp.models import FormKey, Made
from webapp.web import htmx

KEY_FIELD = "form_key"
KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,32}")
DIGEST_ENVIRON = "errand.form_digest"  # where a request keeps it: a form's files are read for it once
CHUNK_SIZE = 64 * 1024
REPEATED_MESSAGE = "You wrote exactly that a moment ago. If you mean to write it once more, press again."
REPEAT_WINDOW = timedelta(minutes=10)
CONFIRMATION_FIELD = "again"
FIELDS_NOT_DIGESTED = {KEY_FIELD, CONFIRMATION_FIELD, "csrf_token"}  # fields that say nothing of what is to be made


def new_key() -> str:
    """A key for one form on one page."""
    return secrets.token_hex(16)


def clean_key(text: str | None) -> str:
    """A form's key as it was sent; an empty string for what can be none."""
    return text if text and KEY_PATTERN.fullmatch(text) else ""


def replay_response(words: str = "That was sent already.") -> ResponseReturnValue | None:
    """The answer that this form got when it was sent before; None if it was not, or has no key. At most one query."""
    location = FormKey.sent(current_user.id, digest) if (digest := _digest()) else None
    return None if location is None else _replay(location, words)


def needs_repeat_confirmation(last: tuple[str, datetime] | None, text: str) -> bool:
    """Whether to ask about a text from a page's form, given the last one that this person wrote there, and when."""
    if last is None or not clean_key(request.form.get(KEY_FIELD)) or request.form.get(CONFIRMATION_FIELD):
        return False
    if last[0] != text or utcnow() - last[1] >= REPEAT_WINDOW:
        return False
    return FormKey.sent(current_user.id, _digest()) is None  # or it is this form, whose first press has just ended


def create_once(make: Callable[[], Made], words: str = "That was sent already.") -> ResponseReturnValue:
    """Make what the form is about, in one transaction, and answer with the way there.

    Where the same form is being sent at this moment, too, this waits and then makes nothing. What `make` raises goes
    on, with nothing made.
    """
    digest = _digest()
    made = FormKey.once(current_user.id, digest, make) if digest else make()
    if made is None:
        return _replay(FormKey.sent(current_user.id, digest) or "/", words)
    return htmx.respond(made.location, made.words, used_key=request.form[KEY_FIELD] if digest else "")


def _replay(location: str, words: str) -> ResponseReturnValue:
    flash(words)
    return htmx.respond(location, used_key=request.form[KEY_FIELD])


def _digest() -> str:
    """The form's key with all that is in the form; an empty string for a form without a key."""
    if not (key := clean_key(request.form.get(KEY_FIELD))):
        return ""
    if DIGEST_ENVIRON not in request.environ:
        digest = hashlib.sha256(f"{key} {request.path}".encode())
        for name, text in request.form.items(multi=True):
            if name not in FIELDS_NOT_DIGESTED:
                _update(digest, name, text)
        for name, file in request.files.items(multi=True):
            _update(digest, name, file.filename or "")
            content = hashlib.sha256()
            file.stream.seek(0)
            while chunk := file.stream.read(CHUNK_SIZE):
                content.update(chunk)
            file.stream.seek(0)
            digest.update(content.digest())
        request.environ[DIGEST_ENVIRON] = digest.hexdigest()
    return str(request.environ[DIGEST_ENVIRON])


def _update(digest: "hashlib._Hash", *texts: str) -> None:
    """Each with its length, so that no two lists of texts are one."""
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(data))
        digest.update(data)
