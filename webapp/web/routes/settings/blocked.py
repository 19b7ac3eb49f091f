"""Whom somebody blocks."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from webapp.models import Block
from webapp.web.auth import signed_in_user
from webapp.web.paging import page
from webapp.web.routes.settings.blueprint import bp


@bp.get("/blocked")
def show_blocked() -> ResponseReturnValue:
    """The people whom one blocks, the latest first, each with the way back."""
    blocks = page(Block.by(signed_in_user()), request.args.get("before"))
    return render_template("settings/blocked.html", blocks=blocks)
