"""Where the links to unsubscribe lead. They work for whoever has them, signed in or not, and touch no session.

Programs that check mail open links, so a link only leads to a question. Mail programs that offer a button of their own
send one request without a cookie (RFC 8058), so these forms have no CSRF token: the link itself is the secret.
"""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.mail.unsubscribing import PATH, Subscription, subscription_of
from webapp.models import Suppression
from webapp.models.mailing.suppression import Reason
from webapp.web.auth import csrf
from webapp.web.rate_limits import limiter
from webapp.web.security import keep_secret

# A mail provider sends the presses of all its people from a few addresses, within minutes of a mail to many.
PER_NETWORK = "600 per minute"
ONE_CLICK = "List-Unsubscribe"  # the field that mail programs send
SCOPES = ("sender", "site")

bp = Blueprint("unsubscribe", __name__, url_prefix=f"/{PATH}")
bp.after_request(keep_secret)


@bp.get("/<unsubscribe_token>")
def show(unsubscribe_token: str) -> ResponseReturnValue:
    """Ask whom an address is not to hear from any more; or say what it gets. Two queries, and none for no link."""
    subscription = subscription_of(unsubscribe_token)
    if subscription is None:
        return render_template("unsubscribe/unknown.html"), 404
    sender = subscription.sender if subscription.sender and not subscription.sender.is_deleted else None
    of_sender, of_site = Suppression.standing(sender.id if sender else None, subscription.address)
    return render_template(
        "unsubscribe/show.html", address=subscription.address, sender=sender, of_sender=of_sender, of_site=of_site
    )


@bp.post("/<unsubscribe_token>")
@csrf.exempt
@limiter.limit(PER_NETWORK)
def change(unsubscribe_token: str) -> ResponseReturnValue:
    """Unsubscribe from the sender or from everybody here, or subscribe again. Twice is once."""
    subscription = subscription_of(unsubscribe_token)
    if subscription is None:
        return render_template("unsubscribe/unknown.html"), 404
    if ONE_CLICK in request.form:
        _unsubscribe(subscription, "sender")
        return "Unsubscribed.\n", 200, {"Content-Type": "text/plain; charset=utf-8"}
    if (scope := request.form.get("from")) in SCOPES:
        _unsubscribe(subscription, scope)
    elif (scope := request.form.get("again")) in SCOPES:
        _subscribe_again(subscription, scope)
    return redirect(url_for("unsubscribe.show", unsubscribe_token=unsubscribe_token), 303)


def _unsubscribe(subscription: Subscription, scope: str) -> None:
    """From the sender, who is nobody to be unsubscribed from once the account is gone; or from the whole site."""
    if scope == "site":
        Suppression.add(None, [subscription.address], Reason.UNSUBSCRIBED)
    elif subscription.sender:
        Suppression.add(subscription.sender.id, [subscription.address], Reason.UNSUBSCRIBED)


def _subscribe_again(subscription: Subscription, scope: str) -> None:
    if scope == "site":
        Suppression.remove(None, subscription.address, [Reason.UNSUBSCRIBED])
    elif subscription.sender:
        Suppression.remove(subscription.sender.id, subscription.address, [Reason.UNSUBSCRIBED])
