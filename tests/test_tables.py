"""One place for each decision: who spells out what a table says is named here, with the place and the table."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.engine.models.action_table import OWNER_ACTIONS
from tests.processes import ROOT
from webapp.lib.complete import complete
from webapp.models import MODELS, State

SOURCES = [
    path
    for folder in ("webapp", "tasks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
]
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
PARTIALS = ROOT / "templates" / "tasks" / "status"
STYLES = sorted((ROOT / "webapp" / "static").rglob("*.css"))

LITERALS = ast.Tuple | ast.List | ast.Set | ast.Dict

# The files, by their last name, that may name several states at once, and why.
TABLES = {
    "state.py": "the engine's table",
    "action_table.py": "what owners may ask for in which states",
    "state_words.py": "the words of pages",
}
EXCEPTIONS = {
    "transitions.py": "what the timeline says of a move, by the state to which it leads",
    "workflow.py": "the same of moves that come with a workflow",
    "phrases.py": "the same, as phrases",
    "words.py": "an email that was sent is not called finished; in any other state it has the words of its task",
    "factories.py": "rows look as if they had lived; in any other state they look as if they ran",
}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _state(node: ast.AST) -> State | None:
    """The state that an expression names, by its member or by its value."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "State":
        return State.__members__.get(node.attr)
    if isinstance(node, ast.Constant) and node.value in set(State):
        return State(node.value)
    return None


def _parts(node: ast.AST) -> list[ast.AST]:
    """What stands side by side in an expression or statement: the members of a set, say, or the steps of a ladder."""
    if isinstance(node, LITERALS):
        return [key for key in node.keys if key] if isinstance(node, ast.Dict) else node.elts
    if isinstance(node, ast.BoolOp | ast.MatchOr) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr)):
        return list(ast.walk(node))
    if isinstance(node, ast.Match):
        return [part for case in node.cases for part in ast.walk(case.pattern)]
    if isinstance(node, ast.If | ast.IfExp):
        return [part for test in _ladder(node) for part in ast.walk(test)]
    return []


def _ladder(node: ast.AST) -> Iterator[ast.AST]:
    while isinstance(node, ast.If | ast.IfExp):
        yield node.test
        below = node.orelse if isinstance(node.orelse, list) else [node.orelse]
        node = below[0] if len(below) == 1 else ast.Pass()


def _several_states(source: str) -> dict[int, list[State]]:
    """The states that a module names side by side, by the line."""
    found = {}
    for node in ast.walk(ast.parse(source)):
        states = {state for part in _parts(node) if (state := _state(part))}
        if len(states) > 1:
            found[node.lineno] = sorted(states)
    return found


def test_no_module_but_the_tables_names_several_states():
    others = [path for path in SOURCES if path.name not in TABLES | EXCEPTIONS]
    found = {_name(path): states for path in others if (states := _several_states(path.read_text()))}
    assert not found, f"what these have in common is a field of STATES or STATE_WORDS: {found}"


@pytest.mark.parametrize(
    "source",
    [
        "(State.PAUSED, State.FAILED)",
        "frozenset({State.PAUSED, State.FAILED})",
        "{State.PAUSED: 1, State.FAILED: 2}",
        "{'paused': 1, 'failed': 2}",
        "task.state == State.PAUSED or task.state == State.FAILED",
        "(Task.state == State.PAUSED) | (Task.state == State.FAILED)",
        "1 if state == State.PAUSED else 2 if state == State.FAILED else 3",
        "if state == State.PAUSED: pass\nelif state == State.FAILED: pass",
        "match state:\n    case State.PAUSED: pass\n    case State.FAILED: pass",
    ],
)
def test_this_is_how_a_module_names_several_states(source):
    assert list(_several_states(source).values()) == [[State.FAILED, State.PAUSED]]
    assert not _several_states(source.replace("FAILED", "PAUSED").replace("'failed'", "'paused'"))


