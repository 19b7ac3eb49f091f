"""Selections: the columns that a query asks for, which Peewee spells and reads one by one.

Most queries here ask for all columns of a table, and tasks have forty-four: to spell these took as long as all the
rest of building a query, and to read them longer than to find their rows.
"""

from operator import is_
from typing import TYPE_CHECKING, Generic, TypeVar

from peewee import Context, CursorWrapper, Field, Model, ModelSelect

from webapp.db.cursor import Cursor, Row
from webapp.db.rows import read_model

T = TypeVar("T", bound=Model)

if TYPE_CHECKING:

    class _Select(ModelSelect[T]):
        """What Peewee's has that its types do not tell of."""

        _returning: list[Field[object]]
        _joins: dict[object, object]
        _from_list: list[object]

        def _get_model_cursor_wrapper(self, cursor: Cursor) -> CursorWrapper: ...
else:

    class _Select(ModelSelect, Generic[T]):
        pass


class Selection(_Select[T]):
    """A query whose plain columns are spelled at once, and whose rows are read so; SQL and objects are the same."""

    def __sql_selection__(self, ctx: Context, is_subquery: bool = False) -> Context:
        """Peewee's hook for the columns."""
        if is_subquery:
            return super().__sql_selection__(ctx, is_subquery)  # type: ignore[no-any-return]
        aliases, separator = ctx.alias_manager, ""
        for node in self._returning:
            ctx.literal(separator)
            if isinstance(node, Field) and type(node).__sql__ is Field.__sql__:
                ctx.literal(f'"{aliases[node.column.source]}"."{node.column.name}"')
            else:
                ctx.sql(node)  # type: ignore[no-untyped-call]
            separator = ", "
        return ctx

    def _get_model_cursor_wrapper(self, cursor: Cursor) -> CursorWrapper:
        """Peewee's hook for the rows."""
        fields = self.model._meta.sorted_fields
        # By identity: to compare a field with anything makes an expression, which counts as true.
        is_whole = len(self._returning) == len(fields) and all(map(is_, self._returning, fields))
        if self._joins or len(self._from_list) > 1 or not is_whole:
            return super()._get_model_cursor_wrapper(cursor)
        return _WholeRows(cursor, self.model)


class _WholeRows(CursorWrapper):
    """The objects of rows with all columns of a model."""

    def __init__(self, cursor: Cursor, model: type[Model]) -> None:
        super().__init__(cursor)
        self._model = model

    def process_row(self, row: Row) -> Model:
        return read_model(self._model, row)
