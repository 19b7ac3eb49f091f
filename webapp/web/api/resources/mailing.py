"""Mailings as programs see them: in a list, and whole; and what came of each recipient."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tasks.engine.models.state import State
from webapp.mail.templates import TEMPLATES
from webapp.models import Delivery, Mailing, MailingFile, Task
from webapp.models.mailing.delivery import Sending
from webapp.models.mailing.row import BODY_LENGTH, SUBJECT_LENGTH
from webapp.web.api.resource import (
    INTEGER,
    STRING,
    TIME,
    UUID,
    Field,
    Resource,
    Schema,
    array,
    described,
    nullable,
    time,
)

DRAFT: Final = "draft"  # the state of a mailing that has no task yet


@dataclass(frozen=True)
class SeenMailing:
    """A mailing with the task that sends it, if one does; whole with its files and how its deliveries stand."""

    mailing: Mailing
    task: Task | None
    files: Sequence[MailingFile] = ()
    counts: Mapping[Sending, int] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it can still be changed."""
        return self.task is None or self.task.is_scheduled


def see(mailing: Mailing) -> SeenMailing:
    """A mailing whole. A query for its files; of one that is no draft, one for its task, and two at most to count."""
    if mailing.is_draft:
        return SeenMailing(mailing, None, mailing.files())
    return SeenMailing(mailing, mailing.current_task(), mailing.files(), Delivery.counts(mailing))


def _run_at(seen: SeenMailing) -> str | None:
    return time(seen.task.run_at if seen.task else seen.mailing.send_at)


def _counts(seen: SeenMailing) -> Any:
    return seen.counts and {str(state): number for state, number in seen.counts.items()}


_STATES: Final = ", ".join(State)
_TEMPLATES: Final = "; ".join(f"`{name}`: {template.label}" for name, template in TEMPLATES.items())
_SHORT: Final[tuple[Field[SeenMailing], ...]] = (
    Field("id", INTEGER, lambda seen: seen.mailing.id),
    Field(
        "state",
        STRING,
        lambda seen: seen.task.state if seen.task else DRAFT,
        f"`{DRAFT}`, or the state of the task that sends it: {_STATES}. Later releases may add others.",
    ),
    Field("subject", STRING, lambda seen: seen.mailing.subject),
    Field("task", nullable(UUID), lambda seen: seen.task and str(seen.task.id), "What sends it; null for a draft."),
    Field("created_at", TIME, lambda seen: time(seen.mailing.created_at), "When it was sent, or begun."),
    Field("run_at", nullable(TIME), _run_at, "When its sending is to start, or to go on; null is at once."),
    Field("finished_at", nullable(TIME), lambda seen: time(seen.task.finished_at) if seen.task else None),
)
MAILING_SUMMARY: Final = Resource[SeenMailing]("MailingSummary", "One mail to many people, in a list.", _SHORT)

ATTACHMENT: Final = Resource[MailingFile](
    "Attachment",
    "A file that goes with a mailing.",
    (
        Field("id", INTEGER, lambda file: file.id),
        Field("name", STRING, lambda file: file.name),
        Field("content_type", STRING, lambda file: file.content_type),
        Field("size", INTEGER, lambda file: file.size, "In bytes."),
    ),
)
_COUNTS: Final[Schema] = {"type": "object", "additionalProperties": INTEGER}
MAILING: Final = Resource[SeenMailing](
    "Mailing",
    "One mail to many people.",
    (
        *_SHORT,
        Field(
            "recipients",
            array(STRING),
            lambda seen: [line for line in seen.mailing.recipients.splitlines() if line.strip()],
            "As they were given, by line.",
        ),
        Field("template", STRING, lambda seen: seen.mailing.template, _TEMPLATES),
        Field("body", STRING, lambda seen: seen.mailing.body, "The text that goes into the template."),
        Field("attachments", array(ATTACHMENT.schema), lambda seen: [ATTACHMENT.of(file) for file in seen.files]),
        Field("deliveries", nullable(_COUNTS), _counts, "How many recipients, by state; null for a draft."),
    ),
    headers=("ETag",),
)
DELIVERY: Final = Resource[Delivery](
    "Delivery",
    "What came of a mailing to one recipient.",
    (
        Field("address", STRING, lambda delivery: delivery.address),
        Field(
            "state",
            STRING,
            lambda delivery: delivery.outcome,
            "`waiting` and `sending` are under way; `sent` was accepted by a mail server; `refused` and `failed` "
            "weren’t; `skipped` wasn’t to be mailed. Later releases may add others.",
        ),
        Field("error", nullable(STRING), lambda delivery: delivery.error or None, "Why it wasn’t delivered, in words."),
        Field("tries", INTEGER, lambda delivery: delivery.tries),
        Field("tried_at", nullable(TIME), lambda delivery: time(delivery.tried_at), "When it was tried last."),
    ),
)


def body_schema(**more: Any) -> Schema:
    """The schema of what a program says of a mailing."""
    recipients: Schema = {"anyOf": [STRING, array(STRING)]}
    members: dict[str, Any] = {
        "recipients": described(
            recipients,
            "Addresses, alone or as `Name <address>`: a list of them, or a text as people paste it.",
        ),
        "subject": described(STRING, f"At most {SUBJECT_LENGTH} characters. Without one, that of the template."),
        "template": {"type": "string", "enum": list(TEMPLATES), "description": _TEMPLATES},
        "body": described(STRING, f"At most {BODY_LENGTH:,} characters. A blank line starts a new paragraph."),
        "run_at": described(nullable(TIME), "When to send it, within a year; null is at once."),
    }
    return {"type": "object", "properties": members, "additionalProperties": False, **more}
