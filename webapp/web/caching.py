"""What browsers may cache: no page that was made for somebody who is signed in."""

from flask import Flask, Response, request, session
from werkzeug import Response as BaseResponse

from webapp.web.api_paths import is_api_path

CLEAR_AT_SIGN_OUT = '"cache"'  # not "cookies": one carries the words that one is signed out


def init_app(app: Flask) -> None:
    """Mark the private answers of an app. A view may say something of its own; it then stands."""
    app.after_request(_forbid_caching)


def clear_site_data(response: BaseResponse) -> BaseResponse:
    """Have the browser drop its cache, in which are the answers to polls; returns the response."""
    response.headers["Clear-Site-Data"] = CLEAR_AT_SIGN_OUT
    return response


def _forbid_caching(response: Response) -> Response:
    """No copy on a shared computer's disk, nor behind its back button after signing out."""
    if is_api_path(request.path):
        return response  # which says it itself, and has no session
    if "Cache-Control" not in response.headers and request.endpoint != "static" and "_user_id" in session:
        response.headers["Cache-Control"] = "no-store"
    return response
