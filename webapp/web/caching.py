"""What browsers may keep of this site: nothing that somebody's sign-in was asked for."""

from flask import Flask, Response, request, session
from werkzeug import Response as BaseResponse

CLEAR_AT_SIGN_OUT = '"cache"'  # not "cookies": one carries the words that one is signed out


def init_app(app: Flask) -> None:
    """Mark the private answers of an app. A view may say something of its own; it then stands."""
    app.after_request(_keep_private)


def forget(response: BaseResponse) -> BaseResponse:
    """Have the browser drop what it has kept: what polls brought, which it keeps so that it can ask for news alone."""
    response.headers["Clear-Site-Data"] = CLEAR_AT_SIGN_OUT
    return response


def _keep_private(response: Response) -> Response:
    """No copy on a shared computer's disk, nor behind its back button after signing out."""
    if "Cache-Control" not in response.headers and request.endpoint != "static" and "_user_id" in session:
        response.headers["Cache-Control"] = "no-store"
    return response
