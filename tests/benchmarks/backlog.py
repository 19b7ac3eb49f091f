"""Many tasks that wait, copied in the database from one that was launched, each with its notification and a message."""

from collections.abc import Sequence

from huey.storage import BaseSqlStorage
from peewee import chunked

from tasks.queue import huey
from tests.benchmarks.worker import ten_steps
from webapp.db import database, is_postgres
from webapp.models import Task, User

AT_ONCE = 5000  # messages
PREFIX = bytes(8)  # of a message in Redis: its time
PARTS_OF_AN_ID = ((1, 8), (9, 4), (13, 4), (17, 4), (21, 12))
WITH_DASHES = " || '-' || ".join(f"substr(tasks.id, {start}, {length})" for start, length in PARTS_OF_AN_ID)


def fill(people: Sequence[User], number: int) -> None:
    """So many tasks of ten steps wait, of each of these people in turns. They must have registered one after the other.

    Some ten seconds for 200,000.
    """
    first, last = people[0].id, people[-1].id
    assert last - first + 1 == len(people)
    model = ten_steps.launch(people[0])
    new = {
        "id": "gen_random_uuid()" if is_postgres() else "lower(hex(randomblob(16)))",
        "user_id": f"{first} + n - n / {len(people)} * {len(people)}",
        "turn": f"n / {len(people)}",
    }
    values = {column: new.get(column, f"tasks.{column}") for column in Task._meta.columns}
    database.execute_sql(
        f"INSERT INTO tasks ({', '.join(values)}) WITH RECURSIVE series (n) AS"
        f" (SELECT 1 UNION ALL SELECT n + 1 FROM series WHERE n < {number - 1})"
        f" SELECT {', '.join(values.values())} FROM tasks, series WHERE tasks.id = {database.param}",
        (model.id if is_postgres() else model.id.hex,),
    )
    database.execute_sql(
        "INSERT INTO notifications (user_id, name, task_id, scope, payload, updated_at)"
        f" SELECT user_id, 'task_progress', id, {'id::text' if is_postgres() else WITH_DASHES}, '{{}}', updated_at"
        " FROM tasks WHERE TRUE ON CONFLICT DO NOTHING"
    )
    database.execute_sql("ANALYZE")
    send(number - 1)


def send(number: int) -> None:
    """So many messages, each like the one that is there but for its id."""
    [known] = huey.storage.enqueued_items(1)
    message = huey.serializer.deserialize(known)
    for some in chunked(range(number), AT_ONCE):
        texts = [huey.serializer.serialize(message._replace(id=f"copy-{n}")) for n in some]
        if isinstance(huey.storage, BaseSqlStorage):
            with huey.storage.db(commit=True) as cursor:
                table = "huey_task" if is_postgres() else "task"
                cursor.executemany(
                    f"INSERT INTO {table} (queue, data, priority) VALUES ({', '.join([database.param] * 3)})",
                    [(huey.storage.name, text, 0) for text in texts],
                )
        else:
            huey.storage.conn.zadd(huey.storage.queue_key, {PREFIX + text: 0 for text in texts})
