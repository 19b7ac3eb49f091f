"""Requests that are made from the document by chance: whatever is sent, the answer is one that the document allows.

Half of them name things that are there. With SCHEMATHESIS_EXAMPLES there are more of them than the few of each run.
"""

import os
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from tests.webapp.web.api.things import things_of
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import User
from webapp.models.api_token import ApiToken
from webapp.models.permissions import Role
from webapp.models.scopes import Scope
from webapp.web.api import openapi
from webapp.web.api.operation import OPERATIONS, Operation
from webapp.web.api.parameters import names_in

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "3"))  # of each operation, right and wrong ones each
WITHIN_DOCUMENT = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


@pytest.fixture
def ann(app) -> User:
    return make_user("ann", email="ann@example.com", role=Role.ADMIN, totp_secret="sealed")


@cache
def _schema() -> Any:
    return schemathesis.openapi.from_dict(openapi.document("Errand", "http://localhost"))


def _header(user: User) -> dict[str, str]:
    _, text = ApiToken.issue(user, "A program", set(Scope), utcnow() + timedelta(days=1))
    return {"Authorization": f"Bearer {text}"}


def _can_be_wrong(operation: Operation) -> bool:
    return bool(operation.query or operation.body or names_in(operation.path))


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_request_gets_an_answer_outside_of_the_document(app, ann, name):
    operation = _schema().find_operation_by_id(name)
    things = things_of(ann, OPERATIONS[name])
    options = settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    @options
    @given(operation.as_strategy(generation_mode=GenerationMode.POSITIVE), st.booleans())
    def ask_rightly(case: Any, is_there: bool) -> None:
        if is_there:
            case.path_parameters.update({part: str(things[part]) for part in case.path_parameters})
        case.call_and_validate(app=app, headers=_header(ann), checks=WITHIN_DOCUMENT)

    @options
    @given(operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def ask_wrongly(case: Any) -> None:
        case.call_and_validate(app=app, headers=_header(ann), checks=[*WITHIN_DOCUMENT, negative_data_rejection])

    ask_rightly()
    if _can_be_wrong(OPERATIONS[name]):
        ask_wrongly()
