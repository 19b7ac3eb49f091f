"""What tasks made and what they were given, for whoever started them."""

from uuid import UUID

from flask import Blueprint, abort, redirect
from flask.typing import ResponseReturnValue
from flask_login import login_required

from tasks.engine.models.artifact import Kind
from webapp.models import Artifact
from webapp.web.auth import signed_in_user
from webapp.web.downloads import download_as, stream
from webapp.web.ownership import refuse

bp = Blueprint("artifacts", __name__)


@bp.get("/artifacts/<uuid:artifact_id>")
@login_required
def show(artifact_id: UUID) -> ResponseReturnValue:
    """A file to download, in constant memory, whole or in part; a text to read; a link to follow. Its owner's only."""
    found = Artifact.visible_to(signed_in_user()).where(Artifact.id == artifact_id).get_or_none()
    artifact = found or refuse(Artifact, artifact_id)
    if artifact.expired_at:
        abort(410)
    if artifact.kind == Kind.LINK:
        return redirect(artifact.read().decode(), 303)
    response = stream(artifact.open(), artifact.size, artifact.content_type, artifact.id.hex)
    response.headers["Cache-Control"] = "private, no-store"
    if artifact.kind in (Kind.FILE, Kind.UPLOAD):
        download_as(response, artifact.name)
    return response
