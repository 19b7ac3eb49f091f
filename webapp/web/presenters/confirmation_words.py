"""What the pages behind the links about addresses say: what they ask, and what has become of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from webapp.mail.confirmation_links import Purpose
from webapp.models import ChangeState, EmailChange
from webapp.models.email_change import LINK_LASTS, UNDO_LASTS


@dataclass(frozen=True)
class Question:
    """A page with a button. `sentences` may have `{address}` and `{username}` in it."""

    heading: str
    sentences: str
    button: str
    otherwise: str


@dataclass(frozen=True)
class Outcome:
    """A page without one, which leads to an endpoint. Its status is that of the answer."""

    heading: str
    sentences: str
    endpoint: str = "settings.show"
    link: str = "Settings"
    status: int = 200


ASKED = {
    Purpose.CONFIRM: Question(
        "Confirm your email address",
        "Is {address} your address, and {username} your account here? Once you confirm it, we’ll email you there.",
        "Confirm this address",
        "If not, close this page. We use the address only if you confirm it.",
    ),
    Purpose.UNDO: Question(
        "Undo the change of your email address?",
        "{address} will be the address of the account {username} again. Everyone who signed in to it with its password"
        " will be signed out. Then set a new password: someone else may know the current one.",
        "Undo the change",
        "If it was you who changed it, close this page.",
    ),
}
UNREADABLE = Outcome(
    "This link doesn’t work",
    "Part of it may be missing, so copy all of it from the email. Or it’s too old, or the account is gone.",
    status=404,
)
USELESS = Outcome(
    "This link is no longer needed",
    "Another address has been chosen since, or the request was canceled. You’ll find your address in Settings.",
    status=410,
)
CONFIRMED = Outcome("Your email address is confirmed", "From now on, we’ll email {username} at {address}.")
OUTCOMES: Mapping[ChangeState, Outcome] = {
    ChangeState.EXPIRED: Outcome(
        "This link has expired",
        f"Links work for {LINK_LASTS.days} days. You can ask for a new one in Settings.",
        status=410,
    ),
    ChangeState.REPLACED: USELESS,
    ChangeState.UNDONE: Outcome(
        "This change was undone",
        "{username} has the earlier address again. If that’s wrong, sign in, set a new password, and change the address"
        " once more.",
        status=410,
    ),
}
RESTORED = Outcome(
    "The change is undone",
    "{address} is the address of {username} again, and everyone has been signed out. Now sign in and set a new password"
    " in Settings: someone else may know the current one. If yours doesn’t work, choose “Forgot your password?” there.",
    link="Sign in",
)
RESTORED_TO_GUEST = Outcome(
    "The change is undone",
    "{address} is the address of {username} again. That account has no password yet: set one in Settings to keep it.",
)
UNDONE_BEFORE = Outcome("This change was undone before", "{username} has an earlier address again.", status=410)
TOO_LATE = Outcome(
    "It’s too late to undo this",
    f"A change can be undone for {UNDO_LASTS.days} days. If you can still sign in, change the address in Settings."
    " If not, ask whoever runs this site for help.",
    status=410,
)

KEPT = Outcome(
    "Your account is kept",
    "{username} is visible again. Now sign in. If it wasn’t you who had it deleted, set a new password in Settings at"
    " once. If yours doesn’t work, choose “Forgot your password?”.",
    link="Sign in",
)
NOT_KEPT = Outcome(
    "There’s nothing to keep anymore",
    "The account is kept already, or it’s too late and the account is gone. Or a part of this link is missing: copy all"
    " of it from the email.",
    endpoint="accounts.login",
    link="Sign in",
    status=410,
)
LEAVING = Outcome(
    "The account is to be deleted",
    "So its address can’t be changed. The email about that has a link by which the account is kept; open this one after"
    " that.",
    status=410,
)


def outcome_of(change: EmailChange | None) -> Outcome:
    """What has become of an address whose link was opened, other than that it is to be confirmed."""
    if change is None:
        return UNREADABLE
    if change.state == ChangeState.CONFIRMED:
        return CONFIRMED if change.user.email == change.address else USELESS
    return OUTCOMES[change.state]


def undo_outcome_of(change: EmailChange | None) -> Outcome:
    """What has become of a change whose link to undo it was opened, other than that it can be undone."""
    if change is None:
        return UNREADABLE
    if change.user.is_deleted:
        return LEAVING
    if change.undone_at is None:
        return TOO_LATE
    if change.user.email != change.old_address:
        return UNDONE_BEFORE
    return RESTORED_TO_GUEST if change.user.is_guest else RESTORED
