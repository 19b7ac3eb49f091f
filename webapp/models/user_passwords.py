"""UserPasswords: the password of an account."""

import secrets

from webapp.db import database, locking
from webapp.db.resilience import writing_if_free
from webapp.models.passwords import HashingBusy, hash_password, is_password
from webapp.models.session import Session
from webapp.models.user_row import UserRow, UserTrait


class UserPasswords(UserTrait):
    """The password of a `User`."""

    def has_password(self, password: str) -> bool:
        """Whether that is the account's password, however its letters are encoded; never true for a guest.

        Costs 0.25 s by design. Raises HashingBusy.
        """
        return bool(self.password_hash) and is_password(self.password_hash, password)

    def set_password(self, password: str) -> None:
        """Store a new password, and end all sessions of this account, including the current one. Raises HashingBusy."""
        self.store_password_hash(hash_password(password))

    def store_password_hash(self, password_hash: str, *, instead_of: str | None = None) -> bool:
        """Store what `hash_password` made of a new password, and end all sessions of this account.

        Returns whether; not for an account that is deleted. Where it comes `instead_of` a hash, not if another one is
        stored by now, or another address than when this account was read.
        """
        new = {UserRow.password_hash: password_hash, UserRow.session_key: new_session_key()}
        own_turns = {UserRow.network_group: None}  # whatever network they came from as a guest
        is_theirs = (UserRow.id == self.id) & UserRow.deletion_due_at.is_null()
        if instead_of is not None:
            is_theirs &= (UserRow.password_hash == instead_of) & (UserRow.email == self.email)
        with database.atomic():
            if not UserRow.update(new | own_turns).where(is_theirs).execute():
                return False
            self.password_hash, self.session_key = password_hash, str(new[UserRow.session_key])
            Session.end_rows(self)
        return True

    def hash_again(self, password: str) -> None:
        """Store the same password at the costs of today, unless it was changed meanwhile, or would have to wait.

        No session ends by that. What is bound to the hash, as the links for a forgotten password are, is of no use
        afterwards: whoever has just signed in needs none.
        """
        before = self.password_hash
        try:
            after = hash_password(password)
        except HashingBusy:
            return  # at another sign-in
        with writing_if_free():
            is_it = (UserRow.id == self.id) & (UserRow.password_hash == before)
            free = locking(UserRow.select(UserRow.id).where(is_it), skip_locked=True)
            if UserRow.update(password_hash=after).where(is_it, UserRow.id.in_(free)).execute():
                self.password_hash = after


def new_session_key() -> str:
    """An unguessable key for one account's sessions."""
    return secrets.token_urlsafe(32)
