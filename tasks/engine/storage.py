"""Storage: how much the owners of tasks may store, which the app decides."""

from typing import TYPE_CHECKING

from webapp.lib.phrases import Words

if TYPE_CHECKING:
    from peewee import Model


class Storage:
    """Without limit. An app that sets one overrides these, and gives an object of that class to `configure`."""

    def demand(self, owner: "Model", size: int) -> None:
        """Called in the transaction that stores uploads of so many bytes: what it raises reaches whoever launches."""

    def left(self, owner: "Model") -> int | None:
        """How many bytes an owner's tasks may still make; None is without limit. A run asks about once a megabyte."""
        return None

    def full(self, owner: "Model") -> Words:
        """Why a task that would make more has failed, and what to do."""
        raise NotImplementedError
