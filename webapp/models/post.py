"""Post: something a person wrote for everyone to read."""

from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from typing import Any
from uuid import UUID

from peewee import SQL, AutoField, BooleanField, DateTimeField, ForeignKeyField, ModelSelect

from tasks.engine.models.task import Task
from webapp.db import insert_rows
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.lib.tokenization import terms_of
from webapp.models.block import Block
from webapp.models.quotas import use
from webapp.models.search import Searched
from webapp.models.user import User

POST_LENGTH = 500


class Post(Searched):
    """A short text, 1 to POST_LENGTH characters, newlines counted as one."""

    id = AutoField()
    user = ForeignKeyField(User, backref="posts", on_delete="CASCADE", index=False)
    user_id: int
    task = ForeignKeyField(
        Task, null=True, backref="posts", on_delete="SET NULL", help_text="what wrote it, if a task did"
    )
    task_id: UUID | None
    created_at = DateTimeField(default=utcnow)
    edited_at = DateTimeField(null=True, help_text="when its author changed it last")
    hidden = BooleanField(
        default=False,
        constraints=[SQL("DEFAULT FALSE")],
        help_text="as its author is suspended or to be deleted, which is said there first; not found by search, either",
    )

    class Meta:
        indexes = ((("user", "created_at", "id"), False), (("created_at", "id"), False))

    @property
    def version(self) -> str:
        """Which text it is, so that who changes one that has been changed meanwhile can be told."""
        return (self.edited_at or self.created_at).isoformat()

    @classmethod
    def with_author(cls, post_id: int) -> "Post | None":
        """A post that is shown, with the whole row of its author, or None. One query."""
        found: Post | None = cls.select(cls, User).join(User).where(cls.id == post_id, _is_shown()).first()
        return found

    def edit(self, body: str) -> bool:
        """Put another text in its place; False, and nothing done, if it was edited or deleted since this was read.

        The index for search follows by itself. The same text is no edit. Raises OverQuota: each counts as a post.
        """
        if body == self.body:
            return True
        model = type(self)
        same = model.edited_at.is_null() if self.edited_at is None else model.edited_at == self.edited_at
        use(Quota.POSTS, self.user)
        editing = model.update(body=body, edited_at=utcnow())
        return bool(editing.where(model.id == self.id, model.created_at == self.created_at, same).execute())

    @classmethod
    def write(cls, user: User, body: str) -> "Post":
        """Publish what a person writes. In a transaction. Raises OverQuota, having written nothing."""
        use(Quota.POSTS, user)
        post: Post = cls.create(user=user, body=body)
        return post

    @classmethod
    def write_many(cls, user_id: int, task_id: UUID, posts: Iterable[tuple[datetime, str]]) -> None:
        """Write what a task brings for somebody, the times and bodies of some hundreds of posts. One statement.

        In the order of their times, as the index for search has them: FTS5 writes what is out of order one by one.
        """
        rows = [(body, terms_of(body), at) for at, body in sorted(posts, key=itemgetter(0))]
        insert_rows({cls.user: user_id, cls.task: task_id}, (cls.body, cls.terms, cls.created_at), rows)

    @classmethod
    def by(cls, user: User) -> "ModelSelect[Post]":
        """All that one person wrote, oldest first."""
        return cls.select().where(cls.user == user).order_by(cls.created_at, cls.id)

    @classmethod
    def last_by(cls, user_id: int) -> tuple[str, datetime] | None:
        """What somebody posted last, and when. One query."""
        posts = cls.select(cls.body, cls.created_at).where(cls.user == user_id)
        latest = posts.order_by(cls.created_at.desc(), cls.id.desc()).limit(1)
        last: tuple[str, datetime] | None = latest.tuples().first()
        return last

    @classmethod
    def shown(cls) -> "ModelSelect[Post]":
        """Everyone's posts, but for those of accounts suspended or to be deleted. To be counted and filtered."""
        return cls.select().join(User).where(_is_shown())

    @classmethod
    def shown_to(cls, reader: User) -> "ModelSelect[Post]":
        """The same but for those of people whom this person blocks."""
        return cls.shown().where(cls.user.not_in(Block.ids_by(reader)))

    @classmethod
    def newest_place(cls) -> tuple[datetime, int] | None:
        """When the newest post was written, and its id. One query, answered by an index."""
        newest: tuple[datetime, int] | None = (
            cls.select(cls.created_at, cls.id).order_by(cls.created_at.desc(), cls.id.desc()).tuples().first()
        )
        return newest

    @classmethod
    def timeline(cls, user: User | None = None) -> "ModelSelect[Post]":
        """Everyone's posts, or one person's, newest first, each with what is shown of its author: one query. None of
        somebody who is suspended."""
        shown = User.id, User.username, User.picture_version
        query = cls.select(cls, *shown).join(User).order_by(cls.created_at.desc(), cls.id.desc())
        if user:
            return query.where(cls.user == user, SQL("1 = 0") if user.is_suspended else True)
        return query.where(_is_shown())


def _is_shown() -> Any:
    """For a query with authors. A batch hides posts, so that it costs little however many an account has."""
    return ~Post.hidden & User.deletion_due_at.is_null() & User.suspended_at.is_null()


Post.add_index(Post.created_at, Post.id, where=~Post.hidden, name="posts_shown")
Post.add_index(Post.user, where=Post.hidden, name="posts_hidden")
