"""The request guard: what every view may rely on, as other requests are cleaned or refused before it sees them.

A form has a content type that browsers send, and no more fields and bytes than any form of ours. Text has no NUL and no
lone surrogate, which databases refuse. An id in a URL fits into a database's integer, and its text has no NUL, or the
URL does not exist.
"""

import math
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import IO, Any, cast
from urllib.parse import parse_qsl

from flask import Flask, Request, abort, current_app, request
from flask.globals import request_ctx
from werkzeug.datastructures import FileStorage, ImmutableMultiDict, MultiDict
from werkzeug.exceptions import MethodNotAllowed, NotFound, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser
from werkzeug.routing import IntegerConverter, Map, UnicodeConverter, ValidationError
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from webapp.lib.i18n import number
from webapp.web.api_paths import is_api_path

MEGABYTE = 1024 * 1024  # bytes
MAX_ID = 2**31 - 1
FORM_TYPES = {"", "application/x-www-form-urlencoded", "multipart/form-data"}
MAX_FIELDS = 2000  # a press for a thousand tasks has a little more than a thousand
MAX_URLENCODED_SIZE = 3 * 1024 * 1024  # bytes of them, where each byte comes as three characters
PARTIAL_FORM_ENVIRON = "errand.beginning"  # where a request keeps it
UNSTORABLE = {0: None} | {code: "\N{REPLACEMENT CHARACTER}" for code in range(0xD800, 0xE000)}


def init_app(app: Flask) -> None:
    """Guard the requests of an app. To be called before its routes are added."""
    app.request_class = CleanRequest
    app.url_map.converters = app.url_map.converters | {
        "int": IdConverter,
        "default": TextConverter,
        "string": TextConverter,
    }
    app.before_request(find_nothing_for_impossible_parts)
    app.before_request(refuse_non_forms)


def clean(text: str) -> str:
    """The text without characters that no database stores."""
    return text if text.isascii() and "\0" not in text else text.translate(UNSTORABLE)


def find_nothing_for_impossible_parts() -> None:
    """Answer 404 where no method has the address, as with an id that no column holds.

    Werkzeug names the methods of a rule before it asks whether the parts may be what they are.
    """
    error, adapter = request.routing_exception, request_ctx.url_adapter
    if (
        isinstance(error, MethodNotAllowed)
        and adapter
        and not any(adapter.test(method=method) for method in error.valid_methods or ())
    ):
        request.routing_exception = NotFound()


class IdConverter(IntegerConverter):
    """`<int:…>` in a route: up to MAX_ID, the largest that an id column holds. Other numbers are 404."""

    regex = r"[0-9]{1,10}"

    def __init__(self, map: Map, fixed_digits: int = 0, min: int | None = None, max: int = MAX_ID) -> None:
        super().__init__(map, fixed_digits, min, max)


class TextConverter(UnicodeConverter):
    """`<…>` in a route: text as a database stores it. Other text is 404, for no row can be called that."""

    def to_python(self, value: str) -> str:
        """The text. Raises ValidationError, by which the URL does not exist."""
        if clean(value) != value:
            raise ValidationError
        return value


@dataclass
class PartialForm:
    """The fields and file names at the beginning of a form, without the contents of the files."""

    form: MultiDict[str, str] = field(default_factory=MultiDict)
    files: MultiDict[str, FileStorage] = field(default_factory=MultiDict)


class _CleanFormParser(FormDataParser):
    def parse(self, stream: IO[bytes], mimetype: str, *given: Any, **more: Any) -> Any:
        """Werkzeug's parser, with clean fields, and with its limits also for URL-encoded forms.

        Raises RequestEntityTooLarge.
        """
        if mimetype == "application/x-www-form-urlencoded":
            data = stream.read(MAX_URLENCODED_SIZE + 1)
            if len(data) > MAX_URLENCODED_SIZE or data.count(b"&") >= MAX_FIELDS:
                raise RequestEntityTooLarge
            stream = BytesIO(data)
        stream, form, files = super().parse(stream, mimetype, *given, **more)
        return stream, MultiDict(_cleaned(form.items(multi=True))), files


class CleanRequest(Request):
    """A request whose form and query are clean text. File names are not: sanitize one before keeping it."""

    form_data_parser_class = _CleanFormParser

    @cached_property
    def args(self) -> ImmutableMultiDict[str, str]:
        """The query of the address. Bytes that are no UTF-8 have to be escaped there; where they are not, they go."""
        query = self.query_string.decode("utf-8", "replace")
        return ImmutableMultiDict(_cleaned(parse_qsl(query, keep_blank_values=True, errors="werkzeug.url_quote")))


def partial_form() -> PartialForm:
    """The beginning of a form that is too large to be read; empty for other requests. Reads at most 1 MB, once."""
    boundary = request.mimetype_params.get("boundary", "").encode("ascii", "ignore")
    is_unread = (request.content_length or 0) > (request.max_content_length or math.inf)
    if request.mimetype != "multipart/form-data" or not boundary or not is_unread:
        return PartialForm()
    if PARTIAL_FORM_ENVIRON not in request.environ:
        request.environ[PARTIAL_FORM_ENVIRON] = _read_partial_form(
            boundary, request.environ["wsgi.input"].read(MEGABYTE)
        )
    return cast(PartialForm, request.environ[PARTIAL_FORM_ENVIRON])


def _read_partial_form(boundary: bytes, data: bytes) -> PartialForm:
    found, name, text = PartialForm(), "", b""
    decoder = MultipartDecoder(boundary, max_parts=MAX_FIELDS)
    decoder.receive_data(data)
    with suppress(ValueError, RequestEntityTooLarge):  # what is no form has no more fields than were read until then
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            if isinstance(event, File):
                found.files.add(clean(event.name or ""), FileStorage(filename=event.filename))
            name, text = (clean(event.name or ""), b"") if isinstance(event, Field) else (name, text)
            if isinstance(event, Data) and name:
                text += event.data
                if not event.more_data:
                    found.form.add(name, clean(text.decode("utf-8", "replace")))
                    name = ""
    return found


def too_large_message() -> str:
    """How much may be sent at once, and how much this request sent, which was refused for it."""
    limit = current_app.config["SETTINGS"].max_upload
    sent = request.content_length or 0
    if sent <= limit:
        most_text = current_app.config["MAX_FORM_MEMORY_SIZE"] // MEGABYTE
        return f"A form can have up to {most_text} MB of text and {number(MAX_FIELDS)} fields. Try sending less."
    return f"Files can total {number(limit / MEGABYTE)} MB. You sent {number(math.ceil(10 * sent / MEGABYTE) / 10)} MB."


def refuse_non_forms() -> None:
    """Aborts with 415 for JSON and the like; the API, which takes that, looks for itself."""
    if is_api_path(request.path):
        return
    if request.method not in {"GET", "HEAD", "OPTIONS"} and request.mimetype not in FORM_TYPES:
        abort(415)


def _cleaned(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(clean(name), clean(text)) for name, text in pairs]
