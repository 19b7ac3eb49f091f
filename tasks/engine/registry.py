"""Which task functions there are, by name. Filled as their modules are imported."""

from typing import TYPE_CHECKING

from tasks.engine import declaration
from tasks.engine.declaration import DeclarationError

if TYPE_CHECKING:
    from tasks.engine.function import TaskFunction

functions: dict[str, "TaskFunction"] = {}


def add(function: "TaskFunction") -> None:
    """Let messages find a task function. Raises DeclarationError when another one has its name."""
    other = functions.setdefault(function.name, function)
    if other is not function:
        words = f"has the name of the one at {declaration.place(other.body)}: give it another, as rows name tasks by it"
        raise DeclarationError(function.body, words)


def catalogue(*listed: "TaskFunction") -> dict[str, "TaskFunction"]:
    """The task functions of a site, by name, in this order. Raises DeclarationError for what cannot be listed."""
    for function in listed:
        if function is not functions.get(getattr(function, "name", "")):
            raise DeclarationError(function, "is listed in the catalogue, and is no task: write @user_task() above it")
        declaration.check_listed(function)
    return {function.name: function for function in listed}
