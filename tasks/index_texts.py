"""Index texts that the release before this has written, which knows nothing of search terms. A sweep hook, no task."""

from tasks.engine import sweep_hook
from webapp.db import database, fulltext


@sweep_hook
def index_texts(at_once: int) -> None:
    """Make the terms of rows that have none. Where there are none such, one small query a table."""
    for table in fulltext.INDEXED:
        fulltext.fill(database.obj, table, at_once)
