"""Permissions: each role and each action, and what is no role."""

from itertools import product

import pytest

from webapp.models import User
from webapp.models.permissions import LEAST_ROLE, Action, Role, may, needs_second_factor, role_of

ALLOWED = {
    None: set(),
    "viewer": {Action.VIEW_DESK},
    "operator": {Action.VIEW_DESK, Action.STEER},
    "admin": {Action.VIEW_DESK, Action.STEER, Action.MANAGE_PEOPLE},
}
NO_ROLES = ["", " ", "none", "None", "Admin", "ADMIN", "admin ", "admin\0", "viewer,admin", "аdmin", "Role.ADMIN"]
NO_ROLES += ["superuser", "auditor", "*", "%", "0", "view_desk"]


def _account(role: str | None, *, factor: bool = True, guest: bool = False) -> User:
    return User(role=role, totp_secret="sealed" if factor else None, password_hash="" if guest else "scrypt:…")


@pytest.mark.parametrize(("role", "action"), list(product(ALLOWED, Action)))
def test_each_role_may_do_what_it_says_and_no_more(role, action):
    assert may(_account(role), action) is (action in ALLOWED[role])
    assert not may(_account(role, factor=False), action), "a role counts with a second factor only"
    assert not may(_account(role, guest=True), action), "a guest proves nothing"


def test_the_table_has_every_action_and_this_test_every_role():
    assert LEAST_ROLE.keys() == set(Action)
    assert ALLOWED.keys() == {None, *Role}


@pytest.mark.parametrize("role", NO_ROLES)
def test_what_is_no_role_of_this_release_allows_nothing(role):
    account = _account(role)
    assert role_of(account) is None
    assert not needs_second_factor(_account(role, factor=False))
    assert not any(may(account, action) for action in Action)


def test_a_visitor_may_do_nothing():
    assert role_of(None) is None
    assert not needs_second_factor(None)
    assert not any(may(None, action) for action in Action)


def test_only_who_has_a_role_and_no_second_factor_lacks_one():
    assert needs_second_factor(_account("viewer", factor=False))
    assert needs_second_factor(User(role="viewer", totp_secret="", password_hash="scrypt:…"))
    assert not needs_second_factor(_account("viewer"))
    assert not needs_second_factor(_account(None, factor=False))
    assert not needs_second_factor(_account("viewer", factor=False, guest=True))
