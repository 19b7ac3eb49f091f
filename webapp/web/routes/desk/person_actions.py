"""What admins do about somebody: suspend, reinstate, sign out, change quotas and the role. Each is in the audit."""

from datetime import timedelta

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from webapp.lib.i18n import ngettext
from webapp.lib.quota_variables import QUOTAS, Quota
from webapp.lib.times import utcnow
from webapp.models import Session, Suspension, User
from webapp.models.audit import Audited
from webapp.models.last_admin import CannotLose
from webapp.models.own_quota import OwnQuota, take_own_quota
from webapp.models.permissions import Action
from webapp.models.quotas import most_of
from webapp.models.role_changes import CannotHaveRole, change_role
from webapp.models.suspension_work import carry_out
from webapp.web.auditing import accepted, audited, audited_action, refuse
from webapp.web.auth import signed_in_user
from webapp.web.forms.desk import ReasonForm
from webapp.web.forms.desk_people import NO_ROLE, QuotaForm, RoleForm
from webapp.web.reauthentication import reauthentication_for
from webapp.web.routes.desk.blueprint import bp
from webapp.web.routes.desk.people import find_person, person_page
from webapp.web.security_log import Event, record

YOURSELF = "You can’t do that to your own account."
LAST_ADMIN = "This is the last admin. Make somebody else an admin first."


class Unchanged(ValueError):
    """There is nothing to do: it is so already."""


@bp.post("/people/<int:person_id>/suspension")
@reauthentication_for(Action.MANAGE_PEOPLE)
@audited_action(Audited.SUSPEND_PERSON)
def suspend(person_id: int) -> ResponseReturnValue:
    """Let nobody use the account until somebody reinstates it. Its owner is told why."""
    user, form = find_person(person_id, in_use=True), ReasonForm()
    if not accepted(form):
        return person_page(user, reason=form), 422
    try:
        with audited(_target(user), about=user, reason=form.reason.data):
            if user.id == signed_in_user().id:
                raise PermissionError(YOURSELF)
            suspension = Suspension.begin(user, form.reason.data)
            if suspension is None:
                raise Unchanged("It is suspended already.")
    except CannotLose:
        return person_page(user, problem=LAST_ADMIN), 422
    except (PermissionError, Unchanged) as error:
        return _refused(user, error)
    record(Event.SUSPENDED, user)
    is_done = carry_out(suspension)
    flash(f"{user.username} is suspended." + ("" if is_done else " Their tasks are being put on hold."))
    return _back(user)


@bp.post("/people/<int:person_id>/reinstatement")
@reauthentication_for(Action.MANAGE_PEOPLE)
@audited_action(Audited.REINSTATE_PERSON)
def reinstate(person_id: int) -> ResponseReturnValue:
    """Let a suspended account be used again; what was held goes on."""
    user = find_person(person_id, in_use=True)
    try:
        with audited(_target(user), about=user):
            suspension = Suspension.lift(user)
            if suspension is None:
                raise Unchanged("It isn’t suspended.")
    except Unchanged as error:
        return _refused(user, error)
    record(Event.REINSTATED, user)
    is_done = carry_out(suspension)
    flash(f"{user.username} can use the account again." + ("" if is_done else " Their tasks are being resumed."))
    return _back(user)


@bp.post("/people/<int:person_id>/sessions")
@audited_action(Audited.END_SESSIONS)
def end_sessions(person_id: int) -> ResponseReturnValue:
    """Sign somebody out everywhere. A guest, who could not sign in again, is left alone."""
    user = find_person(person_id, in_use=True)
    if user.is_guest:
        refuse(problem := "A guest would lose the account by that.")
        return person_page(user, problem=problem), 422
    with audited(_target(user), about=user) as entry:
        entry.after = number = Session.end_all(user)
    record(Event.SESSION_ENDED, user, sessions=number)
    flash(ngettext("Ended %(num)s session.", "Ended %(num)s sessions.", number))
    return _back(user)


@bp.post("/people/<int:person_id>/quotas")
@audited_action(Audited.CHANGE_QUOTA)
def change_quota(person_id: int) -> ResponseReturnValue:
    """Have another quota count for somebody, for so many days or for good; or everybody's again."""
    user, form = find_person(person_id, in_use=True), QuotaForm()
    if not accepted(form):
        return person_page(user, quota=form), 422
    quota = Quota(form.quota.data)
    with audited(_target(user), about=user, reason=form.reason.data) as entry:
        before = most_of(quota, user)
        if form.most.data is None:
            take_own_quota(user, quota)
        else:
            until = utcnow() + timedelta(days=form.days.data) if form.days.data else None
            OwnQuota(form.most.data * QUOTAS[quota].unit or None, until, form.reason.data).give(user, quota)
        entry.before, entry.after = {quota.value: before}, {quota.value: most_of(quota, user)}
    record(Event.QUOTA_CHANGED, user, quota=quota.value)
    flash(f"The quota of {user.username} is changed.")
    return _back(user)


@bp.post("/people/<int:person_id>/role")
@reauthentication_for(Action.MANAGE_PEOPLE)
@audited_action(Audited.CHANGE_ROLE)
def give_role(person_id: int) -> ResponseReturnValue:
    """Give somebody a role, or none. Nobody takes their own away, as nobody else may be left to give it back."""
    user, form = find_person(person_id, in_use=True), RoleForm()
    if not accepted(form):
        return person_page(user, role=form), 422
    try:
        with audited(_target(user), about=user) as entry:
            if user.id == signed_in_user().id:
                raise PermissionError(YOURSELF)
            entry.before, entry.after = user.role or NO_ROLE, form.role.data
            if not change_role(user, form.chosen, keeps_an_admin=True):
                raise Unchanged("That’s the role already.")
    except CannotHaveRole:
        return person_page(user, problem="A guest can’t have a role: it needs a password."), 422
    except CannotLose:
        return person_page(user, problem=LAST_ADMIN), 422
    except (PermissionError, Unchanged) as error:
        return _refused(user, error)
    record(Event.ROLE_CHANGED, user, role=form.role.data)
    flash(f"{user.username} now has {'no role' if form.chosen is None else f'the role {form.role.data}'}.")
    return _back(user)


def _target(user: User) -> str:
    return f"person {user.id}"


def _refused(user: User, error: Exception) -> ResponseReturnValue:
    return person_page(find_person(user.id), problem=str(error)), 422


def _back(user: User) -> ResponseReturnValue:
    return redirect(url_for("desk.person", person_id=user.id), 303)
