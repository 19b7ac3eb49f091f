"""Kinds of tasks that programs can start."""

from werkzeug.exceptions import NotFound

from tasks.catalogue import CATALOGUE
from webapp.lib.json_types import Json
from webapp.models.scopes import Scope
from webapp.web.api.call import Call
from webapp.web.api.etags import etag_of, tagged
from webapp.web.api.operation import Answer, operation
from webapp.web.api.resource import Listed
from webapp.web.api.resources.kind import KIND, OfferedKind


@operation("GET", "/kinds", allows=Scope.TASKS_READ, answers={200: Listed(KIND), 304: None})
def list_kinds(call: Call) -> Answer:
    """All kinds of tasks that you can start, on one page."""
    items: list[Json] = [KIND.of(OfferedKind(each, call.user)) for each in CATALOGUE.values() if each.listed]
    document = {"items": items, "next": None}
    return Answer(document, etag=etag_of(document))


@operation("GET", "/kinds/{name}", allows=Scope.TASKS_READ, answers={200: KIND, 304: None})
def show_kind(call: Call, name: str) -> Answer:
    """One kind of task."""
    function = CATALOGUE.get(name)
    if function is None or not function.listed:
        raise NotFound
    return tagged(KIND, OfferedKind(function, call.user))
