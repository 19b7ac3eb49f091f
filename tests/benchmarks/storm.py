"""What a storm does to many tasks: processes are killed each second, and Redis is emptied three times."""

import shutil
import tempfile
from pathlib import Path

from tests.benchmarks.table import show
from tests.guarantees.sites import Workshop
from tests.guarantees.storm import Storm
from tests.services import postgres_server, redis_server

PATIENCE = 900
TASKS = 500


def main() -> None:
    """One row a storage."""
    head = "storage", "tasks", "kills", "flushes", "rescues", "not succeeded", "effects missing", "effects twice"
    with redis_server() as redis, postgres_server() as new_database:
        show(
            "Tasks of 20 steps in two workers of two processes, of which one is killed each second",
            (*head, "rescued", "idle", "in all"),
            (
                _row(name, **variables)
                for name, variables in (
                    ("SQLite", {}),
                    ("SQLite + Redis", {"REDIS_URL": f"{redis}/1"}),
                    ("PostgreSQL + Redis", {"REDIS_URL": f"{redis}/2", "DATABASE_URL": new_database()}),
                    ("PostgreSQL", {"DATABASE_URL": new_database()}),
                )
            ),
        )


def _row(name: str, **variables: str) -> tuple[str, ...]:
    folder = Path(tempfile.mkdtemp(prefix="errand-bench-"))
    site = Workshop(folder, **variables)
    try:
        with site.entered():
            flush = site.empty_queue if "REDIS_URL" in variables else None
            came = Storm(site, flush, TASKS, pause=0.01).rage(PATIENCE)
    finally:
        site.close()
        shutil.rmtree(folder)
    counts = came.tasks, came.kills, came.flushes, came.rescues, came.unsuccessful, came.missing, came.twice
    seconds = f"{came.rescued_after:.1f} s", f"{came.idle:.1f} s", f"{came.seconds:.0f} s"
    return (name, *map(str, counts), *seconds)
