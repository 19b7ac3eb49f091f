"""What tasks have made, and what they were given: only ever for the owner of the task, whatever roles others have."""

from uuid import UUID

from flask import Response, url_for
from peewee import ModelSelect

from tasks.engine.models.artifact import Kind
from tasks.engine.models.artifact_lists import kept_of, made_by
from webapp.models import Artifact, Task
from webapp.models.scopes import Scope
from webapp.web.api.call import HEADERS, Call
from webapp.web.api.etags import tagged
from webapp.web.api.operation import Answer, operation
from webapp.web.api.pages import PAGING, page_of
from webapp.web.api.problems import FORBIDDEN, GONE, RANGE_NOT_SATISFIABLE, Problem
from webapp.web.api.resource import Content, Listed
from webapp.web.api.resources.artifact import ARTIFACT, is_confidential, read_artifacts
from webapp.web.downloads import download_as, stream
from webapp.web.ownership import refuse
from webapp.web.paging import Page, page

LISTED = Listed(ARTIFACT)
READ = Scope.ARTIFACTS_READ


@operation("GET", "/artifacts", allows=READ, answers={200: LISTED}, query=PAGING)
def list_artifacts(call: Call) -> Answer:
    """All your files, newest first.

    What your tasks have made, and, as `upload`, what you gave them. What is no longer kept is left out.
    """
    return _page(call, kept_of(call.user.id))


@operation("GET", "/tasks/{task_id}/artifacts", allows=READ, answers={200: LISTED}, query=PAGING)
def list_artifacts_of_task(call: Call, task_id: UUID) -> Answer:
    """What a task has made, newest first.

    Also what is no longer kept, as `expired`. The files that the task was given are left out.
    """
    task = Task.find(call.user, task_id) or refuse(Task, task_id)
    return _page(call, made_by(task), task_id=task_id)


@operation("GET", "/artifacts/{artifact_id}", allows=READ, answers={200: ARTIFACT, 304: None})
def show_artifact(call: Call, artifact_id: UUID) -> Answer:
    """One artifact."""
    [read] = read_artifacts([_find(call, artifact_id)])
    return tagged(ARTIFACT, read)


@operation(
    "GET",
    "/artifacts/{artifact_id}/content",
    allows=READ,
    answers={200: Content(), 206: Content(), 304: None},
    problems=(FORBIDDEN, GONE, RANGE_NOT_SATISFIABLE),
)
def download_artifact(call: Call, artifact_id: UUID) -> Answer | Response:
    """The content of an artifact.

    A file comes under its name, and a text as text/plain; with `Range`, a part of it, so that a download goes on where
    it was cut off. A link is answered as JSON, `{"url": …}`. Content never changes, so its ETag is always good.
    """
    artifact = _find(call, artifact_id)
    if artifact.expired_at:
        raise Problem(GONE, "The content of this artifact was deleted.")
    if is_confidential(artifact):
        where = url_for("artifacts.show", artifact_id=artifact_id, _external=True)
        raise Problem(FORBIDDEN, f"This needs your password or a code, so download it in a browser: {where}")
    version = artifact.id.hex
    if artifact.kind is Kind.LINK:
        return Answer({"url": artifact.read().decode()}, etag=version)
    response = stream(artifact.open(), artifact.size, artifact.content_type, version)
    response.headers.update(HEADERS)
    if artifact.kind is not Kind.TEXT:
        download_as(response, artifact.name)
    return response


def _page(call: Call, query: "ModelSelect[Artifact]", **path: object) -> Answer:
    def find(cursor: str | None, limit: int) -> Page:
        found = page(query, cursor, limit)
        return Page(read_artifacts(found.items), found.next)

    return page_of(call, find, ARTIFACT, **path)


def _find(call: Call, artifact_id: UUID) -> Artifact:
    visible = Artifact.visible_to(call.user).select_extend(Task.id, Task.name)
    found: Artifact | None = visible.where(Artifact.id == artifact_id).get_or_none()
    return found or refuse(Artifact, artifact_id)
