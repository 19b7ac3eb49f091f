"""By which index tasks are found: rows from which PostgreSQL can tell, and the plans of what was asked meanwhile."""

import re
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

from tasks.engine.models.state import FINISHED
from webapp.db import database, is_postgres
from webapp.lib.times import utcnow
from webapp.models import State, Task, User

NOON = utcnow().replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=100)


def fill(people: Iterable[User]) -> None:
    """So many rows that PostgreSQL knows what an index is worth."""
    rows = [
        {"id": uuid4(), "user": user, "name": name, "title": "Count down", "state": state, "arguments": {}}
        | {"created_at": NOON + minute * timedelta(minutes=1), "finished_at": NOON if state in FINISHED else None}
        | {"run_at": NOON if state == State.SCHEDULED else None}
        for user in people
        for minute in range(6)
        for state in State
        for name in ("countdown", "export_posts")
    ]
    for begin in range(0, len(rows), 50):
        Task.insert_many(rows[begin : begin + 50]).execute()
    if is_postgres():
        database.execute_sql("ANALYZE tasks")
        database.execute_sql("SET enable_sort = off")  # as for more than a page


def plans(seen: Any) -> Iterator[tuple[str, str]]:
    """The statement and plan of each query for tasks, but for their places in the queue."""
    for query in seen.get_queries():
        sql, values = query.msg
        if 'FROM "tasks"' in sql and "AVG" not in sql:
            explained = f"EXPLAIN {'' if is_postgres() else 'QUERY PLAN '}{sql}"
            yield sql, str(database.execute_sql(explained, values).fetchall())


def is_by_index(sql: str, plan: str) -> bool:
    """Whether all that a query reads of tasks is found by an index."""
    if is_postgres():
        return "Seq Scan" not in plan
    tables = re.findall(r'FROM "tasks" AS "(t\d+)"', sql)
    return all(re.search(rf"(SEARCH|SCAN) {table} USING (COVERING )?INDEX", plan) for table in tables)
