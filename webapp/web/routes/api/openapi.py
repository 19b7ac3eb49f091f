"""The document that describes all of this to programs."""

from functools import lru_cache

from flask import Response, current_app, json, request

from webapp.web.api import openapi
from webapp.web.api.call import Call
from webapp.web.api.etags import etag_of
from webapp.web.api.operation import Access, operation
from webapp.web.api.resource import Content

JSON = "application/json"
HEADERS = {"Cache-Control": "public, max-age=300"}


@operation("GET", "/openapi.json", allows=Access.PUBLIC, answers={200: Content(JSON), 304: None})
def show_openapi(_: Call) -> Response:
    """This document: OpenAPI 3.1."""
    config = current_app.config
    text, etag = document_for(config["SETTINGS"].app_name, config["BASE_URL"] or request.host_url.rstrip("/"))
    response = Response(text, headers=HEADERS, mimetype=JSON)
    response.set_etag(etag)
    response.make_conditional(request.environ)
    return response


@lru_cache(8)  # a site may be reached at several addresses, and be asked at wrong ones
def document_for(site: str, server: str) -> tuple[str, str]:
    """The document with its ETag. It takes a tenth of a second to be made, and says the same until the next release."""
    document = openapi.document(site, server)
    return json.dumps(document), etag_of(document)
