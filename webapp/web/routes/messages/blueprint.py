"""The blueprint of private messages, all of which need a sign-in."""

from flask import Blueprint

from webapp.web.auth import require_sign_in

bp = require_sign_in(Blueprint("messages", __name__, url_prefix="/messages"))
