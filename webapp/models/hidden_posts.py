"""Hidden posts: those of accounts that are to be deleted, taken out of the index of what is shown, and of search.

Nobody sees them in any case, since queries ask their author's row. But to skip a million of them would take a query
half a second.
"""

from webapp.db import database, fulltext
from webapp.models.post import Post


def hide(user_id: int, hidden: bool, most: int) -> int:
    """Hide at most so many posts of somebody, or show them again; returns how many that were. In a transaction.

    What is shown again has its search terms made anew.
    """
    is_other = ~Post.hidden if hidden else Post.hidden
    some = Post.select(Post.id).where(Post.user == user_id, is_other).limit(most)
    number = Post.update(hidden=hidden, terms="" if hidden else None).where(Post.id.in_(some)).execute()
    if not hidden:
        fulltext.fill(database.obj, "posts", most)
    return int(number)
