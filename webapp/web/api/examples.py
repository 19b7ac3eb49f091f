"""Examples: a value that a schema allows, as the reference page shows it.

A schema that has `examples` says it itself. Else the name of a member does, by PLAIN, as far as the schema allows that;
the rest is made of types alone. So no example can differ from what is answered, however the resources change.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Final

import jsonschema_rs

from webapp.lib.json_types import Json
from webapp.web.api.resource import Schema

UUID: Final = "7c6e1f9a-52ab-4d0c-9a3b-1f3a0c5d2e84"
OTHER_UUID: Final = "e2b9d6f0-8a41-4c57-b0c3-6d5f7a9e1b24"
MOMENT: Final = "2026-11-30T09:00:00Z"
_SCHEMAS: Final = "#/components/schemas/"

# By what a member is called, or, before that, by its way there from a resource: all of one story, so far as possible.
PLAIN: Final[Mapping[str, Json]] = {
    "username": "ann",
    "kind": "count_words",
    "name": "count_words",
    "title": "Count words in notes.txt",
    "state": "succeeded",
    "done": True,
    "arguments": {},
    "attempt": 1,
    "position": None,
    "held": None,
    "result": None,
    "error": None,
    "parent": None,
    "run_at": None,
    "next": None,
    "eta": None,
    "stage": "",
    "composition": "single",
    "self": f"/api/v1/tasks/{UUID}",
    "events": f"/api/v1/tasks/{UUID}/events",
    "artifacts": f"/api/v1/tasks/{UUID}/artifacts",
    "children": None,
    "html": f"/tasks/{UUID}",
    "total": 12,
    "progress.done": 12,
    "actions": ["dismissal", "deletion"],
    "created_at": "2026-11-30T09:00:00Z",
    "started_at": "2026-11-30T09:00:01Z",
    "finished_at": "2026-11-30T09:00:04Z",
    "expires_at": "2026-12-30T09:00:04Z",
    "timestamp": "2026-11-30T09:00:04Z",
    "email": "ann@example.com",
    "time_zone": "Europe/Berlin",
    "body": "The export works like a charm.",
    "subject": "The minutes of Monday",
    "size": 1_213,
    "content_type": "text/csv",
    "Artifact.name": "words.csv",
    "Artifact.url": None,
    "Artifact.text": None,
    "Artifact.links.self": f"/api/v1/artifacts/{OTHER_UUID}",
    "Artifact.links.content": f"/api/v1/artifacts/{OTHER_UUID}/content",
    "Artifact.links.task": f"/api/v1/tasks/{UUID}",
    "Artifact.links.html": f"/artifacts/{OTHER_UUID}",
    "Artifact.id": OTHER_UUID,
    "expired": False,
    "Kind.title": "Count words",
    "Kind.description": "List the 100 most frequent words in a UTF-8 text file, ignoring case.",
    "Kind.arguments": {"type": "object", "properties": {}},
    "takes_files": True,
    "max_upload": 10_000_000,
    "one_at_a_time": [],
    "retries": 3,
    "Event.type": "started",
    "Event.words": "Started",
    "Event.task": None,
    "Token.name": "Nightly report",
    "scopes": ["tasks:read", "artifacts:read"],
    "BulkResult.done": 12,
    "stopping": 2,
    "left": 0,
    "duplicates": 0,
    "missing": 0,
    "passed": {"succeeded": 3},
    "refused": None,
    "body.filter": {"state": "failed"},
    "items.name": "task_progress",
    "NotificationFeed.next": "WyIyMDI2LTExLTMwVDA5OjAwOjA0Il0.bM3x",
    "more": False,
    "edited_at": None,
    "read_at": None,
    "deleted_at": None,
    "deleted": False,
    "blocked": False,
    "Post.task": None,
    "partner.username": "bob",
    "recipient.username": "bob",
    "address": "bea@example.com",
    "sender": "ann",
    "reply_to": "ann@example.com",
    "body.recipients": "bea@example.com, Ben <ben@example.com>",
    "Mailing.recipients": ["bea@example.com", "ben@example.com"],
    "template": "free",
    "Mailing.deliveries": {"sent": 2},
    "Delivery.state": "sent",
    "MailingPreview.recipients": 2,
    "MailingPreview.text": "The minutes are attached.",
    "MailingPreview.html": "<p>The minutes are attached.</p>",
    "attachments.name": "minutes.pdf",
    "attachments.content_type": "application/pdf",
    "detail": "What is wrong with this very request, in words.",
    "instance": "/api/v1/tasks",
    "request_id": "0f8b6a2c1d7e4f35",
    "Problem.errors": [{"detail": "This is required.", "pointer": "/kind"}],
    "Problem.scope": "tasks:write",
    "Problem.task": UUID,
    "Problem.state": "failed",
    "Problem.attempt": 2,
    "Problem.allowed": ["retry", "dismissal", "deletion"],
    "Problem.quota": "active_tasks",
    "Problem.most": 100,
    "last_four": "x7Qp",
    "token": "errand_pat_…",
}


def example_of(schema: Schema, schemas: Mapping[str, Schema], *way: str) -> Json:
    """A value that `schema` allows; references lead into `schemas`, by name. `way` leads from a resource to it."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        name = reference.removeprefix(_SCHEMAS)
        return example_of(schemas[name], schemas, *way, name)
    if said := schema.get("examples"):
        return said[0]  # type: ignore[index]
    for key in _keys(way):
        if key in PLAIN and fits(PLAIN[key], schema, schemas):
            return PLAIN[key]
    return _made(schema, schemas, way)


def fits(value: Json, schema: Schema, schemas: Mapping[str, Schema]) -> bool:
    """Whether a schema allows a value, formats included."""
    whole = {**schema, "components": {"schemas": dict(schemas)}}
    return _validator(json.dumps(whole)).is_valid(value)


@cache
def _validator(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def _keys(way: tuple[str, ...]) -> list[str]:
    """What PLAIN may know a member by: the more of its way, the earlier."""
    return [".".join(way[start:]) for start in range(len(way))]


def _made(schema: Schema, schemas: Mapping[str, Schema], way: tuple[str, ...]) -> Json:
    for word in ("const", "default"):
        if word in schema:
            return schema[word]
    if "enum" in schema:
        return schema["enum"][0]  # type: ignore[index]
    for word in ("anyOf", "oneOf", "allOf"):
        if word in schema:
            return example_of(schema[word][0], schemas, *way)  # type: ignore[index,arg-type]
    if schema.get("type") == "object" or "properties" in schema:
        members: dict[str, Schema] = schema.get("properties", {})  # type: ignore[assignment]
        return {name: example_of(member, schemas, *way, name) for name, member in members.items()}
    if schema.get("type") == "array":
        return [example_of(schema.get("items", {}), schemas, *way)]  # type: ignore[arg-type]
    return _simple(schema)


def _simple(schema: Schema) -> Json:
    kind = schema.get("type")
    one: Json = kind[0] if isinstance(kind, list) and kind else kind
    if one == "string":
        by_format: dict[Json, str] = {"uuid": UUID, "date-time": MOMENT, "email": "ann@example.com"}
        return by_format.get(schema.get("format"), "text")
    least = schema.get("minimum", 1)
    return {"integer": max(int(str(least)), 1), "number": 0.5, "boolean": True}.get(str(one))
