"""The blueprint of the settings, all of which need a sign-in."""

from flask import Blueprint

from webapp.web.auth import require_sign_in

bp = require_sign_in(Blueprint("settings", __name__, url_prefix="/settings"))
