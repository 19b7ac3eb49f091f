"""A program that is killed in the middle of a rollup: before the n-th statement that writes."""

import os
import signal
import sys
from datetime import datetime
from typing import Any

from webapp import db
from webapp.db import database
from webapp.models.statistics import roll_up


def main(url: str, now: str, number: str) -> None:
    """Roll up until then."""
    db.configure(url)
    left, execute = int(number), database.obj.execute_sql

    def dying(sql: str, params: Any = None) -> Any:
        nonlocal left
        left -= not sql.startswith(("SELECT", "BEGIN", "UPDATE", "WITH"))
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params)

    database.obj.execute_sql = dying  # type: ignore[method-assign]
    roll_up(datetime.fromisoformat(now))


if __name__ == "__main__":
    main(*sys.argv[1:])
