"""Signatures: task functions with their arguments, and what is composed of them: chains, groups and chords."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from webapp.db import database
from webapp.models import Composition, Task, User
from webapp.models.task import workflow


@dataclass(frozen=True)
class Signature:
    """Something that can be launched, alone or as a part of something larger. `start` writes its rows."""

    title: str
    start: Callable[..., Task]

    def launch(self, user: User, *, run_at: datetime | None = None) -> Task:
        """Start it for a user, or schedule it for `run_at` (naive UTC), and return its row; all in one transaction.

        Raises AlreadyRunning, having started nothing, if any part must run alone and does already.
        """
        with database.atomic():
            task = self.start(user, run_at=run_at)
            if run_at is None:
                task.begin()
        return task


def chain(*parts: Signature, title: str = "") -> Signature:
    """One after the other; when one fails, those after it are canceled. A part can read the `results` before it."""
    return _compose(
        Composition.CHAIN, [[part] for part in parts], title or ", then ".join(part.title for part in parts)
    )


def group(*parts: Signature, title: str = "") -> Signature:
    """Side by side; when one fails, the others still come to their end."""
    return _compose(Composition.GROUP, [list(parts)], title or ", ".join(part.title for part in parts))


def chord(header: list[Signature], body: Signature, title: str = "") -> Signature:
    """Side by side, and when all have succeeded, the body."""
    title = title or f"{', '.join(part.title for part in header)}, then {body.title}"
    return _compose(Composition.CHORD, [list(header), [body]], title)


def _compose(composition: Composition, steps: list[list[Signature]], title: str) -> Signature:
    if not all(steps) or not steps:
        raise ValueError(f"a {composition} has at least one part in each of its steps")

    def start(user: User, **place: Any) -> Task:
        whole = Task.start(user, "", title, {}, composition=composition, **place)
        for number, parts in enumerate(steps):
            for part in parts:
                part.start(user, parent=whole, step=number)
        workflow.expect_total(whole)
        return whole

    return Signature(title, start)
