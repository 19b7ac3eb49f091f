"""Resource: what the API says of a row, as one table of fields: the JSON and its schema come from the same lines."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from webapp.lib.json_types import Json
from webapp.lib.times import exact_iso

Row = TypeVar("Row")
Schema = dict[str, Json]

STRING: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
NUMBER: Schema = {"type": "number"}
BOOLEAN: Schema = {"type": "boolean"}
UUID: Schema = {"type": "string", "format": "uuid"}
TIME: Schema = {"type": "string", "format": "date-time"}
ANYTHING: Schema = {}


def nullable(schema: Schema) -> Schema:
    """That, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def described(schema: Schema, words: str) -> Schema:
    """That, with what it means."""
    return {"description": words, **schema} if words else schema


def array(schema: Schema) -> Schema:
    """A list of that."""
    return {"type": "array", "items": schema}


def time(moment: datetime | None) -> str | None:
    """A moment as the API writes it: RFC 3339 in UTC, with Z."""
    return exact_iso(moment) if moment else None


@dataclass(frozen=True)
class Field(Generic[Row]):
    """A member of a resource: its schema, how it is read from a row, and what it means."""

    name: str
    schema: Schema
    read: Callable[[Row], Any]
    words: str = ""


@dataclass(frozen=True)
class Resource(Generic[Row]):
    """A kind of document. `name` is that of its schema in the OpenAPI document; `headers` come with one of them."""

    name: str
    words: str
    fields: tuple[Field[Row], ...]
    headers: tuple[str, ...] = ()

    def of(self, row: Row) -> dict[str, Json]:
        """The document about a row. No field asks the database: what they need is read before."""
        return {field.name: field.read(row) for field in self.fields}

    @property
    def reference(self) -> Schema:
        """What refers to its schema."""
        return {"$ref": f"#/components/schemas/{self.name}"}

    @property
    def schema(self) -> Schema:
        """Its schema. Readers must expect members that are not in it: later releases may add some."""
        found: Schema = {
            "type": "object",
            "properties": {each.name: described(each.schema, each.words) for each in self.fields},
            "required": [each.name for each in self.fields],
        }
        return described(found, self.words)


@dataclass(frozen=True)
class Content:
    """An answer that is no JSON, such as a file."""

    media_type: str = "*/*"


@dataclass(frozen=True)
class Listed:
    """A page of resources, as `{"items": […], "next": …}`."""

    resource: Resource[Any]

    @property
    def name(self) -> str:
        """Of its schema."""
        return f"{self.resource.name}Page"

    @property
    def reference(self) -> Schema:
        """What refers to its schema."""
        return {"$ref": f"#/components/schemas/{self.name}"}

    @property
    def schema(self) -> Schema:
        """Its schema."""
        cursor = described(nullable(STRING), "The cursor of the next page; null on the last.")
        return {
            "type": "object",
            "properties": {"items": array(self.resource.reference), "next": cursor},
            "required": ["items", "next"],
        }
