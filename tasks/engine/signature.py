"""Signatures: task functions with their arguments, and the workflows made of them: chains, groups and chords."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypedDict, Unpack

from peewee import Model

from tasks.engine.models import Composition, Task, observers, workflow
from tasks.engine.models.phrases import CHAIN, CHORD, GROUP
from webapp.db import database
from webapp.lib.phrases import Words


class StartOptions(TypedDict, total=False):
    """Where and when something starts: as a child of a workflow, in one of its steps, or at its time."""

    run_at: datetime | None
    parent: Task
    step: int


class Start(Protocol):
    """Writes the rows of something for a user."""

    def __call__(self, user: Model, /, **place: Unpack[StartOptions]) -> Task:
        """Returns the task, or the workflow at the top."""


@dataclass(frozen=True)
class Signature:
    """Something that can be launched, alone or as a child of a workflow. `start` writes its rows."""

    title: Words
    start: Start

    def launch(self, user: Model, *, run_at: datetime | None = None) -> Task:
        """Start it for a user, or schedule it for `run_at` (naive UTC), and return its row; all in one transaction.

        Raises AlreadyRunning, having started nothing, if any child is one at a time and is under way already; and
        StartRefused, as for a quota of the app.
        """
        with database.atomic():
            task = self.start(user, run_at=run_at)
            if run_at is None:
                task.begin()
        return task


def chain(*children: Signature, title: Words = "") -> Signature:
    """One after the other; when one fails, those after it are canceled. A child can read the `results` before it."""
    title = title or CHAIN(titles=[child.title for child in children])
    return _compose(Composition.CHAIN, [[child] for child in children], title)


def group(*children: Signature, title: Words = "") -> Signature:
    """Side by side; when one fails, the others still run to their end."""
    return _compose(Composition.GROUP, [list(children)], title or GROUP(titles=[child.title for child in children]))


def chord(header: list[Signature], body: Signature, title: Words = "") -> Signature:
    """Side by side, and when all have succeeded, the body."""
    title = title or CHORD(header=[child.title for child in header], body=body.title)
    return _compose(Composition.CHORD, [list(header), [body]], title)


def _compose(composition: Composition, steps: list[list[Signature]], title: Words) -> Signature:
    if not all(steps) or not steps:
        raise ValueError(f"a {composition} has at least one child in each of its steps")

    def start(user: Model, **place: Unpack[StartOptions]) -> Task:
        parent = Task.start(user, "", title, {}, composition=composition, **place)
        for number, children in enumerate(steps):
            for child in children:
                child.start(user, parent=parent, step=number)
        workflow.expect_total(parent)
        observers.starting(parent)
        return parent

    return Signature(title, start)
