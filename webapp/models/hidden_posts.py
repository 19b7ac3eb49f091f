"""Hidden posts: those of accounts that are to be deleted, taken out of the index of what is shown, and of search.

Nobody sees them in any case, since queries ask their author's row. But to skip a million of them would take a query
half a second, so batches hide them as well, and show them again when somebody returns.
"""

from typing import Any

from peewee import SQL

from tasks.engine.retention import also_purge
from webapp.db import database, fulltext, locking
from webapp.lib.times import utcnow
from webapp.models.deletion import Deletion
from webapp.models.post import Post

SHOWN_AT_ONCE = 500  # posts of somebody who has just returned


def hide_or_show(at_once: int = SHOWN_AT_ONCE) -> int:
    """Show at most so many posts of accounts that were taken back, or else hide so many of accounts that are to be
    deleted; returns how many steps of that were done, 0 where there is nothing to do. Two small queries then."""
    with database.atomic():
        if returned := _first(SQL("returned_at IS NOT NULL")):
            number = _set(returned, hidden=False, most=at_once, terms=None)
            if number < at_once:
                returned.delete_instance()
            fulltext.fill(database.obj, "posts", at_once)  # search terms of posts that have none
            return max(1, number)
        if leaving := _first(SQL("hidden_at IS NULL")):
            number = _set(leaving, hidden=True, most=at_once, terms="")
            if number < at_once:
                Deletion.update(hidden_at=utcnow()).where(Deletion.id == leaving.id).execute()
            return max(1, number)
    return 0


also_purge(Post, hide_or_show)


def _first(which: Any) -> Deletion | None:
    found: Deletion | None = locking(Deletion.select().where(which).order_by(Deletion.id), skip_locked=True).first()
    return found


def _set(deletion: Deletion, *, hidden: bool, most: int, terms: str | None) -> int:
    is_other = ~Post.hidden if hidden else Post.hidden
    some = Post.select(Post.id).where(Post.user == deletion.user_id, is_other).limit(most)
    return int(Post.update(hidden=hidden, terms=terms).where(Post.id.in_(some)).execute())
