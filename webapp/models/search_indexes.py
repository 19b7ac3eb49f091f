"""Search indexes: the newest rows with the words of a query, by the index of the database."""

from datetime import datetime

from webapp.db import database, fulltext
from webapp.lib.tokenization import Term
from webapp.models.searched_rows import Hits, Recent, SearchedRows, has_all, ids

MANY = 1000  # rows that FTS5 need not gather
MOST_WORDS = 20  # with one beginning, which FTS5 is asked for one by one
_PLANNING = {"enable_indexscan": "off", "cpu_operator_cost": "0.1"}
WIDER = (32, 256)  # times the span of the newest rows, within which GIN's hits are looked for at first


def in_fts5(rows: SearchedRows, terms: list[Term], limit: int) -> Hits:
    """By FTS5, whose rows are in order: it stops at the limit.

    Where words never stand together, it goes through all rows with one of them, which takes some 20 ns each.
    """
    index, before = f"{rows.table}_terms", fulltext.position(*rows.after) if rows.after else 2**63 - 1
    asked = fulltext.match([_spelled_out(rows.table, term) for term in terms], rows.owner_id)
    row_id = f"({index}.rowid & {2**fulltext.ID_BITS - 1})"
    shown, reader = rows.shown(f"(SELECT user_id FROM {rows.table} WHERE id = {row_id})")  # noqa: S608
    found = f"SELECT {row_id} FROM {index} WHERE {index} MATCH ? AND rowid < ? AND {shown}"  # noqa: S608
    return Hits(ids(database.execute_sql(f"{found} ORDER BY rowid DESC LIMIT {limit:d}", (asked, before, *reader))))


def _spelled_out(table: str, term: Term) -> list[Term]:
    """The words that begin with a long prefix, in place of it; the term itself if it is none, or if they are many.

    FTS5 gathers all rows with a long prefix before it returns the newest, but those with a word are in order. One query
    for each word, which takes longer where many rows have the word before it: so only if there are MANY rows to gather.
    """
    if not fulltext.is_gathered(term) or not _has_many(table, fulltext.beginning(term)):
        return [term]
    create, sql = fulltext.vocabulary(table)
    database.execute_sql(create)
    words, after = list[str](), term.text
    while (word := database.execute_sql(sql, (after,)).fetchone()) and word[0].startswith(term.text):
        if len(words) == MOST_WORDS:
            return [term]
        words.append(word[0])
        after = f"{word[0]}\x01"  # the next one there may be; to leave out the word itself, SQLite would read its rows
    return [Term(word, False) for word in words] or [term]


def _has_many(table: str, term: Term) -> bool:
    sql = f"SELECT 1 FROM {table}_terms WHERE {table}_terms MATCH ? LIMIT 1 OFFSET {MANY:d}"  # noqa: S608
    return bool(database.execute_sql(sql, (fulltext.match([[term]], None),)).fetchone())


def in_gin(rows: SearchedRows, rare: list[Term], common: list[Term], limit: int, recent: Recent) -> Hits:
    """By GIN, which does not know which rows are newer, nor whose they are. At most five queries.

    It is given the rare terms, and the common ones are looked for in the rows that it finds. To fetch all of these
    would cost too much. So first only rows of late are looked for, which another index knows: the database combines
    both. How far back depends on how many of the newest rows matched.
    """
    # The planner takes it for cheap to go through rows and compute the terms of each, in place of asking GIN.
    settings = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in _PLANNING.items())
    database.execute_sql(f"SELECT {settings}")
    for times in sorted({min(WIDER[0], 2 * limit // max(1, recent.matched)), *WIDER}):
        found = _in_gin(rows, rare, common, limit, recent.start(times))
        if len(found) == limit:
            return Hits(found)
    return Hits(_in_gin(rows, rare, common, limit, None))


def _in_gin(rows: SearchedRows, rare: list[Term], common: list[Term], limit: int, since: datetime | None) -> list[int]:
    (where, values), (likes, patterns), (shown, reader) = rows.condition(since), has_all(common), rows.shown()
    is_match = f"{fulltext.vector('terms')} @@ {database.param}::tsquery"
    sql = rows.ordered(f"{is_match} AND {where} AND {likes} AND {shown}", limit)
    return ids(database.execute_sql(sql, (fulltext.tsquery(rare), *values, *patterns, *reader)))
