"""Selections: the columns that a query asks for, which Peewee spells one by one.

Most queries here ask for all columns of a table, and tasks have forty-four: to spell these took as long as all the
rest of building a query.
"""

from typing import TYPE_CHECKING, Generic, TypeVar

from peewee import Context, Field, Model, ModelSelect

T = TypeVar("T", bound=Model)

if TYPE_CHECKING:
    _Select = ModelSelect[T]
else:

    class _Select(ModelSelect, Generic[T]):
        pass


class Selection(_Select[T]):
    """A query whose plain columns are spelled at once; its SQL is the same."""

    def __sql_selection__(self, ctx: Context, is_subquery: bool = False) -> Context:
        """Peewee's hook for the columns."""
        if is_subquery:
            return super().__sql_selection__(ctx, is_subquery)  # type: ignore[no-any-return]
        aliases, separator = ctx.alias_manager, ""
        for node in self._returning:  # type: ignore[attr-defined]
            ctx.literal(separator)
            if isinstance(node, Field) and type(node).__sql__ is Field.__sql__:
                ctx.literal(f'"{aliases[node.column.source]}"."{node.column.name}"')
            else:
                ctx.sql(node)  # type: ignore[no-untyped-call]
            separator = ", "
        return ctx
