"""People in addresses: by the name that they have, or by one that they had and that still leads to them."""

from typing import Any

from flask import abort, redirect, request, url_for
from flask_login import current_user

from webapp.models import User, username_key
from webapp.web import htmx
from webapp.web.api_paths import is_api_path


def find_person(username: str) -> User:
    """The person of this address. Aborts with 404 if the name leads to nobody.

    A page at a former name leads to the present one: that aborts with 302, as the name may be somebody else's one day.
    What an open page sends or asks for, or a program, reaches the same person, at once.
    """
    person: User = User.by_any_name(username) or abort(404)
    is_page = request.method in {"GET", "HEAD"} and not htmx.is_htmx() and not is_api_path(request.path)
    if is_page and username_key(username) != person.username_key:
        abort(redirect(_address_of(person), 302))
    return person


def find_other(username: str) -> User:
    """The same for what nobody does with themselves: 404."""
    person = find_person(username)
    return abort(404) if person.id == current_user.id else person


def _address_of(person: User) -> str:
    """The address of this request with the present name, and its query as it is: its names are no arguments of ours."""
    arguments: dict[str, Any] = {**(request.view_args or {}), "username": person.username}
    path, query = url_for(request.endpoint or "", **arguments), request.query_string.decode("ascii", "replace")
    return f"{path}?{query}" if query else path
