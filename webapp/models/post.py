"""Post: something a person wrote for everyone to read."""

from collections.abc import Iterable
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from peewee import AutoField, DateTimeField, ForeignKeyField, ModelSelect

from tasks.engine.models.task import Task
from webapp.db import insert_rows
from webapp.lib.quota_variables import Quota
from webapp.lib.times import utcnow
from webapp.lib.tokenization import terms_of
from webapp.models.quotas import use
from webapp.models.search import Searched
from webapp.models.user import User

POST_LENGTH = 500


class Post(Searched):
    """A short text, 1 to POST_LENGTH characters, newlines counted as one."""

    id = AutoField()
    user = ForeignKeyField(User, backref="posts", on_delete="CASCADE", index=False)
    task = ForeignKeyField(
        Task, null=True, backref="posts", on_delete="SET NULL", help_text="what wrote it, if a task did"
    )
    created_at = DateTimeField(default=utcnow)

    class Meta:
        indexes = ((("user", "created_at", "id"), False), (("created_at", "id"), False))

    @classmethod
    def write(cls, user: User, body: str) -> "Post":
        """Publish what a person writes. In a transaction. Raises OverQuota, having written nothing."""
        use(Quota.POSTS, user)
        post: Post = cls.create(user=user.id, body=body)
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
    def timeline(cls, user: User | None = None) -> "ModelSelect[Post]":
        """Everyone's posts, or one person's, newest first, each with what is shown of its author: one query."""
        shown = User.id, User.username, User.picture_version
        query = cls.select(cls, *shown).join(User).order_by(cls.created_at.desc(), cls.id.desc())
        return query.where(cls.user == user) if user else query
