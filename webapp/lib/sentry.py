"""Sentry: sends descriptions of errors to the project of a DSN, and nothing else.

Sentry's integrations would add requests, people, variables and queries by themselves, so none of them is on. An event
is made of a description alone, and what Sentry's library adds to that is cut off by a list of what may leave. That it
asks for no personal data (`send_default_pii`) is its default.
"""

from collections.abc import Sequence
from datetime import UTC
from typing import cast

import sentry_sdk
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event, Hint

from webapp.lib.error_collector import Sink
from webapp.lib.error_description import Cause, Frame
from webapp.lib.error_occurrences import Occurrences

# What Sentry's library may send of an event; it would add the name of the machine, among others.
LEAVES = frozenset({"event_id", "timestamp", "platform", "level", "logger", "logentry", "exception", "release"})
LEAVES |= {"tags", "extra", "fingerprint", "sdk"}
TAGS = {"kind": "task_function"}  # names of fields that say more among the tags of other projects
FLUSH_WITHIN = 2.0  # seconds


def sink(dsn: str, release: str, transport: type[Transport] | None = None) -> Sink:
    """A sink that sends each kind as one event. It waits for Sentry for FLUSH_WITHIN at most; what is not sent by then
    is sent later, by a thread of Sentry's."""
    sentry_sdk.init(
        dsn=dsn,
        release=release,
        transport=transport,
        default_integrations=False,
        auto_enabling_integrations=False,
        max_request_body_size="never",
        include_local_variables=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        send_client_reports=False,
        server_name="",
        before_send=_cut,
    )
    return _send


def _send(found: Sequence[Occurrences]) -> None:
    for each in found:
        sentry_sdk.capture_event(_event(each))
    sentry_sdk.flush(FLUSH_WITHIN)


def _cut(event: Event, _: Hint) -> Event:
    return cast(Event, {name: value for name, value in event.items() if name in LEAVES})


def _event(found: Occurrences) -> Event:
    of = found.description
    event: Event = {
        "level": "fatal" if of.level == "CRITICAL" else "error",
        "logger": of.kind.logger,
        "logentry": {"message": of.kind.words or of.kind.title},
        "tags": {TAGS.get(name, name): value for name, value in of.fields.items() if name != "release"},
        "extra": {"count": found.count},
        "fingerprint": [of.kind.digest],
        "timestamp": found.first_at.replace(tzinfo=UTC),
    }
    if of.causes:
        event["exception"] = {"values": [_exception(cause) for cause in of.causes]}
    return event


def _exception(cause: Cause) -> dict[str, object]:
    frames = [_frame(frame) for frame in cause.frames]
    return {"type": cause.type, "value": cause.words, "stacktrace": {"frames": frames} if frames else None}


def _frame(frame: Frame) -> dict[str, object]:
    return {
        "filename": frame.path,
        "function": frame.function,
        "lineno": frame.line,
        "context_line": frame.source,
        "in_app": frame.is_ours,
    }
