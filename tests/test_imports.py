"""Who may import whom. What holds here is what lets a worker do without the web, and the web without the worker."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.processes import ROOT

# From the ground up. A file imports only from floors below its own; those of one package may import each other.
# What has no floor of its own has that of its folder, which is said with a star.
FLOORS = (
    ("webapp.environment", "webapp.marks", "webapp.languages", "webapp.i18n"),
    (
        "webapp.settings",
        "webapp.times",
        "webapp.dom",
        "webapp.texts",
        "webapp.filenames",
        "webapp.recipients",
        "webapp.folding",
        "webapp.endings",
        "webapp.mime",
        "webapp.sqlite_lock",
        "webapp.outage",
        "webapp.deadlines",
    ),
    ("webapp.fulltext", "webapp.listening", "webapp.logs"),
    ("webapp.breaker",),
    ("webapp.postgres",),
    ("webapp.deadline",),
    ("webapp.redis_pool", "webapp.smtp"),
    ("webapp.database", "webapp.address_files"),
    ("webapp.resilience", "webapp.schema", "webapp.backup"),
    ("webapp.signals", "webapp.readiness"),
    ("webapp.starting",),
    ("webapp.models",),
    ("webapp.factories", "webapp.restored"),
    ("tasks.queue_file",),
    ("tasks.queue",),
    ("tasks.engine",),
    ("tasks.cells", "tasks.zips"),
    ("tasks.lib",),
    ("webapp.mailer", "webapp.progress", "webapp.mailbox"),
    ("tasks.mail_once", "webapp.moments"),
    ("webapp.letters", "webapp.mail_words"),
    ("tasks.*",),  # a file for each task: a new one needs no line here
    ("tasks.catalogue",),
    ("webapp.intake", "webapp.navigation"),
    (
        "webapp.caching",
        "webapp.kept",
        "webapp.htmx",
        "webapp.downloads",
        "webapp.excerpts",
        "webapp.paging",
        "webapp.security",
        "webapp.live",
        "webapp.forms",
        "webapp.actions",
        "webapp.bulk_words",
        "webapp.task_words",
    ),
    ("webapp.polls", "webapp.once", "webapp.rate_limits", "webapp.search_forms", "webapp.previews"),
    ("webapp.mail_form", "webapp.access_log"),
    ("webapp.accounts",),
    ("webapp.routes",),
    ("webapp.cli",),
    ("webapp.app",),
    ("webapp.wsgi", "webapp.dev", "webapp.keep", "tasks.worker"),
    ("webapp.demo",),
)
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("webapp", "tasks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
}


def _floor_of(module: str) -> int:
    for name in (module, f"{module.rpartition('.')[0]}.*"):
        found = [n for n, names in enumerate(FLOORS) if any(f"{name}.".startswith(f"{floor}.") for floor in names)]
        if found:
            return found[0]
    raise AssertionError(f"{module} has no floor yet: give it one in FLOORS")


def _imports(path: Path) -> set[str]:
    """The modules of ours that a file loads when it is imported, and those that it loads later."""
    imported = set()
    for node in _without_type_checking(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports say where things are"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            imported |= {name if name in FILES else node.module for name in whole}
    return imported & set(FILES) - {"webapp", "tasks"}


def _without_type_checking(node: ast.AST):
    for child in ast.iter_child_nodes(node):
        if not (isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"):
            yield child
            yield from _without_type_checking(child)


@pytest.mark.parametrize("module", sorted(FILES.keys() - {"webapp", "tasks"}))
def test_a_file_imports_only_from_lower_floors(module):
    here = _floor_of(module)
    package = module.rsplit(".", 1)[0] if module.count(".") > 1 else module
    for other in _imports(FILES[module]):
        assert _floor_of(other) < here or other.startswith(package), f"{module} imports {other}"


def test_no_imports_go_in_a_circle():
    packages = {"webapp.models", "webapp.routes", "tasks.engine"}  # these only list what is in them
    graph = {module: _imports(path) for module, path in FILES.items() if module not in packages}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(graph)


def _modules_after(statement: str) -> set[str]:
    """The top-level packages, and the modules of ours, that a fresh interpreter has loaded after a statement."""
    program = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


@pytest.mark.parametrize(
    ("statement", "banned"),
    [
        ("import webapp.models", {"flask", "huey", "tasks", "flask_login", "webapp.app"}),
        ("import webapp.database", {"flask", "huey", "tasks", "webapp.models"}),
        ("import tasks.queue", {"flask", "webapp.models", "tasks.engine"}),
        ("import tasks.engine", {"flask", "webapp.app", "webapp.routes", "tasks.catalogue", "tasks.worker"}),
        ("import webapp.routes", {"tasks.worker", "webapp.app"}),
        ("import webapp.app", {"tasks.worker", "aiosmtpd", "honcho", "PIL"}),
        ("import webapp.mailbox", {"flask", "peewee", "huey", "tasks", "aiosmtpd"}),
    ],
)
def test_a_floor_does_not_load_what_stands_above_it(statement, banned):
    assert not _modules_after(statement) & banned


@pytest.mark.parametrize("package", ["webapp", "tasks"])
def test_the_packages_load_nothing_by_themselves(package):
    assert _modules_after(f"import {package}") == {package}


def test_only_settings_reads_the_environment():
    handed_on = {"webapp.dev", "webapp.backup"}  # they give the whole environment to what they start
    readers = {module for module, path in FILES.items() if re.search(r"\bos\.environ\b(?!`)|getenv", path.read_text())}
    assert readers - handed_on == {"webapp.settings"}


def test_only_one_file_knows_the_headers_of_htmx():
    assert {module for module, path in FILES.items() if "HX-" in path.read_text()} == {"webapp.htmx"}
