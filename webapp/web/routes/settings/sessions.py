"""Where somebody is signed in, and how they end it."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.lib.i18n import ngettext
from webapp.models import Session
from webapp.web.auth import sign_out, signed_in_user
from webapp.web.routes.settings.blueprint import bp


@bp.get("/sessions")
def show_sessions() -> ResponseReturnValue:
    """Every browser that is signed in to this account, this one first."""
    user = signed_in_user()
    ours = user.session
    sessions = sorted(Session.of(user), key=lambda session: session.id != (ours and ours.id))
    return render_template("settings/sessions.html", sessions=sessions, ours=ours)


@bp.post("/sessions/<int:session_id>/end")
def end_session(session_id: int) -> ResponseReturnValue:
    """End one of one's sessions, for every copy of its cookie. This browser’s own: that is signing out."""
    user = signed_in_user()
    session = next((session for session in Session.of(user) if session.id == session_id), None)
    if session is None:
        abort(404)
    if session == user.session:
        sign_out()
        flash("You’re signed out.")
        return redirect(url_for("home.index"), 303)
    session.end()
    flash("That session is ended.")
    return redirect(url_for("settings.show_sessions"), 303)


@bp.post("/sessions/end")
def end_other_sessions() -> ResponseReturnValue:
    """End all of one's sessions but this browser’s."""
    user = signed_in_user()
    number = Session.end_all(user, but=user.session)
    flash(ngettext("%(num)s other session is ended.", "%(num)s other sessions are ended.", number))
    return redirect(url_for("settings.show_sessions"), 303)
