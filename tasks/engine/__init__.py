"""The engine: declares, starts, claims, runs and repairs tasks, so that none is lost.

The task's row is the truth. A `TaskFunction` writes it, and after the commit a `wakeup` goes through the queue. A
worker that gets it lets the `executor` claim the row at the head of the fair queue and call the function with a `Run`.
The `heartbeat` renews the run's lease and writes its progress. The `sweeper` finds tasks that have lost their run or
their wake-up.

    declare    decorator, options, task_function, parameters, preview, undo, signature, workflow_tree, registry
    execute    wakeup, executor, run: steps, loop_cursor, artifact_ledger, stop_flag, checkpoints, unit_of_work
    watch      heartbeat, run_clock, timeouts, watchdog
    repair     sweeper: presence, leadership, rescue, kind_sweep, forced_ends, lost_wakeups, lease_grace,
               sweep_hooks, retention

docs/architecture.md tells how these work together.
"""

from tasks.engine import wakeup
from tasks.engine.config import configure
from tasks.engine.declaration_error import DeclarationError
from tasks.engine.decorator import user_task
from tasks.engine.errors import Postponed, TaskError, TemporaryError
from tasks.engine.models import owned_by
from tasks.engine.parameters.annotations import Choice, Hint, Label, Labels, Multiline, Placeholder
from tasks.engine.parameters.arguments import InvalidArguments
from tasks.engine.parameters.secret import Secret
from tasks.engine.preview import Preview
from tasks.engine.registry import catalogue
from tasks.engine.retries import Retries
from tasks.engine.run import Run
from tasks.engine.signature import Signature, chain, chord, group
from tasks.engine.sweep_hooks import sweep_hook
from tasks.engine.task_function import TaskFunction
from tasks.engine.undo import Undo
from tasks.engine.uploads import Accept, Count, Upload

__all__ = [
    "Accept",
    "Choice",
    "Count",
    "DeclarationError",
    "Hint",
    "InvalidArguments",
    "Label",
    "Labels",
    "Multiline",
    "Placeholder",
    "Postponed",
    "Preview",
    "Retries",
    "Run",
    "Secret",
    "Signature",
    "TaskError",
    "TaskFunction",
    "TemporaryError",
    "Undo",
    "Upload",
    "catalogue",
    "chain",
    "chord",
    "configure",
    "group",
    "owned_by",
    "sweep_hook",
    "user_task",
    "wakeup",
]
