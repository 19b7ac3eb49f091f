"""Requests with files: a form whose part `arguments` is JSON, and whose files are named by their parameter."""

from typing import Any, BinaryIO, Final, cast

from flask import request

from tasks.engine import Upload
from webapp.web.api.json_body import LARGEST, demand, parse, pointer, wrong_body
from webapp.web.api.problems import TOO_LARGE, UNSUPPORTED_TYPE, Fault, Problem
from webapp.web.api.resource import Schema

ARGUMENTS: Final = "arguments"
NO_SUCH_PART: Final = (
    "There is no such part. Arguments go into “arguments”, as JSON. With curl, a file has an @ before its name."
)
MULTIPART: Final = "multipart/form-data"


def is_multipart() -> bool:
    """Whether the present request is such a form."""
    return request.mimetype == MULTIPART


def demand_multipart() -> None:
    """Raise Problem (415) where it is anything else."""
    if not is_multipart():
        raise Problem(UNSUPPORTED_TYPE, f"Send a form with files: “Content-Type: {MULTIPART}”.")


def read_form(schema: Schema) -> dict[str, Any]:
    """The parts of the form but for the files, as the same thing sent as JSON, which fits the schema.

    Raises Problem: 400, 413 or 422.
    """
    faults = [
        Fault(
            "Give it once." if len(texts) > 1 else NO_SUCH_PART,
            pointer(name),
        )
        for name, texts in request.form.lists()
        if len(texts) > 1 or (name != ARGUMENTS and name not in schema["properties"])  # type: ignore[operator]
    ]
    if faults:
        raise wrong_body(*faults)
    body: dict[str, Any] = request.form.to_dict()
    if ARGUMENTS in body or ARGUMENTS in request.files:
        body[ARGUMENTS] = parse(_arguments())
    demand(schema, body)
    return body


def sent_files() -> dict[str, list[Upload]]:
    """The files of the present request by parameter, in the order in which they were sent; none where it is JSON."""
    if not is_multipart():
        return {}
    return {
        name: [Upload(file.filename or "", cast(BinaryIO, file.stream)) for file in files]
        for name, files in request.files.lists()
        if name != ARGUMENTS
    }


def _arguments() -> bytes:
    """The JSON, which clients send as a text or as a file."""
    if ARGUMENTS not in request.files:
        return request.form[ARGUMENTS].encode()
    data: bytes = request.files[ARGUMENTS].stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Problem(TOO_LARGE, "JSON can be 1 MB at most.")
    return data
