"""ETags of documents that are made anew for each answer, and small: the digest of what they say."""

import hashlib
import json
from typing import Any

from webapp.web.api.operation import Answer
from webapp.web.api.resource import Resource, Row


def etag_of(document: Any) -> str:
    """A strong ETag: another one whenever the document says anything else."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:32]


def tagged(resource: Resource[Row], row: Row, **more: Any) -> Answer:
    """The answer that has the document about a row, with its ETag."""
    document = resource.of(row)
    return Answer(document, etag=etag_of(document), **more)
