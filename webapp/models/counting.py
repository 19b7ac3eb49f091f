"""Counting no further than people read: beyond MOST_COUNTED a page says `1,000+`, and its cost stays what it was."""

from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any

from peewee import SQL, Select, fn

if TYPE_CHECKING:
    from peewee import ModelSelect

MOST_COUNTED = 1000


def count_some(*queries: "ModelSelect[Any]") -> int:
    """How many rows queries find together, none of them twice; one more than MOST_COUNTED at most.

    One query, which reads no more rows than that.
    """
    return int(number_of(*queries).bind(queries[0].model._meta.database).scalar())


def number_of(*queries: "ModelSelect[Any]") -> Select:
    """The query for that number."""
    ones: Any = [query.select(SQL("1").alias("one")) for query in queries]
    # A union has no order. One query keeps its own, for which SQLite takes the index that has only what is wanted.
    some = reduce(add, [query.order_by() for query in ones]) if len(ones) > 1 else ones[0]
    found = some.limit(MOST_COUNTED + 1).alias("found")
    return Select([found], [fn.COUNT(SQL("*"))])
