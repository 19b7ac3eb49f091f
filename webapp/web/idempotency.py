"""Idempotency: a form that is sent twice has one effect, whether a button was pressed twice, the browser repeated a
request whose answer was lost, or somebody went back and sent it again.

A template puts `once` of forms.html into the form: a key, made with the page. The route first replays the answer to a
form that was sent before, and then does its work by `create_once`:

    if answer := replay_response():
        return answer
    …
    return create_once(lambda: Made(url_for(…), "Posted."))

A page that the browser loads again gets a new key, often with the text that was sent still in its form. So a text that
its writer sent within the last minutes needs to be confirmed (`needs_repeat_confirmation`).

The key counts together with the content of the form: a different text from the same page is another form. A form
without a key, as scripts send it, is never a repeat.
"""

import random
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from flask import flash, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.lib.times import utcnow
from webapp.models import FormKey, Made
from webapp.web import htmx
from webapp.web.content_digest import ContentDigest

KEY_FIELD = "form_key"
KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,32}")
DIGEST_ENVIRON = "errand.form_digest"  # cached in the request: files are read for it
REPEATED_MESSAGE = "You sent exactly this a moment ago. Press again to send it a second time."
REPEAT_WINDOW = timedelta(minutes=10)
CONFIRMATION_FIELD = "again"
FIELDS_NOT_DIGESTED = {KEY_FIELD, CONFIRMATION_FIELD, "csrf_token"}


def new_key() -> str:
    """A key for one form on one page. It is no secret: who guesses a key finds only what they sent themselves.

    So it takes no entropy of the system, whose read hands the interpreter to another thread each time. A process that
    is forked is seeded anew.
    """
    return f"{random.getrandbits(128):032x}"


def clean_key(text: str | None) -> str:
    """The key of a form; empty for a text that is not one."""
    return text if text and KEY_PATTERN.fullmatch(text) else ""


def replay_response(words: str = "That was already sent.") -> ResponseReturnValue | None:
    """The answer to this form if it was sent before; None if it was not, or has no key. At most one query."""
    location = FormKey.sent(current_user.id, digest) if (digest := _digest()) else None
    return None if location is None else _replay(location, words)


def needs_repeat_confirmation(last: tuple[str, datetime] | None, text: str) -> bool:
    """Whether to ask before a text is sent again; `last` is the text that this person sent last, and when."""
    if last is None or not clean_key(request.form.get(KEY_FIELD)) or request.form.get(CONFIRMATION_FIELD):
        return False
    if last[0] != text or utcnow() - last[1] >= REPEAT_WINDOW:
        return False
    return FormKey.sent(current_user.id, _digest()) is None  # else it is a second press, whose first has just ended


def create_once(make: Callable[[], Made], words: str = "That was already sent.") -> ResponseReturnValue:
    """Call `make` in one transaction, unless this form was sent before, and redirect to what it made.

    If the same form is being sent at this moment, waits for that and makes nothing. An error of `make` rolls back.
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
    """A digest of the key and the content of the form; empty for a form without a key."""
    if not (key := clean_key(request.form.get(KEY_FIELD))):
        return ""
    if DIGEST_ENVIRON not in request.environ:
        digest = ContentDigest(key, request.path)
        for name, text in request.form.items(multi=True):
            if name not in FIELDS_NOT_DIGESTED:
                digest.add(name, text)
        digest.add_files(request.files.items(multi=True))
        request.environ[DIGEST_ENVIRON] = digest.text()
    return str(request.environ[DIGEST_ENVIRON])
