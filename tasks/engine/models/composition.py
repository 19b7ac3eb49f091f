"""Composition: whether a task does its own work or is a workflow."""

from enum import StrEnum


class Composition(StrEnum):
    """Whether a task does its own work, or is a workflow, and how the children of that follow each other."""

    SINGLE = "single"
    GROUP = "group"
    CHAIN = "chain"
    CHORD = "chord"
