"""Sweep hooks: functions that the sweeper calls besides doing the engine's own work.

    @sweep_hook
    def start_reminders(at_once: int) -> None: ...

The leading sweeper calls each once in TASK_SWEEP_SECONDS, after all that tasks wait for. So a hook must be quick: let
it start tasks for what is not, `at_once` of them at most. A hook that raises is logged, and called again with the next
sweep. Two sweepers may overlap for a moment, so what a hook does must be right when two do it.
"""

from collections.abc import Callable

SweepHook = Callable[[int], object]
sweep_hooks: list[SweepHook] = []


def sweep_hook(function: SweepHook) -> SweepHook:
    """Declare a sweep hook. The worker calls those of all modules that the catalogue imports."""
    sweep_hooks.append(function)
    return function
