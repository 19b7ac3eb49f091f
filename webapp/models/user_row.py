"""UserRow: the columns of an account, and what can be read from them."""

from typing import TYPE_CHECKING

from peewee import SQL, AutoField, BigIntegerField, BooleanField, CharField, DateTimeField, IntegerField, JSONField

from webapp.db import BaseModel
from webapp.db.traits import Trait
from webapp.lib.times import utcnow

DELETED = "a deleted account"


class UserRow(BaseModel):
    """A row of `users`. `User` and its traits have what changes it."""

    id = AutoField()
    username = CharField(max_length=30, unique=True)
    username_key = CharField(max_length=30, unique=True, help_text="the user name in lower case: Ann is ann")
    skeleton = CharField(max_length=30, null=True, index=True, help_text="the key without separators: ann_ is like ann")
    email = CharField(
        max_length=254,
        default="",
        help_text="where they may be mailed; empty until they have given one and confirmed it",
    )
    email_confirmed_at = DateTimeField(null=True)
    email_grace_ends_at = DateTimeField(
        null=True, help_text="until when an address may be used that nobody has confirmed, since the release before did"
    )
    role = CharField(max_length=10, null=True, help_text="in ROLES; null for most people")
    totp_secret = CharField(max_length=255, null=True, help_text="encrypted; null without a second factor")
    totp_last_step = IntegerField(null=True, help_text="the latest time step of which a code was used")
    password_hash = CharField(max_length=255, default="")
    session_key = CharField(max_length=43, unique=True, help_text="a new one, as of a new password, ends all sessions")
    about = CharField(max_length=500, default="")
    network_group = IntegerField(
        null=True, help_text="of a guest: a digest below 0 of the network they came from, by a key; null otherwise"
    )
    time_zone = CharField(max_length=64, default="UTC")
    created_at = DateTimeField(default=utcnow)
    seen_at = DateTimeField(default=utcnow)
    hides_seen = BooleanField(
        default=False, constraints=[SQL("DEFAULT FALSE")], help_text="others do not learn when they were last here"
    )
    picture_version = CharField(max_length=22, null=True, help_text="of their `Picture`; null without one")
    mail_after = IntegerField(
        null=True, help_text="an earlier release's setting, see `channel_of`; null once they choose"
    )
    hearing = JSONField(null=True, help_text="for each kind of notification, the name of its channel in CHANNELS")
    blocks_since = DateTimeField(null=True, help_text="since when they block others, see `Block`; null if nobody")
    counted_before = BigIntegerField(
        column_name="changes", default=0, help_text="by a release from before 0026; `change_counts` has it, too"
    )
    deletion_due_at = DateTimeField(null=True, help_text="of an account that is deleted, or is to be, see `Deletion`")
    suspended_at = DateTimeField(null=True, help_text="since when nobody may use the account, see `Suspension`")
    own_quotas = JSONField(null=True, help_text="by name, those that are other than everybody's, see `quota_override`")

    # Flask-Login's interface.
    is_authenticated = True
    is_active = True
    is_anonymous = False

    class Meta:
        table_name = "users"

    def get_id(self) -> str:
        """What a session of the release before stores alone, and ours beside a key of its own."""
        return self.session_key

    @property
    def must_confirm_email(self) -> bool:
        """Whether their address is one of before, which may be used only until its grace ends."""
        return bool(self.email) and self.email_confirmed_at is None

    @property
    def is_guest(self) -> bool:
        """Whether the account has no password: it can be used as long as this browser's session lasts."""
        return not self.password_hash

    @property
    def queue_group(self) -> int | None:
        """With whom they take turns in the fair queue: guests who came from one network do so as one person."""
        return self.network_group if self.is_guest else None

    @property
    def is_deleted(self) -> bool:
        """Whether its owner had it deleted: others see what they have of it as from DELETED, without a name."""
        return self.deletion_due_at is not None

    @property
    def is_suspended(self) -> bool:
        """Whether nobody may use the account until an operator says otherwise."""
        return self.suspended_at is not None

    @property
    def shown_name(self) -> str:
        """What others call this person."""
        return DELETED if self.is_deleted else self.username

    @property
    def has_second_factor(self) -> bool:
        """Whether a password alone does not sign in to the account, see `SecondFactor`."""
        return bool(self.totp_secret)


if TYPE_CHECKING:
    UserTrait = UserRow
else:
    UserTrait = Trait
