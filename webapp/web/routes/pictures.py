"""Pictures of people, for whoever may see their profiles: for everybody."""

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue

from webapp.models import Picture
from webapp.models.picture import CONTENT_TYPE, SIZES
from webapp.web.security import CSP_HEADER, PICTURE_POLICY, YEAR

bp = Blueprint("pictures", __name__)


@bp.get("/pictures/<version>/<int:size>")
def show(version: str, size: int) -> ResponseReturnValue:
    """A picture in one of its sizes. Browsers keep it, as no other ever has this address; proxies do not, or it would
    still be there for others when its owner has removed it. One query, and no session."""
    data = Picture.find(version, size) if size in SIZES else None
    if data is None:
        abort(404)
    response = Response(data, mimetype=CONTENT_TYPE)
    response.headers["Cache-Control"] = f"private, max-age={YEAR}, immutable"
    response.headers[CSP_HEADER] = PICTURE_POLICY
    response.set_etag(f"{version}-{size}")
    return response.make_conditional(request)
