"""Kinds of tasks that programs can start."""

import hashlib

from flask import current_app, json
from werkzeug.exceptions import NotFound

from tasks.catalogue import CATALOGUE
from webapp.lib.json_types import Json
from webapp.models.scopes import Scope
from webapp.web.api.call import Call
from webapp.web.api.operation import Answer, operation
from webapp.web.api.resource import Listed
from webapp.web.api.resources.kind import KIND, OfferedKind


@operation("GET", "/kinds", allows=Scope.TASKS_READ, answers={200: Listed(KIND), 304: None})
def list_kinds(call: Call) -> Answer:
    """All kinds of tasks that you can start, on one page."""
    items: list[Json] = [KIND.of(OfferedKind(each, call.user)) for each in CATALOGUE.values() if each.listed]
    return _answer({"items": items, "next": None})


@operation("GET", "/kinds/{name}", allows=Scope.TASKS_READ, answers={200: KIND, 304: None})
def show_kind(call: Call, name: str) -> Answer:
    """One kind of task."""
    function = CATALOGUE.get(name)
    if function is None or not function.listed:
        raise NotFound
    return _answer(KIND.of(OfferedKind(function, call.user)))


def _answer(document: dict[str, Json]) -> Answer:
    """With an ETag of all that it says, as that is different for each person."""
    said = current_app.config["RELEASE"] + json.dumps(document)
    return Answer(document, etag=hashlib.sha256(said.encode()).hexdigest()[:32])
