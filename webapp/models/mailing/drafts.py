"""Drafts: a mail while it is being written.

A person has one draft of a new mail, and at most one of the changes to each mail that is scheduled. Their programs have
up to MOST_BY_PROGRAMS besides, so that none writes into what is open in a browser.
"""

from typing import Any, Self

from peewee import IntegrityError

from webapp.db import database
from webapp.models.mailing.attachments import Attachments
from webapp.models.mailing.delivery import Delivery
from webapp.models.mailing.row import BY_PROGRAMS, WRITTEN, MailingRow
from webapp.models.quotas import OverQuota
from webapp.models.storage_count import demand_room
from webapp.models.user import User

MOST_BY_PROGRAMS = 100


class TooManyDrafts(Exception):
    """Somebody’s programs have begun MOST_BY_PROGRAMS drafts that are neither sent nor deleted."""


class Drafts(Attachments):
    """Begin, write, copy and discard a draft."""

    @classmethod
    def draft_of(cls, user: User, original: Self | None = None) -> Self | None:
        """A person's draft of a new mail, or of the changes to a scheduled one; None if they have not begun one."""
        if found := cls.get_or_none(cls.draft_key == own_draft_key(user, original)):
            found.user = user
        return found

    @classmethod
    def begin_draft(cls, user: User, original: Self | None = None) -> Self:
        """The same, begun if need be: empty, or with all that the original has. Safe for two requests at once.

        Raises OverQuota where there is no room for what the original has.
        """
        if found := cls.draft_of(user, original):
            return found
        try:
            with database.atomic():
                User.hold(user.id)
                draft = cls.create(user=user, original=original, draft_key=own_draft_key(user, original))
                if original:
                    draft._take_from(original)
        except IntegrityError:
            return cls.get(cls.draft_key == own_draft_key(user, original))
        return draft

    @classmethod
    def begin_by_program(cls, user: User, **fields: Any) -> Self:
        """Another draft, with what a program has said of it. Raises OverQuota, and TooManyDrafts. By index."""
        keys = [f"{user.id}:{BY_PROGRAMS}{number}" for number in range(MOST_BY_PROGRAMS)]
        with database.atomic():
            User.hold(user.id)
            taken = {draft.draft_key for draft in cls.select(cls.draft_key).where(cls.draft_key.in_(keys))}
            if len(taken) == len(keys):
                raise TooManyDrafts
            draft = cls(user=user, draft_key=next(key for key in keys if key not in taken), **fields)
            demand_room(user, draft.text_size)
            draft.save(force_insert=True)
            User.count_change(user.id)
        return draft

    def copy(self, replacing: bool = False, but: str = "send_at") -> bool:
        """Begin a draft of a new mail with all that this one has but its time; with that, too, if `but` is empty.

        Twice is once.

        False, and nothing changed, where there is one that has something else in it, unless that is to be replaced.
        Raises OverQuota where there is no room for it.
        """
        with database.atomic():
            User.hold(self.user_id)  # whoever else copies waits here
            draft = type(self).begin_draft(self.user)
            if draft._has_all_of(self, but):
                return True
            if not (replacing or draft.is_blank):
                return False
            draft.delete_instance()
            type(self).begin_draft(self.user)._take_from(self, but)
        return True

    @property
    def is_blank(self) -> bool:
        """Whether its writer has put nothing into it yet. One query."""
        return not (any((self.recipients, self.subject, self.body, self.send_at)) or self.files())

    def write(self, **fields: Any) -> bool:
        """Save what its writer says of it. False, and nothing saved, once it is no draft any more.

        Raises OverQuota, having saved nothing, where they have no room for a text that got longer.
        """
        size, were = self.text_size, dict(self.__data__)
        self.__data__.update(fields)
        with database.atomic():
            User.hold(self.user_id)
            try:
                demand_room(self.user, self.text_size - size)
            except OverQuota:
                self.__data__ = were  # what is tried next is compared with what is stored
                raise
            User.count_change(self.user_id)  # it stands in the list of their mails
            model = type(self)
            mine = model.id == self.id, model.draft_key.is_null(False)
            return bool(model.update(fields).where(*mine).execute())

    def _has_all_of(self, other: Self, but: str) -> bool:
        """Whether there is nothing to take from another, nor anything besides."""
        mine, others = ([(file.name, file.size) for file in mailing.files()] for mailing in (self, other))
        same = mine == others and all(getattr(self, name) == getattr(other, name) for name in WRITTEN if name != but)
        return same and not (but and getattr(self, but))

    def _take_from(self, other: Self, but: str = "") -> None:
        people = Delivery.select().where(Delivery.mailing == other.id).count()
        self.write(people=people, **{name: getattr(other, name) for name in WRITTEN if name != but})
        self.take_files_from(other)

    def discard(self) -> None:
        """Delete the draft with its files; nothing else, should it be no draft any more."""
        with database.atomic():
            User.count_change(self.user_id)
            model = type(self)
            model.delete().where(model.id == self.id, model.draft_key == self.draft_key).execute()


def own_draft_key(user: User, original: MailingRow | None = None) -> str:
    """The `draft_key` of what a person writes: a new mail, or changes to one."""
    return f"{user.id}:{original.id if original else ''}"
