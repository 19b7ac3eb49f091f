"""Workflow trees: a workflow as programs write it in JSON, and what may be wrong with one.

{"chain": [{"kind": "countdown", "arguments": {"seconds": 5}}, {"group": […], "title": "Both"}]}
{"chord": {"header": [{"kind": …}, …], "body": {"kind": …}}}
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from peewee import Model

from tasks.engine.parameters.arguments import InvalidArguments
from tasks.engine.parameters.conversions import Value, is_storable
from tasks.engine.parameters.json_arguments import MOST_ERRORS, NO_FILES, Files, escaped
from tasks.engine.signature import Signature, chain, chord, group
from tasks.engine.task_function import TaskFunction
from webapp.lib.json_types import Json
from webapp.lib.normalization import is_blank

DEEPEST: Final = 5  # levels of workflows within each other
MOST: Final = 100  # tasks in one
LONGEST_TITLE: Final = 200  # characters
WORKFLOWS: Final = ("chain", "group", "chord")


class InvalidWorkflow(ValueError):
    """A tree that is no workflow. `errors` has words by JSON pointer, such as `/chain/2/arguments/seconds`."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("; ".join(f"{pointer}: {words}" for pointer, words in errors.items()))
        self.errors = errors


@dataclass(frozen=True)
class Leaf:
    """A task of a tree: where it stands, and with which arguments its function is to start."""

    pointer: str
    function: TaskFunction
    arguments: dict[str, Value]


@dataclass(frozen=True)
class WorkflowTree:
    """What was made of a tree: what can be launched, and the tasks in it."""

    signature: Signature
    leaves: tuple[Leaf, ...]


def read_workflow(
    tree: Json, functions: Mapping[str, TaskFunction], owner: Model, files: Files = NO_FILES
) -> WorkflowTree:
    """A workflow of the kinds that are listed, for an owner; or one task, which alone can have `files`.

    Raises InvalidWorkflow with all that is wrong, up to MOST_ERRORS: the first mistakes of each branch. The queries are
    those of `TaskFunction.read_json` for each task.
    """
    reader = _Reader(functions, owner, files)
    signature = reader.read(tree, "", 1)
    reader.refuse_repeats()
    if reader.errors or signature is None:
        raise InvalidWorkflow(dict(list(reader.errors.items())[:MOST_ERRORS]))
    return WorkflowTree(signature, tuple(reader.leaves))


class _Mistake(ValueError):
    """One, where it is, in words."""

    def __init__(self, at: str, words: str) -> None:
        super().__init__(words)
        self.at, self.words = at, words


@dataclass
class _Reader:
    functions: Mapping[str, TaskFunction]
    owner: Model
    files: Files
    errors: dict[str, str] = field(default_factory=dict)
    leaves: list[Leaf] = field(default_factory=list)
    count: int = 0

    def read(self, node: Json, at: str, level: int) -> Signature | None:
        """What can be launched of a node; None, and the errors kept, if something is wrong with it."""
        try:
            return self._read(node, at, level)
        except _Mistake as mistake:
            self.errors.setdefault(mistake.at, mistake.words)
        except InvalidArguments as refused:
            self.errors |= {f"{at}/arguments/{path}": words for path, words in refused.errors.items()}
        return None

    def refuse_repeats(self) -> None:
        """A task of which only one may be active at a time is in here only once."""
        seen: dict[str, str] = {}
        for leaf in self.leaves:
            key = leaf.function.unique_key(self.owner, leaf.arguments)
            if key and seen.setdefault(key, leaf.pointer) != leaf.pointer:
                self.errors[leaf.pointer] = "You can have one of these at a time, and there is another in here."

    def _read(self, node: Json, at: str, level: int) -> Signature | None:
        if not isinstance(node, dict):
            raise _Mistake(at, "Write an object.")
        found = [name for name in ("kind", *WORKFLOWS) if name in node]
        if len(found) != 1:
            raise _Mistake(at, "Write one of kind, chain, group or chord.")
        for name in node.keys() - {*found, "arguments" if found == ["kind"] else "title"}:
            raise _Mistake(f"{at}/{escaped(name)}", "There is no such member.")
        if found == ["kind"]:
            return self._task(node, at)
        if self.files:
            raise _Mistake("", "A workflow takes no files.")
        if level > DEEPEST:
            raise _Mistake(at, f"A workflow can have {DEEPEST} levels.")
        title, below = self._title(node, at), node[found[0]]
        if found == ["chord"]:
            return self._chord(below, f"{at}/chord", level, title)
        children = self._list(below, f"{at}/{found[0]}", level)
        return (chain if found == ["chain"] else group)(*children, title=title) if children else None

    def _task(self, node: dict[str, Json], at: str) -> Signature:
        self.count += 1
        if self.count > MOST:
            raise _Mistake("", f"A workflow can have {MOST} tasks.")
        name, arguments = node["kind"], node.get("arguments", {})
        function = self.functions.get(name) if isinstance(name, str) else None
        if function is None or not function.listed:
            raise _Mistake(f"{at}/kind", f"There is no such kind of task. Use one of {self._kinds()}.")
        if not isinstance(arguments, dict):
            raise _Mistake(f"{at}/arguments", "Write an object.")
        self.leaves.append(
            Leaf(at, function, function.read_json(arguments, NO_FILES if at else self.files, self.owner))
        )
        return function.s(**self.leaves[-1].arguments)

    def _kinds(self) -> str:
        return ", ".join(sorted(name for name, function in self.functions.items() if function.listed))

    def _chord(self, below: Json, at: str, level: int, title: str) -> Signature | None:
        if not isinstance(below, dict) or below.keys() != {"header", "body"}:
            raise _Mistake(at, "Write an object with header and body.")
        header = self._list(below["header"], f"{at}/header", level)
        body = self.read(below["body"], f"{at}/body", level + 1)
        return chord(header, body, title=title) if header and body else None

    def _list(self, nodes: Json, at: str, level: int) -> list[Signature]:
        """What can be launched of each; nothing if something is wrong with any."""
        if not isinstance(nodes, list) or not nodes:
            raise _Mistake(at, "Write a list of at least one.")
        read: list[Signature] = []
        for index, node in enumerate(nodes):
            if self.count > MOST or len(self.errors) >= MOST_ERRORS:
                break
            if each := self.read(node, f"{at}/{index}", level + 1):
                read.append(each)
        return read if len(read) == len(nodes) else []

    def _title(self, node: dict[str, Json], at: str) -> str:
        title = node.get("title")
        if "title" not in node:
            return ""
        if not isinstance(title, str) or is_blank(title) or len(title) > LONGEST_TITLE or not is_storable(title):
            raise _Mistake(f"{at}/title", f"Write a text of 1 to {LONGEST_TITLE} characters.")
        return title
