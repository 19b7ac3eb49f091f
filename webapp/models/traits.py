"""Traits: how a model is made of several classes, each in a file of its own.

A model's columns stand in a row class, which the traits of the model take for their own when types are checked. At run
time a trait is a plain class: Peewee makes a table of every subclass of a model. The row class itself has the table of
its model, and is hidden from the tables to which it refers.
"""

from peewee import Model


class Trait:
    """The base of each trait at run time."""


def hide_references(row: type[Model]) -> None:
    """Let a row class be unknown to the models that it refers to: its model is the one that they know."""
    for field in [field for field, model in row._meta.refs.items() if model is not row]:
        row._meta.remove_ref(field)
