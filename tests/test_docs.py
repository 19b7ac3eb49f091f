"""What the documents name is there: tests, files, and what make makes."""

import ast
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import click
import pytest
from huey import consumer

from tests.processes import ROOT

DOCUMENTS = {
    str(path.relative_to(ROOT)): path for path in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")))
}
TROUBLE = DOCUMENTS["docs/troubleshooting.md"].read_text()
OUR_SOURCES = [path for folder in ("webapp", "tasks") for path in sorted((ROOT / folder).rglob("*.py"))]
# Names in a sentence: `State`, `Task.claim` and `FIELDS`.
NAMES = r"`\w+(?:\.\w+)?`(?:(?:, | and |, and )`\w+(?:\.\w+)?`)*"
# What is logged where something is wrong, and by what: the words of an Outage are, too.
WARNS = {"warning", "error", "exception", "critical", "Outage"}


@pytest.fixture(params=DOCUMENTS)
def document(request):
    """The path of one of them."""
    return DOCUMENTS[request.param]


def test_every_test_that_a_document_names_is_there(document):
    sources = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    there = {name for text in sources for name in re.findall(r"def (test_\w+)", text)}
    named = set(re.findall(r"`(test_\w+)`", document.read_text()))
    assert named <= there
    assert named or document.name != "guarantees.md", "each of its promises names one"


def test_every_file_that_a_document_names_is_there(document):
    text = document.read_text()
    named = re.findall(r"`([\w./-]+/|[\w./-]+\.(?:py|html|css|toml|txt))`", text)
    named += re.findall(r"ARGS=\"?([\w/]+\.py)", text)
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    linked = re.findall(r"\]\((?!http)([^)#]+)\)|src=\"([^\"]+)\"", prose)
    assert [name for name in named if not (ROOT / name).exists()] == []
    assert [link for pair in linked for link in pair if link and not (document.parent / link).exists()] == []


@cache
def _classes() -> dict[str, tuple[set[str], set[str]]]:
    """What each class of ours has itself, and the names of its bases."""
    found: dict[str, tuple[set[str], set[str]]] = {}
    for path in OUR_SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                own = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
                own |= {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
                found[node.name] = (own, {ast.unparse(base) for base in node.bases})
    return found


def _has(classes: dict[str, tuple[set[str], set[str]]], name: str, member: str) -> bool:
    own, bases = classes.get(name, (set(), set()))
    return member in own or any(_has(classes, base, member) for base in bases)


def test_every_method_that_a_document_names_is_one_of_its_class(document):
    classes, text = _classes(), document.read_text()
    if document.name == "CHANGELOG.md":
        text = re.sub(r"^\|[^|]*\|", "", text, flags=re.MULTILINE)  # what something was called before
    for name, member in re.findall(r"`@?([A-Z]\w*[a-z]\w*)\.(\w+)", text):
        assert name not in classes or _has(classes, name, member), f"{name} has no {member}"


def test_every_name_that_a_document_gives_with_its_file_is_in_that_file(document):
    """As in: `State` and `TRANSITIONS` in `state.py`; `state.py` (`State`, `TRANSITIONS`)."""
    text = re.sub(r"\s+", " ", document.read_text())
    file = r"`([\w/]+\.(?:py|html))`"
    given = [(path, names) for names, path in re.findall(rf"({NAMES}) (?:in|of) {file}", text)]
    given += re.findall(rf"{file} \(({NAMES})\)", text)
    for path, names in given:
        source = (ROOT / path).read_text()
        for name in re.findall(r"`([\w.]+)`", names):
            assert all(re.search(rf"\b{part}\b", source) for part in name.split(".")), f"{path} has no {name}"
    assert given or document.name != "architecture.md"


def test_every_target_of_make_that_a_document_names_is_there(document):
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:`|^    )make (\w+)", document.read_text(), re.MULTILINE)) <= targets


def test_every_logger_that_a_document_names_says_what_it_is_said_to(document):
    for row in re.findall(r"^\| (`(?:webapp|tasks)\.[^|]*\|.*)", document.read_text(), re.MULTILINE):
        loggers, meaning = row.split(" | ", 1)
        names = re.findall(r"`([\w.]+)`", loggers)
        paths = [ROOT / f"{name.replace('.', '/')}.py" for name in names if name != "webapp.access"]
        sources = "".join(path.read_text() for path in paths)
        assert sources.count("log = logging.getLogger(") == len(paths), loggers
        for words in re.findall(r"\*([A-Z][^*:…]+)", meaning):
            said = words.partition(" after ")[0].strip()
            assert said in sources, f"{said!r} is not said by {loggers}"


