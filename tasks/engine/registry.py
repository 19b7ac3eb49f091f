"""The registry: which task functions there are, by name. Filled as their modules are imported."""

from importlib import import_module

from tasks.engine.declaration_error import DeclarationError, place
from tasks.engine.task_function import TaskFunction

functions: dict[str, TaskFunction] = {}


def add(function: TaskFunction) -> None:
    """Let rows name a task function. Raises DeclarationError when another one has its name."""
    other = functions.setdefault(function.name, function)
    if other is not function:
        words = f"has the name of the one at {place(other.body)}: give it another, as rows name tasks by it"
        raise DeclarationError(function.body, words)


def catalogue(package: str, *names: str) -> dict[str, TaskFunction]:
    """Import the task functions of these names, each from the file of its own name in a package; returns all there are.

    Raises DeclarationError for what cannot be listed, and whatever a file raises when it is imported.
    """
    for name in names:
        _load(package, name)
    return functions


def _load(package: str, name: str) -> None:
    try:
        module = import_module(f"{package}.{name}")
    except ModuleNotFoundError as error:
        if error.name != f"{package}.{name}":
            raise
        words = f"is listed here, and there is no {package}/{name}.py: write it, or take the name out"
        raise DeclarationError(name, words) from error
    function = functions.get(name)
    if function is None or function != vars(module).get(name):
        words = f"is listed here, and {package}/{name}.py has no task of that name: write @user_task() above def {name}"
        raise DeclarationError(name, words)
    if function.listed and not function.description:
        raise DeclarationError(function.body, "has no docstring: write what it does, as its page shows that to people")
