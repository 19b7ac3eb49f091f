"""Search indexes: the newest rows with words of which one at least is rare, by the index of the database.

Each of them is given the rare terms, for which it asks the index, and the common ones, which it looks for in the rows.
"""

from webapp.db import database, fulltext
from webapp.lib.tokenization import Term
from webapp.models import searched_rows
from webapp.models.searched_rows import Hits, SearchedRows, has_all, ids

FEW = 1000  # rows that GIN may return in any order


def in_fts5(rows: SearchedRows, rare: list[Term], common: list[Term], limit: int) -> Hits:
    """By FTS5, whose rows are in order: it stops at the limit. At most three queries.

    It gathers all rows with a long prefix before it returns the newest. So where these may be many, it is asked for the
    beginning of the prefix, which it has an index of, and the row for the rest.
    """
    if len(rare) == 1 and not common and fulltext.is_gathered(rare[0]):
        number = searched_rows.RECENT if rows.owner_id is None else searched_rows.SEARCHED
        found = _newest_in_fts5(rows, [], rare, limit, number)
        if len(found) == limit or not _has_after(rows, _shortened(rare[0]), number):
            return Hits(found)
    return Hits(_newest_in_fts5(rows, rare, common, limit))


def _newest_in_fts5(
    rows: SearchedRows, rare: list[Term], common: list[Term], limit: int, number: int | None = None
) -> list[int]:
    """The newest, or those of so many of the newest. The rest of long common prefixes is looked for in the rows."""
    table, index = rows.table, f"{rows.table}_terms"
    likes, patterns = has_all([term for term in common if fulltext.is_gathered(term)], f"{table}.terms")
    row_id = f"{index}.rowid & {2**fulltext.ID_BITS - 1}"
    join = f" CROSS JOIN {table} ON {table}.id = {row_id}" if patterns else ""  # in this order
    where, values = _match(rows, [*rare, *map(_shortened, common)])
    if number is not None:
        last = f"SELECT rowid FROM {index} WHERE {where} ORDER BY rowid DESC LIMIT 1 OFFSET {number:d}"  # noqa: S608
        where, values = f"{where} AND {index}.rowid > coalesce(({last}), -1 << 63)", [*values, *values]
    sql = f"SELECT {row_id} FROM {index}{join} WHERE {where} AND {likes} ORDER BY {index}.rowid DESC LIMIT {limit:d}"  # noqa: S608
    return ids(database.execute_sql(sql, (*values, *patterns)))


def _has_after(rows: SearchedRows, term: Term, number: int) -> bool:
    """Whether there is a row with this term after so many newer ones."""
    where, values = _match(rows, [term])
    sql = f"SELECT 1 FROM {rows.table}_terms WHERE {where} ORDER BY rowid DESC LIMIT 1 OFFSET {number:d}"  # noqa: S608
    return bool(database.execute_sql(sql, values).fetchall())


def _match(rows: SearchedRows, terms: list[Term]) -> tuple[str, list[object]]:
    index = f"{rows.table}_terms"
    before = fulltext.position(*rows.after) if rows.after else 2**63 - 1
    return f"{index} MATCH ? AND {index}.rowid < ?", [fulltext.match(terms, rows.owner_id), before]


def _shortened(term: Term) -> Term:
    return Term(term.text[: fulltext.LONGEST_PREFIX], True) if fulltext.is_gathered(term) else term


def in_gin(rows: SearchedRows, rare: list[Term], common: list[Term], limit: int) -> Hits:
    """By GIN, which does not know which rows are newer, nor whose they are. At most nine small queries.

    If it has few rows, those are sorted. If it has more, they are as well found among the newest rows, read in order.
    If not, all are sorted; but of one person's, no more than these are searched: GIN has mostly those of others.
    """
    is_match, query = f"{fulltext.vector('terms')} @@ {database.param}::tsquery", fulltext.tsquery(rare)
    (where, values), (likes, patterns) = rows.condition(), has_all(common)
    _let_planner(scan_by_index=False)
    few = ids(database.execute_sql(f"SELECT id FROM {rows.table} WHERE {is_match} LIMIT {FEW}", (query,)))  # noqa: S608
    _let_planner(scan_by_index=True)
    if not few:
        return Hits([])
    if len(few) < FEW:
        sql = rows.ordered(f"id = ANY({database.param}) AND {where} AND {likes}", limit)
        return Hits(ids(database.execute_sql(sql, (few, *values, *patterns))))
    newest, end = rows.with_all([*rare, *common], limit, searched_rows.SEARCHED), rows.end()
    if len(newest) == limit or not end:
        return Hits(newest)
    if rows.owner_id is not None:
        return Hits(newest, end)
    _let_planner(scan_by_index=False)
    every = rows.ordered(f"{is_match} AND {where} AND {likes}", limit)
    return Hits(ids(database.execute_sql(every, (query, *values, *patterns))))


def _let_planner(scan_by_index: bool) -> None:
    """Whether PostgreSQL's planner may go through rows in the order of an index, and compute the terms of each.

    It takes that for cheap, so it would do it in place of asking GIN. Until the end of the transaction.
    """
    database.execute_sql("SELECT set_config('enable_indexscan', %s, true)", ("on" if scan_by_index else "off",))
