"""Searching: a page of the rows of a query that have some words, for pages and for programs."""

from dataclasses import replace
from typing import Any

from peewee import ModelSelect

from webapp.models import User
from webapp.models.search import newest, newest_shown
from webapp.models.searched_rows import Place
from webapp.web.paging import PAGE_SIZE, Page, cursor_of_place, page, page_of_ids


def search_page(
    query: "ModelSelect[Any]",
    words: str,
    before: str | None,
    owner: User | None = None,
    reader: User | None = None,
    size: int = PAGE_SIZE,
) -> tuple[Page, Place | None]:
    """The page of the rows of a query that contain the words, or of all without words; and where the search stopped to
    look, if it did before the last row: the next page goes on from there.

    `query` selects all rows of a searchable model, or all of `owner`; nothing of people whom `reader` blocks is on the
    page. A few queries. Raises SearchTooSlow, TooManySearches, and BadRequest for a cursor that no page gave out.
    """
    if reader and not reader.blocks_since:
        reader = None
    if not (words or reader):
        return page(query, before, size), None
    end: Place | None = None

    def find(most: int, after: Place | None) -> list[int]:
        nonlocal end
        if reader and not words:
            ids, end = newest_shown(query.model, most, after, reader)
        else:
            ids, end = newest(query.model, words, most, owner, after, reader)
        return ids

    found = page_of_ids(query, before, find, size)
    return (replace(found, next=cursor_of_place(*end)) if end else found), end
