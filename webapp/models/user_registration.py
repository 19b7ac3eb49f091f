"""UserRegistration: how accounts come to be, and which names are free for them."""

from collections.abc import Callable
from typing import Self

from peewee import IntegrityError

from webapp.db import database
from webapp.lib.normalization import compatible
from webapp.lib.quota_variables import Quota
from webapp.models.former_name import FormerName
from webapp.models.passwords import hash_password
from webapp.models.quotas import demand_left, use
from webapp.models.user_passwords import new_session_key
from webapp.models.user_row import UserRow, UserTrait
from webapp.models.usernames import UsernameTaken, guest_name, is_reserved, skeleton, username_key

GUEST_NAMES = 20  # random names to try

TAKEN = "That username is taken."
TOO_SIMILAR = "That username is too similar to someone else’s."


class UserRegistration(UserTrait):
    """The beginning of a `User`."""

    @classmethod
    def register(
        cls,
        username: str,
        password: str = "",
        also: Callable[[Self], object] | None = None,
        network: str = "",
        **fields: object,
    ) -> Self:
        """Create an account, with further `fields`; without a password it is a guest's.

        `username` must be one that `username_key` knows. `also` is called with the account in the same transaction,
        for what is to be there with it or not at all. Raises UsernameTaken, also when two requests race for a name.
        Hashing costs 0.25 s by design, unless the name is refused. Raises HashingBusy, and OverQuota where the site has
        had as many as it takes, or as many from the `network` that somebody comes from: no single one takes them all.
        """
        key = username_key(username)
        user = cls(username=compatible(username).strip(), username_key=key, session_key=new_session_key(), **fields)
        user.skeleton = skeleton(key)
        if password:
            cls.demand_free(key)
            demand_left(Quota.NETWORK_ACCOUNTS, network=network)
            demand_left(Quota.SITE_ACCOUNTS)
            user.password_hash = hash_password(password)
        try:
            with database.atomic():
                cls.demand_free(key)
                user.save(force_insert=True)
                if also:
                    also(user)
                use(Quota.NETWORK_ACCOUNTS, network=network)
                use(Quota.SITE_ACCOUNTS)  # last, as all who register wait for this count
        except IntegrityError as error:
            raise UsernameTaken(TAKEN) from error
        return user

    @classmethod
    def demand_free(cls, key: str, unless_of: int = 0) -> None:
        """Raise UsernameTaken if the name of this key is reserved, taken, or too similar to one that is.

        Former names are taken for as long as they lead on. What the account `unless_of` has or had stands in nobody's
        way. At most one query, so that a name that is being given up meanwhile is found in one table or in the other.
        """
        if is_reserved(key):
            raise UsernameTaken("That username is reserved.")
        named = UserRow.select(UserRow.username_key).where(UserRow.skeleton == skeleton(key), UserRow.id != unless_of)
        former = FormerName.select(FormerName.key).where(FormerName.skeleton == skeleton(key), FormerName.leads_on())
        alike = {name for (name,) in named.union_all(former.where(FormerName.user != unless_of)).tuples()}
        if alike:
            raise UsernameTaken(TAKEN if key in alike else TOO_SIMILAR)

    @classmethod
    def register_guest(cls, network_group: int | None = None, network: str = "") -> Self:
        """Create an account with a random name that is free. Guests of one `network_group` share turns in the queue.

        Raises UsernameTaken after GUEST_NAMES that are not: with millions of names, something else is wrong.
        """
        for turn in range(GUEST_NAMES):
            try:
                return cls.register(guest_name(), network=network, network_group=network_group)
            except UsernameTaken:
                if turn == GUEST_NAMES - 1:
                    raise
        raise AssertionError("a range has a last turn")
