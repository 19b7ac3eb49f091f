"""Who may do what: every operation, asked for with the owner's things by everybody there is."""

import pytest
from flask import Flask

from tests.webapp.web.api.client import Program
from tests.webapp.web.api.things import path_of, request_of, things_of
from webapp.dev.factories import make_user
from webapp.models import User
from webapp.models.permissions import Role
from webapp.models.scopes import Scope
from webapp.web.api.operation import OPERATIONS, Access, Operation
from webapp.web.api.parameters import names_in

HALF_ADMIN = "an admin without a second factor"  # to whom the role is of no use
ASKERS = ("other", "anonymous", HALF_ADMIN, *Role, "owner")
DONE = "done"  # one of the operation's answers
ANYBODYS = {"name", "username"}  # parts of a path that are nobody's secret: with them one asks for what is one's own
DESK = {Role.OPERATOR: DONE, Role.ADMIN: DONE}

# Exceptions to `_usual`, by operation: what those get for the owner's things who are neither the owner nor anonymous.
SEEN_BY_ROLE = {"other": 404, **dict.fromkeys(Role, DONE)}
FOR_OWNERS = {"other": 404, **dict.fromkeys(Role, 403)}
OTHERS = {
    "show_post": dict.fromkeys(("other", *Role), DONE),  # which is for everybody
    "show_task": SEEN_BY_ROLE,
    "list_events": SEEN_BY_ROLE,
    "list_children": SEEN_BY_ROLE,
    "dismiss_task": FOR_OWNERS,
    "change_task": FOR_OWNERS,
    "undo_task": FOR_OWNERS | {"owner": 409},  # there is nothing to undo of a countdown
}


@pytest.fixture
def app(make_app) -> Flask:
    """It can send mail, and has no worker that would."""
    return make_app(mail_server="127.0.0.1")


def _usual(operation: Operation, asker: str) -> object:
    if operation.allows is Access.PUBLIC or asker == "owner":
        return DONE
    if asker == "anonymous":
        return 401
    if not set(names_in(operation.path)) - ANYBODYS:
        return DONE  # of one's own
    if operation.desk and asker != "other":
        return DESK.get(Role(asker), 403)
    return 404


def _expected(operation: Operation, asker: str) -> object:
    asker = "other" if asker == HALF_ADMIN else asker
    return OTHERS.get(operation.name, {}).get(asker) or _usual(operation, asker)


def _program(app, asker: str, owner: User, scopes=tuple(Scope)) -> Program:
    if asker == "anonymous":
        return Program(app)
    role = {"role": asker, "totp_secret": "sealed"} if isinstance(asker, Role) else {}
    if asker == HALF_ADMIN:
        role = {"role": Role.ADMIN}
    return Program(app, owner if asker == "owner" else make_user(**role), scopes)


@pytest.mark.parametrize("name", OPERATIONS)
def test_everybody_gets_what_is_theirs_to_have(app, name):
    operation, wrong, owner = OPERATIONS[name], [], None
    for asker in ASKERS:
        if owner is None:
            owner = make_user(email="ann@example.com")
            path = path_of(operation, things_of(owner, operation))
        program = _program(app, asker, owner)
        answer = program.ask(operation.method, path, **request_of(operation))
        expected = _expected(operation, asker)
        if answer.status_code != expected and not (expected is DONE and answer.status_code in operation.answers):
            said = answer.get_data(as_text=True)[:300]
            wrong.append(f"{asker}: {answer.status_code} in place of {expected}: {said}")
        if answer.status_code < 400 and operation.method != "GET":  # who is refused leaves all as it was
            owner.delete_instance(recursive=True)
            owner = None
    assert not wrong, f"{operation.method} {operation.path}\n" + "\n".join(wrong)


@pytest.mark.parametrize("name", [row.name for row in OPERATIONS.values() if row.scopes])
def test_a_token_without_the_scope_is_told_which_it_needs(app, name):
    operation = OPERATIONS[name]
    path = path_of(operation, things_of(owner := make_user(), operation))
    for asker in ("owner", Role.ADMIN):
        program = _program(app, asker, owner, set(Scope) - set(operation.scopes))
        answer = program.ask(operation.method, path, **request_of(operation))
        assert answer.status_code == 403, asker
        assert answer.json["type"].endswith("insufficient-scope")
        assert set(answer.json["scope"].split()) <= set(operation.scopes)
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


@pytest.mark.parametrize("name", [row.name for row in OPERATIONS.values() if names_in(row.path) and row.scopes])
def test_a_role_is_of_no_use_without_the_scopes_of_the_desk(app, name):
    operation, owner = OPERATIONS[name], make_user()
    program = _program(app, Role.ADMIN, owner, set(Scope) - {Scope.DESK_READ, Scope.DESK_WRITE})
    path = path_of(operation, things_of(owner, operation))
    answer = program.ask(operation.method, path, **request_of(operation))
    assert answer.status_code == 404 or _expected(operation, "other") is DONE


def test_no_exception_is_left_of_what_is_gone():
    assert set(OTHERS) <= OPERATIONS.keys()
