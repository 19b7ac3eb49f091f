"""Who may import whom. What holds here is what lets a worker do without the web, and the web without the worker."""

import ast
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tasks.catalogue import CATALOGUE
from tests.processes import ROOT

# From the ground up. A folder is a floor, as is each file that stands beside the folders: what is on a floor imports
# from it and from lower ones. `tasks.*` are the files of `tasks` that have no floor of their own: one for each task.
FLOORS = (
    "webapp.lib",
    "webapp.db",
    "tasks.engine",
    "webapp.settings",
    "webapp.models",
    "webapp.mail",
    "tasks.queue",
    "tasks.lib",
    "tasks.*",
    "tasks.catalogue",
    "webapp.web",
    "webapp.storage",
    "webapp.error_reporting",
    "webapp.cli",
    "webapp.app",
    "webapp.wsgi",
    "tasks.worker",
    "webapp.dev",
)
FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for folder in ("webapp", "tasks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
}
MODULES = sorted(FILES.keys() - {"webapp", "tasks"})


def _floor_of(module: str) -> int:
    for name in (".".join(module.split(".")[:2]), f"{module.rpartition('.')[0]}.*"):
        if name in FLOORS:
            return FLOORS.index(name)
    raise AssertionError(f"{module} stands on no floor: put it into a folder of webapp/")


def _imports(path: Path) -> set[str]:
    """The modules of ours that a file names: when it is imported, later, or for its types alone."""
    imported = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports say where things are"
            parent = {f"{node.module}.{alias.name}" for alias in node.names}
            imported |= {name if name in FILES else node.module for name in parent}
    return imported & set(MODULES)


def test_a_file_imports_only_from_its_floor_and_lower_ones():
    above = [
        f"{module} imports {other}, which stands above it"
        for module in MODULES
        for other in _imports(FILES[module])
        if _floor_of(other) > _floor_of(module)
    ]
    assert not above, "\n".join(above)


def test_the_engine_stands_on_the_database_alone():
    """It knows no task function, route, notification or model of people; and `webapp.lib` knows nothing at all."""
    named = {other for module in MODULES if module.startswith("tasks.engine") for other in _imports(FILES[module])}
    assert {".".join(other.split(".")[:2]) for other in named} == {"tasks.engine", "webapp.db", "webapp.lib"}


TASKS_PAGES = ("webapp.web.routes.tasks", "webapp.web.routes.artifacts", "webapp.web.routes.live", "webapp.web.auth")
NOUNS_OF_THE_SITE = {"Post", "Message", "Mailing", "MailingFile", "Delivery", "MailCount", "DraftGone", "OverLimit"} | {
    "Suppression"
}


def test_neither_the_engine_nor_the_pages_of_tasks_know_posts_messages_or_mail():
    """What they name, what that names, and so on, but for `webapp.models` and the catalogue, which list all."""
    todo = [module for module in MODULES if module.startswith(("tasks.engine", *TASKS_PAGES))]
    reached = set(todo)
    while todo:
        module = todo.pop()
        found = _imports(FILES[module]) - reached - {"webapp.models", "tasks.catalogue"}
        todo += found
        reached |= found
    of_the_site = r"webapp\.(mail\b|models\.(mailing|message|post)\b|web\.(forms|routes)\.(mail|message|post))"
    of_the_site += r"|tasks\.(?!engine\b|catalogue$|queue$)"
    assert not {module for module in reached if re.match(of_the_site, module)}
    assert not {module: names for module in reached if (names := _names(FILES[module]) & NOUNS_OF_THE_SITE)}
    assert not {module: names for module in reached if (names := _texts(FILES[module]) & CATALOGUE.keys())}


def test_no_template_of_the_tasks_pages_knows_a_task_function_or_what_else_the_site_has():
    templates = sorted((ROOT / "templates" / "tasks").rglob("*.html"))
    assert templates
    for path in templates:
        text = path.read_text()
        assert not re.search(r"[\"'](mail|posts|messages|people)[./]", text), path
        assert not {name for name in CATALOGUE if re.search(rf"\b{name}\b", text)}, path


def _texts(path: Path) -> set[str]:
    """The strings of a program."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}


def test_no_imports_go_in_a_circle():
    list(TopologicalSorter({module: _imports(FILES[module]) for module in MODULES}).static_order())


def _modules_after(statement: str) -> set[str]:
    """The top-level packages, and the modules of ours, that a fresh interpreter has loaded after a statement."""
    program = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    answer = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


# What an app with settings of its own does; nothing is opened by it.
CONFIGURED = (
    "from pathlib import Path; from tasks.queue import huey; from webapp import db; db.configure('sqlite:///own.db'); "
    "huey.configure('a secret key', Path('own-queue.db')); assert db.database.param == '?' and huey.storage"
)


@pytest.mark.parametrize(
    ("statement", "banned"),
    [
        ("import webapp.models", {"flask", "tasks.queue", "tasks.catalogue", "flask_login", "webapp.app"}),
        ("import webapp.db", {"flask", "huey", "tasks", "webapp.models", "webapp.settings"}),
        (CONFIGURED, {"flask", "webapp.models", "webapp.settings"}),
        ("import tasks.engine", {"flask", "webapp.models", "webapp.settings", "tasks.queue", "tasks.catalogue"}),
        ("import webapp.web.routes", {"tasks.worker", "webapp.app"}),
        ("import webapp.app", {"tasks.worker", "aiosmtpd", "honcho", "PIL", "sentry_sdk"}),
        ("import webapp.dev.mailbox.server", {"flask", "peewee", "huey", "tasks", "aiosmtpd"}),
    ],
)
def test_a_floor_does_not_load_what_stands_above_it(statement, banned):
    assert not _modules_after(statement) & banned


@pytest.mark.parametrize("package", ["webapp", "tasks"])
def test_the_packages_load_nothing_by_themselves(package):
    assert _modules_after(f"import {package}") == {package}


def test_only_settings_reads_the_environment():
    handed_on = {"webapp.dev.__main__", "webapp.db.backup"}  # they give the whole environment to what they start
    readers = {module for module, path in FILES.items() if re.search(r"\bos\.environ\b(?!`)|getenv", path.read_text())}
    assert readers - handed_on == {"webapp.settings"}


def test_only_one_file_knows_the_headers_of_htmx():
    assert {module for module, path in FILES.items() if "HX-" in path.read_text()} == {"webapp.web.htmx"}
