"""Renaming: an account gets another user name, and the one before leads on to it for a while."""

from peewee import IntegrityError

from webapp.db import database
from webapp.lib.normalization import compatible
from webapp.models.account_mail import AccountMail
from webapp.models.former_name import LEADS_ON, FormerName
from webapp.models.profile_changes import count_profile_change
from webapp.models.rate_count import Limit, RateCount
from webapp.models.user import User
from webapp.models.user_registration import TAKEN
from webapp.models.usernames import UsernameTaken, skeleton, username_key

DAYS = 30
MOST = 3  # changes in so many days
CHANGES = Limit(MOST, DAYS * 24 * 3600)


def rename(user: User, username: str) -> bool:
    """Give an account another name, and tell its owner by mail; returns whether it had another one before.

    `username` must be one that `username_key` knows. Their own former names are free to them, and so is the same name
    in another case, which needs nothing to lead on. `user` then has the new name. Raises UsernameTaken as
    `User.register` does, also when two requests race for a name, and TooMany beyond MOST changes in DAYS.
    """
    shown, key = compatible(username).strip(), username_key(username)
    try:
        with database.atomic():
            User.hold_to_write_keys(user.id)
            before = User.get_by_id(user.id)
            is_other = before.username != shown
            if is_other:
                _rename(before, shown, key)
    except IntegrityError as error:
        raise UsernameTaken(TAKEN) from error
    user.username, user.username_key, user.skeleton = shown, key, skeleton(key)
    return is_other


def _rename(before: User, shown: str, key: str) -> None:
    """Under `User.hold_to_write_keys`."""
    User.demand_free(key, unless_of=before.id)
    RateCount.count([CHANGES], "name changes", str(before.id))
    if key != before.username_key:
        FormerName.take_back(before.id, key)
        FormerName.give_up(before.id, before.username_key)
    names = {User.username: shown, User.username_key: key, User.skeleton: skeleton(key)}
    User.update(names).where(User.id == before.id).execute()
    # A name that is the same but for its case leads on by itself.
    days = LEADS_ON.days if key != before.username_key else 0
    AccountMail.tell(before, "username_changed", before=before.username, now=shown, days=days)
    count_profile_change(before.id)
