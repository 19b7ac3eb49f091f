"""Programs of people."""

from collections.abc import Callable

import pytest

from tests.webapp.web.api.client import Program
from webapp.dev.factories import make_user
from webapp.models import User


@pytest.fixture
def program_of(app) -> Callable[..., Program]:
    """`program_of(user, scopes)`: a program with a token of theirs, by default with all scopes."""

    def program_of(user: User | None = None, *scopes) -> Program:
        return Program(app, user, *([scopes] if scopes else []))

    return program_of


@pytest.fixture
def anns(program_of) -> Program:
    """A program of Ann's, that may do all that she may."""
    return program_of(make_user("ann"))
