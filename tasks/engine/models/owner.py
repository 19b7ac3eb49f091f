"""The owner: the model of the people whose tasks these are, which the engine does not know until the app names it."""

from typing import Any, TypeAlias, TypeVar

from peewee import AutoField, ForeignKeyField, Model

from webapp.db import BaseModel

M = TypeVar("M", bound=type[Model])
OwnerRow: TypeAlias = Any  # type: ignore[explicit-any]  # a row of that model, which has columns of its own


class Owner(BaseModel):
    """The stand-in for that model until then. It has no table."""

    id = AutoField()


class OwnerKey(ForeignKeyField):  # type: ignore[explicit-any]  # Peewee's key, to a model that only the app knows
    """The reference to an owner. It leads to the stand-in until `owned_by` is told where."""

    keys: "list[OwnerKey]" = []

    def __init__(self, model: type[Model] = Owner, **options: object) -> None:
        super().__init__(model, backref="+", **options)

    def bind(self, model: type[Model], name: str, set_attribute: bool = True) -> None:
        """Peewee's, which comes with the model."""
        super().bind(model, name, set_attribute)
        self.keys.append(self)

    def lead_to(self, owner: type[Model]) -> None:
        """Refer to this model from now on."""
        meta = self.model._meta
        is_known = self in meta.refs
        if is_known:
            meta.remove_ref(self)
        self.rel_model, self.rel_field, self.declared_backref = owner, owner._meta.primary_key, "+"
        super().bind(self.model, self.name)
        if is_known:
            meta.add_ref(self)


def owned_by(owner: M) -> M:
    """Let tasks belong to the rows of this model: a decorator for the app's model of people, used once.

    Its primary key is one integer column, of numbers above 0. When a row is deleted, its tasks go with it.

    Owners whose rows have the same `queue_group`, a number below 0, are one party: they take turns in the fair queue,
    and run as many tasks at once, as one owner would. Where there is none, or None, each is on their own.
    """
    for key in OwnerKey.keys:
        key.lead_to(owner)
    return owner


def queue_group(owner: Model) -> int | None:
    """The group with which an owner shares turns, or None. No query."""
    group = getattr(owner, "queue_group", None)
    return None if group is None else int(group)


def owner_id(owner: Model) -> int:
    """The primary key of an owner."""
    return int(getattr(owner, OwnerKey.keys[0].rel_field.name))
