"""Coming back to an account that is to be deleted."""

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.models.hiding import hide_or_show
from webapp.web import suspended
from webapp.web.redirects import redirect_to_next
from webapp.web.returning import forget, returning
from webapp.web.routes.accounts.blueprint import bp
from webapp.web.security_log import Event, record
from webapp.web.sign_ins import complete_sign_in

OVER = "That took too long. If there is still time to keep your account, signing in asks you again."
BACK = "Welcome back. Your account is kept, and visible again. What was canceled stays canceled."


@bp.get("/login/keep")
def keep() -> ResponseReturnValue:
    """After the right password, ask whether the account is to be kept."""
    leaving = returning()
    if leaving is None:
        return redirect(url_for("accounts.login"), 303)
    answer = make_response(render_template("accounts/keep.html", leaving=leaving))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.post("/login/keep")
def keep_account() -> ResponseReturnValue:
    """Keep it, and sign in."""
    leaving = returning()
    forget()
    user = leaving.take_back() if leaving else None
    if user is None:
        flash(OVER)
        return redirect(url_for("accounts.login"), 303)
    hide_or_show()
    record(Event.DELETION_CANCELED, user)
    if user.is_suspended:
        return suspended.page(user)
    complete_sign_in(user)
    flash(BACK)
    return redirect_to_next()
