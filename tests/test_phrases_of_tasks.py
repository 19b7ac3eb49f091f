"""What our own tasks say is a phrase wherever a row keeps it, so that it reads right in every language."""

import ast
from collections.abc import Callable, Iterator

import pytest

from tests.processes import ROOT
from webapp.lib.phrases import WORDINGS

PROCESSES = {"queue", "worker"}  # these stand beside the tasks, and say nothing to people
FILES = [
    path
    for folder in (ROOT / "tasks", ROOT / "tasks" / "lib")
    for path in sorted(folder.glob("*.py"))
    if path.stem not in PROCESSES
]
SAYS = {"TaskError", "TemporaryError", "stage", "log", "rename", "end_undo", "user_task"}
MAKES_TEXT = {"str", "ngettext", "format", "join"}


def _plain_words(source: str) -> list[int]:
    """The lines that say a text where a phrase belongs."""
    tree = ast.parse(source)
    texts = _assigned(tree, lambda node: _is_text(node, MAKES_TEXT))
    declared = _assigned(tree, lambda node: isinstance(node, ast.Call) and _name(node.func) == "phrase")
    functions = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Name) and node.returns.id == "str"
    }
    known = MAKES_TEXT | texts | functions
    without_call = {said.lineno for said in _said(tree, titles=False) if _name(said) in declared}
    return sorted({said.lineno for said in _said(tree) if _is_text(said, known)} | without_call)


def _assigned(tree: ast.AST, holds: Callable[[ast.expr], bool]) -> set[str]:
    """The names of what the condition holds for."""
    return {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and holds(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _said(tree: ast.AST, titles: bool = True) -> Iterator[ast.expr]:
    """What is given to whatever says something; each of what a condition chooses from."""
    raised = [node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)]
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) in SAYS]
    waiting = [each for call in (*raised, *calls) for each in call.args]
    waiting += [
        each.value for call in calls for each in call.keywords if each.arg in ("text", "words", titles and "title")
    ]
    while waiting:
        match node := waiting.pop():
            case ast.IfExp():
                waiting += [node.body, node.orelse]
            case ast.BoolOp():
                waiting += node.values
            case ast.Lambda():
                waiting.append(node.body)
            case _:
                yield node


def _is_text(node: ast.expr, known: set[str]) -> bool:
    match node:
        case ast.Constant():
            return isinstance(node.value, str)
        case ast.JoinedStr() | ast.BinOp():
            return True
        case ast.Call():
            return _name(node.func) in known
    return _name(node) in known


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
    return ""


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_our_tasks_say_no_plain_text(path):
    lines = _plain_words(path.read_text())
    assert not lines, f"{path.name} says a text in the lines {lines}: declare a phrase in that file, and say it"


@pytest.mark.parametrize(
    "said",
    [
        "raise TaskError('No.')",
        "raise kind(f'{error} No.')",
        "raise TemporaryError(str(error)) from error",
        "return TaskError(NO)",
        "task.stage('Reading')",
        "task.log(ngettext('a', 'b', 1))",
        "task.log(PHRASE() if good else 'Bad')",
        "task.rename(title_of(1))",
        "made_by.end_undo(task.id, 'a' + 'b')",
        "user_task(title='Read {file}')",
        "user_task(title=lambda files: 'Read')",
        "user_task(title=title_of)",
        "raise TaskError(PHRASE)",
    ],
)
def test_a_text_in_place_of_a_phrase_is_found(said):
    rest = f"    {said}\ndef title_of(number) -> str: ...\n"
    assert _plain_words(f"NO = 'No.'\nPHRASE = phrase('a.b', 'Yes.')\ndef work(task):\n{rest}") == [4]


def test_a_phrase_is_none():
    said = "raise TaskError(NO())\ntask.log(NO() if bad else YES(number=1))\nuser_task(title=NO)"
    assert _plain_words(f"NO = phrase('a.b', 'No.')\n{said}") == []


def test_each_phrase_of_a_task_is_named_after_the_file_that_says_it(app):
    declared = {
        node.args[0].value: path.stem
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and _name(node.func) == "phrase" and isinstance(node.args[0], ast.Constant)
    }
    assert declared.keys() <= WORDINGS.keys()
    assert {id: file for id, file in declared.items() if id.partition(".")[0] != file} == {}
