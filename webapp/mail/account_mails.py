"""The mails about accounts: the one table of their kinds. What they say is in `templates/email/account/`.

A kind is a row here and its two templates; what happens puts it into the outbox in its transaction:

    AccountMail.put("password_changed", user.email, user)
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app

from webapp.mail.confirmation_links import link_to_confirm, link_to_keep, link_to_undo
from webapp.mail.outgoing import OutgoingMail
from webapp.mail.rendering import render
from webapp.mail.token_mails import about_expiring, about_token, live_of
from webapp.models import AccountMail
from webapp.models.deletion import REQUESTED_MAIL
from webapp.models.password_reset import LASTS, may_be_reset, reset_token
from webapp.models.permissions import needs_second_factor
from webapp.models.suspension import REINSTATED_MAIL, SUSPENDED_MAIL

Context = Mapping[str, Any]


@dataclass(frozen=True)
class AccountMailKind:
    """A row of ACCOUNT_MAILS.

    `subject` may have `{app}` in it, and nothing that anybody typed. `context` is what the templates get besides
    `user` and `mail`, made as it is sent; None if by then there is nothing to say, and then it is not sent.
    """

    subject: str
    context: Callable[[AccountMail], Context | None] = lambda _: {}


def _of_new_browser(mail: AccountMail) -> Context:
    return dict(mail.arguments, at=datetime.fromisoformat(mail.arguments["at"]).replace(tzinfo=None))


def _role_context(mail: AccountMail) -> Context:
    return {"role": mail.arguments["role"], "lacks_second_factor": needs_second_factor(mail.user)}


def _reset_link(mail: AccountMail) -> Context | None:
    """The token of a link by which the account gets a new password, while the address is still its own."""
    user = mail.user
    if user is None or user.email != mail.address or not may_be_reset(user):
        return None
    return {"token": reset_token(user, current_app.config["SECRET_KEYS"]), "minutes": LASTS.seconds // 60}


ACCOUNT_MAILS: dict[str, AccountMailKind] = {
    "new_browser": AccountMailKind("New sign-in to your {app} account", _of_new_browser),
    "role_changed": AccountMailKind("Your {app} role was changed", _role_context),
    SUSPENDED_MAIL: AccountMailKind("Your {app} account is suspended", lambda mail: mail.arguments),
    REINSTATED_MAIL: AccountMailKind("You can use your {app} account again"),
    "second_factor_on": AccountMailKind("Two-factor authentication is on for your {app} account"),
    "second_factor_off": AccountMailKind("Two-factor authentication is off for your {app} account"),
    "recovery_code_used": AccountMailKind("A recovery code was used for your {app} account"),
    "recovery_codes_new": AccountMailKind("Your {app} account has new recovery codes"),
    "second_factor_guessed": AccountMailKind("Someone may have your {app} password"),
    "username_changed": AccountMailKind("Your {app} username was changed", lambda mail: mail.arguments),
    "data_asked": AccountMailKind("Someone asked for a copy of your {app} data"),
    "password_changed": AccountMailKind("Your {app} password was changed", lambda mail: {"tokens": live_of(mail)}),
    "token_made": AccountMailKind("A token was made for your {app} account", about_token),
    "token_found": AccountMailKind("Someone found a token of your {app} account", about_token),
    "tokens_expire": AccountMailKind("A token of your {app} account expires soon", about_expiring),
    "reset_password": AccountMailKind("Set a new {app} password", _reset_link),
    "confirm_address": AccountMailKind("Confirm your email address for {app}", link_to_confirm),
    "address_changed": AccountMailKind("Your {app} email address was changed", link_to_undo),
    REQUESTED_MAIL: AccountMailKind("Your {app} account is to be deleted", link_to_keep),
    "address_restored": AccountMailKind("Your {app} email address was changed back"),
}


def content_of(mail: AccountMail) -> OutgoingMail | None:
    """What is to be sent; None if nothing is. Needs an app context.

    Without BASE_URL nothing is, as most of these are of no use without their link. Raises KeyError for a kind that is
    not in ACCOUNT_MAILS: only a later release has it.
    """
    kind = ACCOUNT_MAILS[mail.kind]
    context = kind.context(mail) if current_app.config["BASE_URL"] else None
    if context is None:
        return None
    subject = kind.subject.format(app=current_app.config["SETTINGS"].app_name)
    return OutgoingMail(subject, *render(f"account/{mail.kind}", user=mail.user, mail=mail, **context))
