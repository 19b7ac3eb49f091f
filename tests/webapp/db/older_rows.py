"""Rows as an earlier schema has them, which the models of today cannot write."""

from webapp.db import database
from webapp.lib.times import utcnow
from webapp.models import User


def insert(table: str, **values: object) -> None:
    """Insert a row with these columns."""
    marks = ", ".join([database.param] * len(values))
    database.execute_sql(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))


def insert_user(name: str) -> User:
    """An account with a name; as an object it has that and its id."""
    texts = {"username": name, "username_key": name, "session_key": name, "time_zone": "UTC"}
    insert("users", **texts, email="", password_hash="", about="", changes=0, created_at=utcnow(), seen_at=utcnow())
    return User.select(User.id, User.username).where(User.username_key == name).get()
