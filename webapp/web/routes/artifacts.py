"""What tasks made and what they were given, for whoever started them."""

from uuid import UUID

from flask import Blueprint, abort, redirect
from flask.typing import ResponseReturnValue
from flask_login import login_required

from tasks.engine.models.artifact import Kind
from webapp.models import Artifact, Task
from webapp.web.auth import signed_in_user
from webapp.web.downloads import download_as, stream
from webapp.web.ownership import refuse
from webapp.web.presenters.task_pages import page_of
from webapp.web.reauthentication import reauthentication_required

bp = Blueprint("artifacts", __name__)


@bp.get("/artifacts/<uuid:artifact_id>")
@login_required
def show(artifact_id: UUID) -> ResponseReturnValue:
    """A file to download, in constant memory, whole or in part; a text to read; a link to follow. Its owner's only."""
    visible = Artifact.visible_to(signed_in_user()).select_extend(Task.id, Task.name)
    found = visible.where(Artifact.id == artifact_id).get_or_none()
    artifact = found or refuse(Artifact, artifact_id)
    if artifact.expired_at:
        abort(410)
    return _hand_out_once_proved(artifact) if page_of(artifact.task).is_confidential else _hand_out(artifact)


@reauthentication_required
def _hand_out_once_proved(artifact: Artifact) -> ResponseReturnValue:
    return _hand_out(artifact)


def _hand_out(artifact: Artifact) -> ResponseReturnValue:
    if artifact.kind == Kind.LINK:
        return redirect(artifact.read().decode(), 303)
    response = stream(artifact.open(), artifact.size, artifact.content_type, artifact.id.hex)
    response.headers["Cache-Control"] = "private, no-store"
    if artifact.kind in (Kind.FILE, Kind.UPLOAD):
        download_as(response, artifact.name)
    return response
