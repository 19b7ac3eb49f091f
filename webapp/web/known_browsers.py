"""Browsers that have signed in to an account before: by a signed cookie, or as they are signed in to it.

A new password of the account, which ends its sessions, ends that, too, but for the browser in which it was set.

The limits on guesses count them apart, so that nobody who guesses locks the owner out, as in OWASP's device cookies:
https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies
"""

import secrets
from hashlib import sha256
from typing import Any

from flask import after_this_request, current_app, g
from flask_login import current_user
from itsdangerous import BadSignature, URLSafeSerializer
from peewee import fn
from werkzeug.wrappers import Response

from webapp.models import User
from webapp.models.password_reset import can_be_reset
from webapp.web import host_cookies
from webapp.web.security import YEAR

DEVICE_COOKIE = "errand-known"
MARK = "#"  # before the id of an account, in names that the cookie has; the release before has usernames there
STATE = ":"  # between the name of an account and its state
MAX_NAMES_REMEMBERED = 10  # of accounts of one browser; one with a second factor has two


def name_in_browsers(user: User) -> str:
    """What the cookie calls an account, whatever its username is by now."""
    return f"{MARK}{user.id}"


def knows_account(user: User) -> bool:
    """Whether somebody has signed in to the account from this browser before, since it has its present password."""
    return _is_signed_in_to(user.username_key) or not {_present(user), user.username_key}.isdisjoint(_remembered()[1])


def knows_name(name: str) -> bool:
    """Whether this browser remembers something by that name, see `remember_account`."""
    return name in _remembered()[1]


def knows_owner_of(address: str) -> bool:
    """Whether somebody has signed in, from this browser, to an account that has this confirmed address.

    At most one query, by index; none where this browser knows no account. So it tells a stranger nothing.
    """
    _, known = _remembered()
    ids = [int(name[len(MARK) :].partition(STATE)[0]) for name in known if name.startswith(MARK) and STATE in name]
    theirs = User.id.in_(ids), can_be_reset(), fn.LOWER(User.email) == address.lower()
    return bool(ids) and any(_present(user) in known for user in User.select().where(*theirs))


def remember_account(user: User, *names: str) -> None:
    """Let this browser be known as one that signs in to the account, by a signed cookie for a year.

    A new password ends that. More `names` say what else has been proved; each begins with `name_in_browsers` and a
    blank.
    """
    if "names_to_remember" not in g:
        g.names_to_remember, g.names_replaced = [], set()
        after_this_request(_set_cookie)
    g.names_to_remember += [_present(user), *names]
    g.names_replaced |= {user.username_key, f"{user.username_key} "}  # by which the release before knows it


def _set_cookie(response: Response) -> Response:
    browser, known = _remembered()
    new = dict.fromkeys(g.names_to_remember)
    replaced = {_without_state(name) for name in new} | g.names_replaced
    stands = [name for name in known if _without_state(name) not in replaced]
    remembered = {"browser": browser or secrets.token_hex(8), "accounts": [*new, *stands][:MAX_NAMES_REMEMBERED]}
    host_cookies.keep(response, DEVICE_COOKIE, str(_signer().dumps(remembered)), YEAR)
    return response


def browser_that_knows(username_key: str) -> str:
    """What tells this browser from others, if it is signed in to the account or was so before; else "".

    At most one query, where the cookie has any account, to see whose name that is and whether the password is the same.
    """
    if _is_signed_in_to(username_key):
        return f"session {current_user.session.id}"
    browser, known = _remembered()
    if username_key in known:
        return browser  # of the release before, until the next sign-in
    user = User.get_or_none(User.username_key == username_key) if known else None
    return browser if user and _present(user) in known else ""


def _is_signed_in_to(username_key: str) -> bool:
    return bool(current_user.is_authenticated and current_user.username_key == username_key and current_user.session)


def _without_state(name: str) -> str:
    """What is the same for all names by which this browser has known an account, or a second factor of it."""
    key, blank, _ = name.partition(" ")
    return key + blank if blank else name.partition(STATE)[0]


def _present(user: User) -> str:
    """What the cookie calls an account with its present password."""
    return f"{name_in_browsers(user)}{STATE}{sha256(user.session_key.encode()).hexdigest()[:8]}"


def _remembered() -> tuple[str, list[str]]:
    """What tells this browser from others, and what it knows accounts by that were signed in to from it."""
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
