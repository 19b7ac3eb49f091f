"""The document that describes all of this to programs."""

from flask import current_app, request

from webapp.web.api import openapi
from webapp.web.api.call import Call
from webapp.web.api.operation import Access, Answer, operation
from webapp.web.api.resource import Content

JSON = "application/json"


@operation("GET", "/openapi.json", allows=Access.PUBLIC, answers={200: Content(JSON), 304: None})
def show_openapi(_: Call) -> Answer:
    """This document: OpenAPI 3.1."""
    config = current_app.config
    server = config["BASE_URL"] or request.host_url.rstrip("/")
    headers = {"Cache-Control": "public, max-age=300"}
    return Answer(openapi.document(config["SETTINGS"].app_name, server), headers=headers, etag=config["RELEASE"])
