"""EXPORTED: what a person gets of each model when they download everything. The one table of that.

A model is a row: `Exported` to a JSON file of its own, `Inside` the rows of another one, or `Excused` in words. Each
column of an exported model is told in words or excused. A test finds what is missing. To add a model, add its row to
the module here that is about such things.
"""

from collections.abc import Mapping

from peewee import Model, fn

from tasks.lib.exported import (
    account,
    mails,
    notices,
    others,
    profile,
    site,
    work,
    writing,
)
from tasks.lib.exported.row import Column, Columns, Content, Excused, Exported, Inside, Row, as_json, columns_of
from webapp.models import User

__all__ = [
    "EXPORTED",
    "Column",
    "Columns",
    "Content",
    "Excused",
    "Exported",
    "Inside",
    "Row",
    "about_how_large",
    "as_json",
    "columns_of",
    "exported_models",
    "inside",
    "number_of_steps",
]

BYTES_AT_LEAST, BYTES_OF_A_ROW = 6000, 100  # compressed, about

# In the order in which they are in the ZIP file.
EXPORTED: Mapping[type[Model], Row] = {
    **account.ROWS,
    **profile.ROWS,
    **writing.ROWS,
    **notices.ROWS,
    **others.ROWS,
    **work.ROWS,
    **mails.ROWS,
    **site.ROWS,
}


def exported_models() -> list[tuple[type[Model], Exported]]:
    """The models with a JSON file of their own, in order."""
    return [(model, row) for model, row in EXPORTED.items() if isinstance(row, Exported)]


def inside(model: type[Model]) -> tuple[type[Model], Inside] | None:
    """The model whose rows are listed within those of this one, if there is any."""
    found = ((other, row) for other, row in EXPORTED.items() if isinstance(row, Inside) and row.parent is model)
    return next(found, None)


def number_of_steps(user: User) -> int:
    """How many rows and files of theirs there are. A query for each model."""
    rows = sum(query.order_by().count() for _, row in exported_models() for query in row.of(user))
    return rows + sum(row.content.of(user).order_by().count() for _, row in exported_models() if row.content)


def about_how_large(user: User) -> int:
    """How many bytes a ZIP file of everything has, about. A query or two for each model."""
    contents = [row.content for _, row in exported_models() if row.content]
    files = sum(_bytes(content, user) for content in contents)
    return BYTES_AT_LEAST + BYTES_OF_A_ROW * number_of_steps(user) + files


def _bytes(content: Content, user: User) -> int:
    return int(content.of(user).order_by().select(fn.COALESCE(fn.SUM(content.size), 0)).scalar())
