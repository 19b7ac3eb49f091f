"""The second step of signing in, and proving once more who one is."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required

from webapp.web.auth import signed_in_user
from webapp.web.forms.second_factor import WRONG_CODE, WRONG_RECOVERY_CODE, CodeForm, ProofForm
from webapp.web.half_sign_in import HalfSignIn
from webapp.web.reauthentication import accept_code, prove
from webapp.web.recovery_words import tell_of_codes_left
from webapp.web.redirects import local_url, redirect_to_next
from webapp.web.returning import come_in, name_of
from webapp.web.routes.accounts.blueprint import bp

OVER = "That took too long, or your account has changed. Please enter your password again."


@bp.route("/login/code", methods=["GET", "POST"])
def login_code() -> ResponseReturnValue:
    """After the right password, ask for a code of the authenticator app or for a recovery code, and sign in."""
    half = HalfSignIn.of_this_browser()
    if half is None:
        return _start_again()
    form, by_recovery = CodeForm(), request.args.get("by") == "recovery"
    if form.validate_on_submit():
        proof = accept_code(half.user, form.code.data)
        if proof and not half.finish():
            return _start_again()
        if proof:
            answer = come_in(half.user)
            tell_of_codes_left(half.user, proof)
            return answer
        form.code.errors = [WRONG_RECOVERY_CODE if by_recovery else WRONG_CODE]
    context = {"form": form, "account_name": name_of(half.user), "by_recovery": by_recovery, "next": _next()}
    page = render_template("accounts/login_code.html", **context)
    answer = make_response(page, 422 if form.is_submitted() else 200)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.route("/reauthentication", methods=["GET", "POST"])
@login_required
def reauthenticate() -> ResponseReturnValue:
    """Ask for the password, and for a code where there is a second factor, and go on to where one was going."""
    user = signed_in_user()
    if user.is_guest:
        return redirect_to_next()  # who has no password has nothing to prove
    form = ProofForm(user)
    if form.validate_on_submit() and (proof := prove(form)):
        if user.has_second_factor:
            tell_of_codes_left(user, proof)
        return redirect_to_next()
    page = render_template("accounts/reauthenticate.html", form=form)
    return page, 422 if form.is_submitted() else 200


def _start_again() -> ResponseReturnValue:
    is_in = current_user.is_authenticated and not current_user.is_guest  # by an earlier press, or in another tab
    if request.method == "POST" and not is_in:
        flash(OVER)
    return redirect(url_for("accounts.login", next=_next()), 303)


def _next() -> str | None:
    return local_url(request.args.get("next"))
