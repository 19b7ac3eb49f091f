"""Traits: how a model is made of several classes, each in a file of its own.

A model's columns stand in a row class, which the traits of the model take for their own when types are checked. At run
time a trait is a plain class: Peewee makes a table of every subclass of a model. The row class itself has the table of
its model, so Peewee is told what refers to what.
"""

from peewee import Model


class Trait:
    """The base of each trait at run time."""


def own_references(model: type[Model]) -> None:
    """Let the columns by which a model refers to itself lead to the model: by its row class they lead to that."""
    for field in [field for field, other in model._meta.refs.items() if other is model]:
        field.rel_field = model._meta.primary_key


def hide_references(row: type[Model]) -> None:
    """Let a row class be unknown to the models that it refers to: its model is the one that they know."""
    for field in [field for field, model in row._meta.refs.items() if model is not row]:
        row._meta.remove_ref(field)
