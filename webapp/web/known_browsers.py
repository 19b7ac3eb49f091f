"""Browsers that have signed in to an account before: by a signed cookie, or as they are signed in to it.

The limits on guesses count them apart, so that nobody who guesses locks the owner out, as in OWASP's device cookies:
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

import secrets
from hashlib import sha256
from typing import Any

from flask import after_this_request, current_app, g
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeSerializer
from werkzeug.wrappers import Response

from webapp.models import FormerName
from webapp.web import host_cookies
from webapp.web.security import YEAR

DEVICE_COOKIE = "errand-known"
MAX_NAMES_REMEMBERED = 10  # of accounts of one browser; one with a second factor has two


def knows_account(username_key: str, of: str = "") -> bool:
    """Whether somebody has signed in to the account from this browser before; with `of`, see `name_of`."""
    return bool(browser_that_knows(username_key, of))


def remember_account(*names: str) -> None:
    """Let this browser be known as one that signs in to the account of these names, by a signed cookie for a year."""
    if "names_to_remember" not in g:
        g.names_to_remember = []
        after_this_request(_set_cookie)
    g.names_to_remember += names


def _set_cookie(response: Response) -> Response:
    browser, known = _remembered()
    known = list(dict.fromkeys([*g.names_to_remember, *known]))[:MAX_NAMES_REMEMBERED]
    remembered = {"browser": browser or secrets.token_hex(8), "accounts": known}
    host_cookies.keep(response, DEVICE_COOKIE, str(_signer().dumps(remembered)), YEAR)
    return response


def name_of(username_key: str, of: str) -> str:
    """By what a browser is remembered that has had more `of` an account than its password, as its second factor."""
    return f"{username_key} {of}" if of else username_key


def browser_that_knows(username_key: str, of: str = "") -> str:
    """What tells this browser from others, if it is signed in to the account or was so before; else "".

    It also was if it knows the account by a former name that leads on: one query, for browsers that know others.
    """
    is_theirs = not of and current_user.is_authenticated and current_user.username_key == username_key
    if is_theirs and current_user.session:
        return f"session {current_user.session.id}"
    browser, known = _remembered()
    if name_of(username_key, of) in known:
        return browser
    former = FormerName.keys_of(username_key) if known else []
    return browser if any(name_of(key, of) in known for key in former) else ""


def _remembered() -> tuple[str, list[str]]:
    """What tells this browser from others, and the accounts that were signed in to from it, by their names' keys."""
    cookie = host_cookies.read(DEVICE_COOKIE)
    try:
        found: Any = _signer().loads(cookie)
    except BadSignature:
        return "", []
    if isinstance(found, dict):
        return str(found["browser"]), [str(key) for key in found["accounts"]]
    return sha256(cookie.encode()).hexdigest()[:16], [str(key) for key in found]  # of the release before


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEYS"], "errand.known", signer_kwargs={"digest_method": sha256})
