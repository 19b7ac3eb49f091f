"""Where somebody is signed in, and how they end it."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from webapp.lib.i18n import ngettext
from webapp.models import Notification, Session
from webapp.models.notification_kinds import SIGN_INS
from webapp.models.session import IDLE, LONGEST
from webapp.web import htmx
from webapp.web.auth import sign_out, signed_in_user
from webapp.web.caching import clear_site_data
from webapp.web.presenters.notifications import leads_to
from webapp.web.reauthentication import reauthentication_required
from webapp.web.routes.settings.blueprint import bp
from webapp.web.security_log import Event, record

MOST_LISTED = 100  # a page that somebody can read; whoever has more has programs that sign in
_SIGN_INS = Notification.name == SIGN_INS


@leads_to(SIGN_INS)
def _of_sign_ins(_: Notification) -> str:
    return url_for("settings.show_sessions")


@bp.get("/sessions")
def show_sessions() -> ResponseReturnValue:
    """Every browser that is signed in to this account, this one first. Two queries, however many there are."""
    user = signed_in_user()
    ours, found = user.session, Session.of(user, MOST_LISTED + 1)
    others = [session for session in found if session != ours]
    sessions = [*([ours] if ours else []), *others][:MOST_LISTED]
    return render_template(
        "settings/sessions.html",
        sessions=sessions,
        ours=ours,
        are_more=len(found) > MOST_LISTED,
        unread=Notification.is_any_unread(user, _SIGN_INS),
        idle=IDLE,
        longest=LONGEST,
    )


@bp.post("/sessions/reading")
def read_sign_ins() -> ResponseReturnValue:
    """Mark as read that there were sign-ins: the list of sessions does so when it is opened."""
    Notification.read(signed_in_user(), _SIGN_INS)
    return htmx.respond(url_for("settings.show_sessions"))


@bp.post("/sessions/<int:session_id>/end")
@reauthentication_required
def end_session(session_id: int) -> ResponseReturnValue:
    """End one of one's sessions, for every copy of its cookie. This browser’s own: that is signing out."""
    user = signed_in_user()
    session = Session.find(user, session_id) or abort(404)
    if session == user.session:
        sign_out()
        flash("You’re signed out.")
        return clear_site_data(redirect(url_for("home.index"), 303))
    if session.end():
        record(Event.SESSION_ENDED, user, session_id=session.id)
        flash(f"Session ended: {session.browser or 'a program'}.")
    else:
        flash("That session had already ended.")
    return redirect(url_for("settings.show_sessions"), 303)


@bp.post("/sessions/end")
@reauthentication_required
def end_other_sessions() -> ResponseReturnValue:
    """End all of one's sessions but this browser’s."""
    user = signed_in_user()
    number = Session.end_all(user, but=user.session)
    record(Event.SESSION_ENDED, user, sessions=number)
    flash(ngettext("%(num)s other session ended.", "%(num)s other sessions ended.", number))
    return redirect(url_for("settings.show_sessions"), 303)
