"""The party of a task: who takes turns for it in the fair queue, which is a group of owners, or else its owner."""

from peewee import Function, ModelAlias, fn

from tasks.engine.models.row import TaskRow


def party_of(task: "type[TaskRow] | ModelAlias[TaskRow]") -> Function:
    """`TaskRow.party`, for a query. Two indexes of `Task` have it, `tasks_in_turn` and `tasks_running`."""
    return fn.COALESCE(task.queue_group, task.user)
