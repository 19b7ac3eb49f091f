"""What a person gets of their account itself."""

from collections.abc import Mapping

from peewee import Model

from tasks.lib.exported.reasons import INNER, SECRET, YOURS
from tasks.lib.exported.row import Column, Excused, Exported, Row
from webapp.models import AccountMail, ApiToken, EmailChange, RecoveryCode, Session, Suspension, User

ROWS: Mapping[type[Model], Row] = {
    User: Exported(
        file="account.json",
        title="your account",
        is_one=True,
        of=lambda user: [User.select().where(User.id == user.id)],
        columns={
            "id": Column("the number of your account"),
            "username": Column("your username"),
            "username_key": Excused("It is your username in lower case."),
            "skeleton": Excused("It is your username without dots and dashes, to refuse lookalikes."),
            "email": Column("your confirmed email address; empty if there is none"),
            "email_confirmed_at": Column("when you confirmed it"),
            "email_grace_ends_at": Column("until when an address counts that you haven't confirmed"),
            "network_group": INNER,
            "role": Column("your role on this site; null for most people"),
            "totp_secret": SECRET,
            "totp_last_step": INNER,
            "password_hash": SECRET,
            "session_key": SECRET,
            "about": Column("what your profile says about you"),
            "time_zone": Column("the time zone in which pages show you times"),
            "created_at": Column("when the account was created"),
            "seen_at": Column("when you were last here, to the minute"),
            "mail_after": Column("the minutes after which you wanted emails, if you chose that long ago"),
            "blocks_since": Column("since when you have blocked anybody; null if you block nobody"),
            "deletion_due_at": INNER,
            "suspended_at": Column("since when the account is suspended; null if it isn't"),
            "own_quotas": Column("limits that are other ones for you than for everybody; null if there are none"),
            "hides_seen": Column("whether your profile keeps to itself when you were last here"),
            "picture_version": INNER,
            "hearing": Column("how you want to hear of each kind of news; null if you chose nothing"),
            "counted_before": INNER,
        },
        more={
            "has_password": Column(
                "whether it has a password; a guest's has none", value=lambda user: not user.is_guest
            ),
            "has_two_factor_authentication": Column(
                "whether two-factor authentication is on", value=lambda user: user.has_second_factor
            ),
        },
    ),
    Suspension: Exported(
        file="suspensions.json",
        title="why your account is suspended, or was until a moment ago",
        of=lambda user: [Suspension.select().where(Suspension.user == user.id)],
        columns={
            "id": Column("the number of the suspension"),
            "user": YOURS,
            "reason": Column("why, in the words of whoever runs the site"),
            "suspended_at": Column("when it began"),
            "lifted_at": Column("when it was lifted; null if it wasn't"),
            "settled_at": INNER,
        },
    ),
    Session: Exported(
        file="sessions.json",
        title="your sessions",
        words="Where you're signed in, and were in the last 90 days.",
        of=lambda user: [
            Session.select().where(Session.user == user.id, Session.account_key != "").order_by(Session.id)
        ],
        columns={
            "id": Column("the number of the session"),
            "user": YOURS,
            "key_hash": SECRET,
            "account_key": SECRET,
            "created_at": Column("when you signed in"),
            "authenticated_at": Column("when you last entered your password in it"),
            "seen_at": Column("when it was last used, to the minute"),
            "ends_at": Column("when it ended, or will end unless it is used before; a guest's doesn't end"),
            "browser": Column("the browser, in words"),
            "network": Column("the beginning of its network address; the rest isn't kept"),
        },
    ),
    ApiToken: Exported(
        file="api_tokens.json",
        title="your API tokens",
        words="Not the tokens: each was shown to you once, and is stored as a fingerprint only.",
        of=lambda user: [ApiToken.visible_to(user).order_by(ApiToken.id)],
        columns={
            "id": Column("the number of the token"),
            "user": YOURS,
            "name": Column("the name that you gave it"),
            "token_hash": SECRET,
            "last_four": Column("its last four characters"),
            "scope": Column("what it may do"),
            "created_at": Column("when you made it"),
            "expires_at": Column("when it expired, will expire, or was revoked"),
            "last_used_at": Column("when it was last used, to 5 minutes; null if it never was"),
            "last_network": Column("the beginning of the network address of that use; the rest isn't kept"),
            "revoked_at": Column("when it was revoked; null if it wasn't"),
            "reminded_at": INNER,
        },
    ),
    EmailChange: Exported(
        file="email_changes.json",
        title="changes of your email address",
        of=lambda user: [EmailChange.select().where(EmailChange.user == user.id).order_by(EmailChange.id)],
        columns={
            "id": Column("the number of the change"),
            "user": YOURS,
            "nonce": SECRET,
            "old_address": Column("your address before"),
            "address": Column("the address that you asked for; empty if you removed yours"),
            "requested_at": Column("when you asked for it"),
            "sent_at": Column("when the latest link was sent to it"),
            "settled_at": Column("when it was decided, one way or another"),
            "confirmed_at": Column("when you confirmed it"),
            "undone_at": Column("when it was undone"),
        },
        more={
            "state": Column("pending, expired, replaced, confirmed or undone", value=lambda change: change.state),
        },
    ),
    RecoveryCode: Exported(
        file="recovery_codes.json",
        title="when your recovery codes were made and used",
        words="Not the codes: those were shown to you once, and are stored as fingerprints only.",
        of=lambda user: [RecoveryCode.select().where(RecoveryCode.user == user.id).order_by(RecoveryCode.id)],
        columns={
            "id": Column("the number of the code"),
            "user": YOURS,
            "salt": SECRET,
            "code_hash": SECRET,
            "created_at": Column("when it was made"),
            "used_at": Column("when it was used; null if it wasn't"),
        },
    ),
    AccountMail: Exported(
        file="account_mails.json",
        title="emails about your account that wait to be sent",
        of=lambda user: [AccountMail.select().where(AccountMail.user == user.id).order_by(AccountMail.id)],
        columns={
            "id": Column("the number of the email"),
            "user": YOURS,
            "address": Column("your address that it goes to"),
            "kind": Column("what it is about"),
            "arguments": INNER,
            "created_at": Column("when that happened"),
            "mail_key": INNER,
            "tries": INNER,
            "network": INNER,
        },
    ),
}
