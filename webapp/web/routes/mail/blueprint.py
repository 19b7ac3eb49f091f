"""The blueprint of the mail pages."""

from flask import Blueprint

from webapp.web.auth import require_sign_in

bp = require_sign_in(Blueprint("mail", __name__, url_prefix="/mail"))
