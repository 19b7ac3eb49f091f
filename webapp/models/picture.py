"""Picture: how somebody looks, as others see it beside their name; and the upload that it is made of.

The web process stores what was uploaded, unopened. The worker makes the picture of it, and of each upload at most
MOST_ATTEMPTS times: a file that kills whoever opens it is given up.
"""

import re
import secrets
from datetime import timedelta

from peewee import (
    SQL,
    AutoField,
    BlobField,
    CharField,
    DateTimeField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    ModelSelect,
    TextField,
)

from tasks.engine.retention import also_purge
from webapp.db import BaseModel, database
from webapp.lib.kept_words import kept, put_into_words
from webapp.lib.phrases import Phrase, phrase
from webapp.lib.times import utcnow
from webapp.models.profile_changes import count_profile_change
from webapp.models.user import User

VERSION = re.compile("[A-Za-z0-9_-]{22}")
SIZES = LARGE, SMALL = 256, 64  # pixels, of a square
CONTENT_TYPE = "image/webp"
MOST_ATTEMPTS = 3
KEPT = timedelta(days=7)  # what went wrong with an upload
GIVEN_UP = phrase("picture.given_up", "Something went wrong while we prepared it. Try another one.")


class Picture(BaseModel):
    """The picture of a person, in two sizes. `version` names its content, and is part of its address."""

    id = AutoField()
    user = ForeignKeyField(User, unique=True, on_delete="CASCADE", backref="+")
    version = CharField(max_length=22, unique=True)
    large = BlobField()
    small = BlobField()
    made_at = DateTimeField(default=utcnow)

    class Meta:
        table_name = "pictures"

    @classmethod
    def find(cls, version: str, size: int) -> bytes | None:
        """The content of a version in one of SIZES; None once there is another one, or none.

        Nor is there one of an account that is to be deleted. At most one query.
        """
        if not VERSION.fullmatch(version):
            return None
        column = cls.small if size == SMALL else cls.large
        there = User.deletion_due_at.is_null()
        found = cls.select(column).join(User).where(cls.version == version, there).scalar()
        return None if found is None else bytes(found)

    @classmethod
    def put(cls, user_id: int, large: bytes, small: bytes) -> None:
        """Give somebody this picture in place of any other, which is gone; in a transaction that holds them."""
        version = secrets.token_urlsafe(16)
        row = {cls.version: version, cls.large: large, cls.small: small, cls.made_at: utcnow()}
        cls.insert({cls.user: user_id, **row}).on_conflict(conflict_target=(cls.user,), update=row).execute()
        User.update(picture_version=version).where(User.id == user_id).execute()
        count_profile_change(user_id)

    @classmethod
    def remove(cls, user: User) -> None:
        """Take somebody's picture away, and what they have uploaded for another."""
        with database.atomic():
            User.hold(user.id)
            PictureUpload.delete().where(PictureUpload.user == user.id).execute()
            cls.delete().where(cls.user == user.id).execute()
            User.update(picture_version=None).where(User.id == user.id).execute()
            count_profile_change(user.id)


class PictureUpload(BaseModel):
    """What somebody has uploaded last to be their picture: until that is made, or else what went wrong with it.

    Rows of `of` come without `data`.
    """

    id = AutoField()
    user = ForeignKeyField(User, unique=True, on_delete="CASCADE", backref="+")
    user_id: int
    token = CharField(max_length=22, help_text="which upload it is: a later one takes the place of an earlier one")
    data = BlobField(null=True, help_text="the file; null once it has been refused")
    attempts = IntegerField(default=0, constraints=[SQL("DEFAULT 0")], help_text="how often it was begun to be opened")
    problem = TextField(null=True, help_text="why there is no picture of it, in words")
    problem_phrase = JSONField(null=True)
    sent_at = DateTimeField(default=utcnow, index=True)

    class Meta:
        table_name = "picture_uploads"

    @property
    def is_waiting(self) -> bool:
        """Whether the picture is being prepared."""
        return self.problem is None

    def __str__(self) -> str:
        return put_into_words(self.problem or "", self.problem_phrase)

    @classmethod
    def of(cls, user: User) -> "PictureUpload | None":
        """How it stands with what somebody has uploaded; None once there is nothing to say. One query."""
        shown = cls.id, cls.user, cls.token, cls.problem, cls.problem_phrase
        found: PictureUpload | None = cls.select(*shown).where(cls.user == user).first()
        return found

    @classmethod
    def put(cls, user: User, data: bytes) -> None:
        """Keep a file to make the picture of, in place of any other that waits."""
        row = {cls.token: secrets.token_urlsafe(16), cls.data: data, cls.attempts: 0, cls.sent_at: utcnow()}
        row |= {cls.problem: None, cls.problem_phrase: None}
        with database.atomic():
            User.hold(user.id)
            cls.insert({cls.user: user.id, **row}).on_conflict(conflict_target=(cls.user,), update=row).execute()
            User.count_change(user.id)

    @classmethod
    def waiting(cls, limit: int) -> "ModelSelect[User]":
        """People whose picture is to be prepared. One query, by index, which reads no file."""
        return User.select().where(User.id.in_(cls.select(cls.user).where(cls.problem.is_null()))).limit(limit)

    @classmethod
    def begin(cls, user: User) -> "PictureUpload | None":
        """Count an attempt at what somebody has uploaded, and return it with its data; None if nothing waits.

        What was begun MOST_ATTEMPTS times, and neither made nor refused, is given up.
        """
        with database.atomic():
            User.hold(user.id)
            upload = cls.get_or_none(cls.user == user, cls.problem.is_null())
            if upload is None:
                return None
            if upload.attempts >= MOST_ATTEMPTS:
                upload.refuse(GIVEN_UP())
                return None
            cls.update(attempts=cls.attempts + 1).where(cls.id == upload.id).execute()
        found: PictureUpload = upload
        return found

    def refuse(self, reason: Phrase) -> None:
        """Say why there is no picture of it, and drop the file; nothing if another one has been uploaded since."""
        text, json = kept(reason)
        said = {PictureUpload.problem: text, PictureUpload.problem_phrase: json, PictureUpload.data: None}
        with database.atomic():
            User.hold(self.user_id)
            if PictureUpload.update(said).where(*self._unchanged()).execute():
                User.count_change(self.user_id)

    def become(self, large: bytes, small: bytes) -> None:
        """Make these the picture, and drop the file; nothing if another one has been uploaded, or all was removed."""
        with database.atomic():
            User.hold(self.user_id)
            if PictureUpload.delete().where(*self._unchanged()).execute():
                Picture.put(self.user_id, large, small)

    def _unchanged(self) -> tuple[object, ...]:
        return PictureUpload.user == self.user_id, PictureUpload.token == self.token

    @classmethod
    def purge(cls, at_once: int) -> int:
        """Delete at most so many of those that were refused long ago; returns how many that were."""
        old = cls.select(cls.id).where(cls.sent_at < utcnow() - KEPT, cls.problem.is_null(False)).limit(at_once)
        return int(cls.delete().where(cls.id.in_(old)).execute())


PictureUpload.add_index(PictureUpload.user, where=PictureUpload.problem.is_null(), name="picture_uploads_waiting")
also_purge(PictureUpload, PictureUpload.purge)
