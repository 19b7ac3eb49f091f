"""Idempotency keys: a program that does not know whether it was heard sends the same request again, with the same key.

An operation has `once=` for that. Its work is then done in one transaction with the key, so that the process may be
killed at any moment. The same request is answered as it was the first time, for at least a day. What was refused is not
kept, and may be sent again. Nor is an answer that is longer than LONGEST_KEPT, as no quota counts what is kept: the
same request is then answered by 409, which says where what was made is.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final

from flask import request

from webapp.lib.json_types import Json
from webapp.lib.sealing import CannotUnseal
from webapp.models import IdempotencyKey, User
from webapp.models.idempotency_key import InProgress
from webapp.web.api.operation import Answer
from webapp.web.api.problems import BAD_REQUEST, CONFLICT, IN_PROGRESS, KEY_REUSED, Fault, Problem
from webapp.web.content_digest import ContentDigest

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotent-Replayed"
LONGEST: Final = 255  # characters
PATTERN: Final = re.compile(rf"[\x21-\x7e]{{1,{LONGEST}}}")
WORDS: Final = f"Send 1 to {LONGEST} visible ASCII characters, without spaces: a UUID, say."
RETRY_AFTER: Final = 1  # seconds
LONGEST_KEPT: Final = 32 * 1024  # characters of JSON


def sent_key() -> str | None:
    """The key of the present request; None without one. Raises Problem (400) for what is no key."""
    key = request.headers.get(HEADER)
    if key is not None and not PATTERN.fullmatch(key):
        raise Problem(BAD_REQUEST, f"The header {HEADER} has no key that we take.", [Fault(WORDS, header=HEADER)])
    return key


def replay(user: User, key: str, digest: str) -> Answer | None:
    """The answer to the present request if it was sent before; None if it was not. One query.

    Raises Problem: 422 where the key was sent with another request, 409 where its answer was not kept.
    """
    found = IdempotencyKey.find(user.id, key)
    return _answer_of(found, key, digest) if found else None


def do_once(user: User, key: str, digest: str, do: Callable[[], Answer]) -> Answer:
    """What `do` answers, in one transaction with the key; or the answer to the same request, if that came meanwhile.

    Raises Problem: 409 while that is under way, 422 where it was another request.
    """
    made: list[Answer] = []

    def make() -> str:
        answer = do()
        made.append(answer)
        return _as_kept(answer)

    try:
        found = IdempotencyKey.once(user.id, key, digest, make)
    except InProgress as error:
        words = "A request with this key is under way."
        raise Problem(IN_PROGRESS, words, headers={"Retry-After": str(RETRY_AFTER)}) from error
    return _answer_of(found, key, digest) if found else made[0]


def _answer_of(found: IdempotencyKey, key: str, digest: str) -> Answer:
    if found.request != digest:
        raise Problem(KEY_REUSED, "This key was sent with another request.", [Fault("Make another.", header=HEADER)])
    try:
        kept = json.loads(found.unseal(key))
        if isinstance(kept, dict):
            raise _too_long(kept)
        body, status, headers, etag = kept
    except (CannotUnseal, ValueError) as error:  # a later release may keep it otherwise
        words = "A request with this key was carried out, but its answer can no longer be read."
        raise Problem(CONFLICT, words) from error
    return Answer(body, status, headers | {REPLAYED: "true"}, etag)


def _as_kept(answer: Answer) -> str:
    """All of it, as a list; or an object with its Location alone. The release before finds that one unreadable."""
    headers = dict(answer.headers or {})
    kept = json.dumps([answer.body, answer.status, headers, answer.etag])
    if len(kept) <= LONGEST_KEPT:
        return kept
    return json.dumps({name: headers[name] for name in ("Location",) if name in headers})


def _too_long(kept: dict[str, Json]) -> Problem:
    words = "A request with this key was carried out; its answer was too long to keep."
    return Problem(CONFLICT, words, headers={name: str(value) for name, value in kept.items()} | {REPLAYED: "true"})


def digest_of(body: Any) -> str:
    """A digest of the present request, by which it is known again: of all that it asks for, files included."""
    digest = ContentDigest(request.method, request.full_path, json.dumps(body, sort_keys=True))
    digest.add_files(sorted(request.files.items(multi=True), key=lambda item: item[0]))
    return digest.text()