def test_no_template_but_the_partials_of_states_names_a_state():
    """What it would ask for has a name on Task or its presenter, and is tested there."""
    state = rf"[\"'](?:{'|'.join(State)})[\"']"
    named = rf"\bstate\b.*?{state}|{state}.*?\bstate\b|[\[(]\s*{state}\s*,\s*{state}"
    found = [
        f"{_name(path)}: {tag}"
        for path in TEMPLATES
        if path.parent != PARTIALS
        for tag in re.findall(r"{[{%].*?[}%]}", path.read_text(), re.DOTALL)
        if re.search(named, tag, re.DOTALL)
    ]
    assert not found, f"these name a state: ask a property such as task.is_stopping in place of {found}"


def test_each_state_has_a_partial_and_no_other():
    assert {path.name for path in PARTIALS.iterdir()} == {f"_{state}.html" for state in State}


@pytest.mark.parametrize("path", STYLES, ids=_name)
def test_no_stylesheet_knows_a_state(path):
    found = re.findall(rf"\[data-state=[\"']?(?:{'|'.join(State)})\b", path.read_text())
    assert not found, f"{_name(path)}: style the tone of its row in STATE_WORDS, by data-tone, in place of {found}"


def test_a_forgotten_row_is_named_as_its_table_is_imported():
    rows = dict.fromkeys(State, "words")
    assert complete("WORDS", State, rows) == rows
    del rows[State.PAUSED]
    with pytest.raises(LookupError, match="WORDS has no row for paused"):
        complete("WORDS", State, rows)
    with pytest.raises(LookupError, match="WORDS has a row for dreaming, which nobody knows"):
        complete("WORDS", State, dict.fromkeys([*State, "dreaming"], "words"))


ANSWERS = {"actions.py": [["dismiss", "remove"]]}  # which lead elsewhere than back to the task


def _listed_actions(source: str) -> list[list[str]]:
    """The owner actions that a module names side by side."""
    literals = [node for node in ast.walk(ast.parse(source)) if isinstance(node, LITERALS)]
    listed = [{part.value for part in _parts(node) if isinstance(part, ast.Constant)} for node in literals]
    return [sorted(actions) for names in listed if len(actions := names & OWNER_ACTIONS.keys()) > 1]


def test_no_module_but_the_tables_lists_owner_actions():
    others = [path for path in SOURCES if path.name != "action_words.py"]
    listed = {_name(path): (_listed_actions(path.read_text()), ANSWERS.get(path.name, [])) for path in others}
    found = {name: actions for name, (actions, answers) in listed.items() if actions != answers}
    assert not found, f"what these say of them is a field of OWNER_ACTIONS or ACTION_WORDS: {found}"


def test_no_template_lists_owner_actions():
    action = rf"[\"'](?:{'|'.join(OWNER_ACTIONS)})[\"']"
    listing = re.compile(rf"{action}\s*(?::[^}},]*)?,\s*{action}")
    found = {_name(path): listed[0] for path in TEMPLATES if (listed := listing.search(path.read_text()))}
    assert not found, f"go through bulk_actions() in place of {found}"


# Whose things these are

SELECTS = {"select", "get", "get_or_none", "get_by_id", "get_or_create", "filter", "raw"}
FOR_EVERYBODY = {"Post", "User"}  # what people write for everybody, and under which name
OWNED = {model.__name__ for model in MODELS} - FOR_EVERYBODY


def _selections(source: str) -> list[str]:
    """Where a module selects rows that belong to somebody by a query of its own."""
    calls = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call, ast.Attribute) and call.attr in SELECTS]
    return [f"line {call.lineno}: {ast.unparse(call)}" for call in named if _last_name(call.value) in OWNED]


def _last_name(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def test_nothing_of_the_web_decides_by_itself_whose_things_it_shows():
    web = sorted((ROOT / "webapp" / "web").rglob("*.py"))
    found = {_name(path): selections for path in web if (selections := _selections(path.read_text()))}
    assert not found, f"ask the model, as by Task.visible_to(user), in place of {found}"


@pytest.mark.parametrize(
    "source", ["Task.get_by_id(task_id)", "Artifact.select().join(Task)", "models.Task.get_or_none(Task.id == task_id)"]
)
def test_this_is_how_a_module_would_decide_it(source):
    assert len(_selections(source)) == 1
    assert not _selections("Task.visible_to(user).where(Task.id == task_id).get_or_none(), Post.select()")
