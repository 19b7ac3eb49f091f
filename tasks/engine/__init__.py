"""The engine: launching, claiming and running tasks so that none is lost.

The task's row is the truth. `function` writes it, and rings the queue's doorbell after the commit; `perform` claims
the row in a worker and runs the function with a `Run`; `reporter` writes its progress at a bounded rate; `outbox`
rings again for tasks that the queue never took.
"""

from tasks.engine.function import TaskFunction, user_task
from tasks.engine.parameters import InvalidArguments, Labels, Range
from tasks.engine.run import Run, TaskError

__all__ = ["InvalidArguments", "Labels", "Range", "Run", "TaskError", "TaskFunction", "user_task"]
