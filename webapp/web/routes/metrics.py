"""The numbers of the site, for Prometheus and what reads the same."""

from hmac import compare_digest

from flask import Blueprint, abort, current_app, request
from flask.typing import ResponseReturnValue
from limits import parse_many

from webapp.web.api.authentication import token_text
from webapp.web.metrics.exposition import Busy, Exposition
from webapp.web.rate_limits import client_network, count

bp = Blueprint("metrics", __name__)

GUESSES = parse_many("20 per minute")  # by one network
EXTENSION = "errand metrics"
REALM = 'Bearer realm="metrics"'
PLAIN = {"Content-Type": "text/plain; charset=utf-8"}


@bp.get("/metrics")
def show() -> ResponseReturnValue:
    """All metrics, to who sends METRICS_TOKEN; 401 to who does not, 404 where none is set.

    Ten small queries, at most once in five seconds for each process. Wrong tokens are counted, and refused with 429
    when there are many.
    """
    token = current_app.config["SETTINGS"].metrics_token
    if token is None:
        abort(404)
    given = token_text(request.headers.get("Authorization", ""))
    if not compare_digest(given.encode(), token.encode()):
        if given:
            count(GUESSES, "guess of the token of metrics", client_network())
        return "Send the token as “Authorization: Bearer …”.\n", 401, {"WWW-Authenticate": REALM, **PLAIN}
    exposition: Exposition = current_app.extensions.setdefault(EXTENSION, Exposition())
    try:
        text, content_type = exposition.text(request.headers.get("Accept", ""))
    except Busy:
        return "The database does not answer.\n", 503, PLAIN
    return text, {"Content-Type": content_type, "Cache-Control": "no-store"}
