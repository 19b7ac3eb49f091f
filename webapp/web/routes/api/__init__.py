"""The API: one file a noun, whose operations are in the table once it is imported."""

from flask import Blueprint

from webapp.web.api import errors
from webapp.web.api.call import add_routes
from webapp.web.auth import csrf
from webapp.web.routes.api import openapi, tasks, user  # noqa: F401 - their operations

bp = Blueprint("api", __name__, url_prefix="/api/v1")
errors.register(bp)
add_routes(bp)
csrf.exempt(bp)  # no cookie counts here
