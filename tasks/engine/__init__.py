"""The engine: launching, claiming and running tasks so that none is lost.

The task's row is the truth. `function` writes it, and `doorbell` rings in the queue after the commit; a worker that
hears it claims the row whose turn it is (`perform`) and runs the function with a `Run`; `reporter` writes its progress
at a bounded rate and holds its lease; `sweeper` finds what has lost its worker or its message.
"""

from tasks.engine.declaration import DeclarationError
from tasks.engine.parameters import InvalidArguments, Labels
from tasks.engine.preview_undo import Preview, Undo
from tasks.engine.registry import catalogue
from tasks.engine.retries import Retries, TaskError, TemporaryError
from tasks.engine.run import Run
from tasks.engine.signature import Signature, chain, chord, group
from tasks.engine.sweep_hooks import sweep_hook
from tasks.engine.task_function import TaskFunction, user_task
from tasks.engine.uploads import Accept, Count, Upload
from tasks.engine.wakeup import send

__all__ = [
    "Accept",
    "Count",
    "DeclarationError",
    "InvalidArguments",
    "Labels",
    "Preview",
    "Retries",
    "Run",
    "Signature",
    "TaskError",
    "TaskFunction",
    "TemporaryError",
    "Undo",
    "Upload",
    "catalogue",
    "chain",
    "chord",
    "group",
    "send",
    "sweep_hook",
    "user_task",
]
