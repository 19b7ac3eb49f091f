"""Which task functions there are, by name. Filled as their modules are imported."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tasks.engine.function import TaskFunction

functions: dict[str, "TaskFunction"] = {}
