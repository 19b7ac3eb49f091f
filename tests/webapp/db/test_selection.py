import pytest
from peewee import ModelSelect, fn

from webapp.db.selection import Selection
from webapp.dev.factories import make_user
from webapp.models import Message, Post, Task, User

QUERIES = {
    "all columns": lambda: Task.select(),
    "two tables": lambda: Post.timeline(User(id=1)),
    "aliases of a table": lambda: Message.of(User(id=1)),
    "columns of a joined table": lambda: Task.select(User.username, Task).join(User),
    "what is worked out": lambda: Task.select(Task, fn.COUNT(1).alias("number")).group_by(Task.id),
    "a column by another name": lambda: Task.select(Task.id.alias("x"), Task.state),
    "a subquery of all columns": lambda: User.select().where(User.id.in_(Post.select())),
    "a subquery of one": lambda: User.select().where(User.id.in_(Task.select(Task.user))),
    "a subquery among the columns": lambda: User.select(User, fn.EXISTS(Task.select().where(Task.user == User.id))),
    "of a subquery": lambda: Task.select(fn.COUNT(1)).from_(Task.select(Task.id).limit(3).alias("some")),
    "two queries in one": lambda: Task.select(Task.id) | Post.select(Post.id),
}


@pytest.mark.parametrize("name", QUERIES)
def test_a_selection_is_spelled_as_peewee_does(each_database, monkeypatch, name):
    query = QUERIES[name]
    ours = query().sql()
    with monkeypatch.context() as patch:
        patch.setattr(Selection, "__sql_selection__", ModelSelect.__sql_selection__)
        assert ours == query().sql()


def test_one_column_in_place_of_another_is_no_whole_row(app):
    """A field is equal to anything: what is compared says so."""
    make_user("ann")
    others = [field for field in User._meta.sorted_fields if field is not User.about]
    assert User.select(*others, fn.LOWER("AB").alias("worked_out")).get().worked_out == "ab"
