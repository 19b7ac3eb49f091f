"""Duties: what the sweeper sees to besides the engine's own, for whoever declares it.

    @duty
    def line_up(at_once: int) -> None: ...

The leader calls each once in TASK_SWEEP_SECONDS, after all that tasks wait for. So it must be quick: let it start tasks
for what is not, at most so many `at_once`. One that raises is logged and called again the next time. Two leaders may
overlap for a moment, so what it does must be right when two do it.
"""

from collections.abc import Callable
from typing import Any

SweepHook = Callable[[int], Any]
sweep_hooks: list[SweepHook] = []


def sweep_hook(function: SweepHook) -> SweepHook:
    """Declare a duty. The worker knows those of the modules that it has imported, and so all of the catalogue's."""
    sweep_hooks.append(function)
    return function
