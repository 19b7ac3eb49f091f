"""API tokens: what there are, a new one, which is shown once, and how one is revoked."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from limits import parse_many

from webapp.models import ApiToken, OverQuota, User
from webapp.models.scopes import SCOPES
from webapp.models.second_factor import Sealed
from webapp.web import over_quota
from webapp.web.auth import signed_in_user
from webapp.web.forms.tokens import TokenForm
from webapp.web.rate_limits import count
from webapp.web.reauthentication import reauthentication_required
from webapp.web.routes.settings.blueprint import bp
from webapp.web.security_log import Event, record
from webapp.web.shown_once import keep_shown, kept_shown

NEW_TOKENS = parse_many("30 per hour")  # of an account: each is told by mail, and kept for a while after its end
MOST_LISTED = 100  # more than anybody may have that are live, unless that is unlimited


@bp.get("/tokens")
def show_tokens() -> ResponseReturnValue:
    """The live ones, those that have ended lately, and in the browser that has just made one, that. One query."""
    user = signed_in_user()
    return _page(user, TokenForm(user))


@bp.post("/tokens")
@reauthentication_required
def make_token() -> ResponseReturnValue:
    """Make one, which this browser may see for a while; its owner is told by mail. Raises TooManyRequests."""
    user = signed_in_user()
    form = TokenForm(user)
    if user.is_guest:
        return redirect(url_for("settings.show_tokens"), 303)  # which says why not
    if not form.validate_on_submit():
        return _page(user, form), 422
    count(NEW_TOKENS, "new token", str(user.id))
    try:
        token, text = ApiToken.issue(user, form.name.data or "", form.chosen, form.expires_at)
    except OverQuota as error:
        form.form_errors.append(error.words())
        return over_quota.page(error, _page(user, form))
    keep_shown(user, Sealed.TOKEN, [str(token.id), text])
    record(Event.TOKEN_MADE, user, token_id=token.id)
    return redirect(url_for("settings.show_tokens"), 303)


@bp.post("/tokens/copied")
def forget_token() -> ResponseReturnValue:
    """The new one is kept elsewhere now, and not shown again."""
    keep_shown(signed_in_user(), Sealed.TOKEN, [])
    return redirect(url_for("settings.show_tokens"), 303)


@bp.post("/tokens/<int:token_id>/revocation")
def revoke_token(token_id: int) -> ResponseReturnValue:
    """Let one be of no use from now on. It asks for no password: one that has leaked cannot be revoked too soon."""
    user = signed_in_user()
    token = ApiToken.find(user, token_id) or abort(404)
    if token.revoke():
        record(Event.TOKEN_REVOKED, user, token_id=token.id)
        flash(f"Token revoked: {token.name}.")
    else:
        flash("That token had already ended.")
    return redirect(url_for("settings.show_tokens"), 303)


def _page(user: User, form: TokenForm) -> str:
    if user.is_guest:
        return render_template("settings/no_tokens.html")
    tokens = ApiToken.of(user, MOST_LISTED + 1)
    made, text = (*kept_shown(user, Sealed.TOKEN), "", "")[:2]
    return render_template(
        "settings/tokens.html",
        form=form,
        tokens=tokens[:MOST_LISTED],
        are_more=len(tokens) > MOST_LISTED,
        made=next((token for token in tokens if str(token.id) == made and token.is_live), None),
        text=text,
        scope_rows=SCOPES,
    )