def test_what_is_installed_as_operating_says_is_found_by_the_procfile(tmp_path):
    [block] = re.findall(
        r"(?:^    .*\n)*^    honcho start.*\n", DOCUMENTS["docs/operating.md"].read_text(), re.MULTILINE
    )
    lines = [line.strip() for line in block.splitlines() if not re.match(r" *\S*(pip|flask|honcho) ", line)]
    programs = {line.split()[1] for line in (ROOT / "Procfile").read_text().splitlines()}
    # What pip would put there; making a whole environment costs seconds.
    script = lines + [f"touch .venv/bin/{name}; chmod +x .venv/bin/{name}; command -v {name}" for name in programs]
    script[0] += " --without-pip"
    path = f"{sys.base_prefix}/bin:/usr/bin:/bin"
    done = subprocess.run(
        ["/bin/sh", "-ec", "\n".join(script)], cwd=tmp_path, env={"PATH": path}, capture_output=True, text=True
    )
    assert done.stdout.split() == [f"{tmp_path}/.venv/bin/{name}" for name in programs], done.stderr


def test_every_command_of_flask_that_a_document_names_is_there(document, app):
    for line in re.findall(r"flask --app webapp\.wsgi ([^`\n]*)", document.read_text()):
        command, words = app.cli, shlex.split(line, comments=True)
        while isinstance(command, click.Group):
            assert words, f"{line!r} names no command"
            command = command.get_command(click.Context(command), words.pop(0))
            assert command, line
        command.make_parser(click.Context(command)).parse_args(words)  # raises for an option that there is not


def _text(node: ast.AST) -> str | None:
    """A string of a program, with … for each of its variables, or None where it is none."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return re.sub(r"%[.\d]*[sdrf]", "…", node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) or "…" for part in node.values)
    return None


def _texts(path) -> list[str]:
    return [text for node in ast.walk(ast.parse(path.read_text())) if (text := _text(node))]


def _warnings(path) -> list[str]:
    """What a program logs where something is wrong, and what it says when that is over."""
    source, texts = path.read_text(), []
    if not re.search(rf"\b({'|'.join(WARNS)})[(,]", source):  # parsing all takes a second in each process of the tests
        return []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            function, *arguments = node.args if ast.unparse(node.func) == "partial" else (node.func, *node.args)
            if ast.unparse(function).rpartition(".")[2] in WARNS:
                texts += [text for argument in arguments if (text := _text(argument))]
    return texts


def test_every_line_that_troubleshooting_quotes_is_said():
    quoted = [line for line in re.findall(r"`([^`\n]+)`", TROUBLE) if re.match(r"(errand: |… |[A-Z][^`=]* )", line)]
    assert len(quoted) > 40
    said = [text for path in (*OUR_SOURCES, consumer.__file__) for text in _texts(Path(path))]
    unsaid = []
    for line in quoted:
        own = re.sub(r"errand: ([A-Z_]+ )?|tasks/draw_cards.py:9: draw_cards: ", "", line)
        for part in filter(None, (part.strip(" :") for part in own.split("…"))):
            if not any(part in text for text in said):
                unsaid.append((part, line))
    assert unsaid == []


@pytest.mark.parametrize("path", [path for path in OUR_SOURCES if _warnings(path)], ids=lambda path: path.stem)
def test_every_warning_of_the_log_is_explained(path):
    explained = re.sub(r"\s+", " ", TROUBLE)
    for text in _warnings(path):
        if text.strip("…: "):
            assert text.rstrip("… :") in explained, f"docs/troubleshooting.md does not say what to do about {text!r}"
