"""What a task has made, or was given, as the API says it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from tasks.engine.models.artifact import Kind
from tasks.engine.models.artifact_lists import short_contents
from webapp.models import Artifact
from webapp.web.api.resource import BOOLEAN, INTEGER, STRING, TIME, UUID, Field, Resource, Schema, nullable, time
from webapp.web.api_paths import ROOT
from webapp.web.presenters.task_pages import page_of

SHORT: Final = 4096  # bytes of a link or text that are told along with it


@dataclass(frozen=True)
class ReadArtifact:
    """An artifact, which has its task's `id` and `name`; and its content where that is short and to be read."""

    artifact: Artifact
    content: str | None

    @property
    def is_to_be_fetched(self) -> bool:
        """Whether a token gets its content."""
        return not self.artifact.expired_at and not is_confidential(self.artifact)

    def content_of(self, kind: Kind) -> str | None:
        """Its content where it is of that kind, and short."""
        return self.content if self.artifact.kind is kind else None


def is_confidential(artifact: Artifact) -> bool:
    """Whether only its page hands it out, once its owner has proved who they are: no token can do that."""
    return page_of(artifact.task).is_confidential


def read_artifacts(artifacts: Iterable[Artifact]) -> list[ReadArtifact]:
    """These with what is short of their content. One query; none if there is no link or text among them."""
    found = list(artifacts)
    told = [each for each in found if each.kind in (Kind.LINK, Kind.TEXT) and not is_confidential(each)]
    contents = short_contents(told, SHORT)
    return [
        ReadArtifact(each, contents[each.id].decode("utf-8", "replace") if each.id in contents else None)
        for each in found
    ]


def _links(read: ReadArtifact) -> dict[str, Any]:
    here = f"{ROOT}/artifacts/{read.artifact.id}"
    return {
        "self": here,
        "content": f"{here}/content" if read.is_to_be_fetched else None,
        "task": f"{ROOT}/tasks/{read.artifact.task_id}",
        "html": f"/artifacts/{read.artifact.id}",
    }


_LINKS: Final[Schema] = {
    "type": "object",
    "properties": {"self": STRING, "content": nullable(STRING), "task": STRING, "html": STRING},
    "required": ["self", "content", "task", "html"],
}
_KINDS: Final[Schema] = STRING | {"enum": [str(kind) for kind in Kind]}
_KIND_WORDS = "A `file` to download, a `link` to follow, a `text` to read; or an `upload`, which the task was given."
_CONTENT_WORDS = "Where its content is; null if it is no longer kept, or only its page, `html`, hands it out."

ARTIFACT = Resource[ReadArtifact](
    "Artifact",
    "What a task has made for its owner, or was given by them.",
    (
        Field("id", UUID, lambda read: str(read.artifact.id)),
        Field("task", UUID, lambda read: str(read.artifact.task_id), "The id of its task."),
        Field("name", STRING, lambda read: read.artifact.name, "What a file is called; any text."),
        Field("kind", _KINDS, lambda read: str(read.artifact.kind), _KIND_WORDS),
        Field("content_type", STRING, lambda read: read.artifact.content_type),
        Field("size", INTEGER, lambda read: read.artifact.size, "Of its content, in bytes."),
        Field("url", nullable(STRING), lambda read: read.content_of(Kind.LINK), "Where a link leads to."),
        Field("text", nullable(STRING), lambda read: read.content_of(Kind.TEXT), "A text, if it is short."),
        Field("created_at", TIME, lambda read: time(read.artifact.created_at)),
        Field(
            "expires_at",
            nullable(TIME),
            lambda read: time(read.artifact.expires_at),
            "When its content will be deleted; null if it is kept as long as its task, or gone.",
        ),
        Field("expired", BOOLEAN, lambda read: read.artifact.expired_at is not None, "Whether its content is gone."),
        Field("links", _LINKS, _links, _CONTENT_WORDS),
    ),
)
