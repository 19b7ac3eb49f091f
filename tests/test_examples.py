"""The documents' examples are complete files: they run, do what is said beside them, and pass the project's checks."""

import io
import re
import subprocess
import sys
from dataclasses import dataclass
from types import ModuleType

import pytest
from jinja2 import ChoiceLoader, FileSystemLoader

from tasks.catalogue import CATALOGUE
from tests.browsing import browse
from tests.processes import BIN, ROOT
from webapp.dev.factories import make_task, make_user
from webapp.models import Post, State, Task
from webapp.web.presenters import task_pages

HTMX = {"HX-Request": "true"}


@dataclass(frozen=True)
class Example:
    """A block of code in a document. `path` is the file that it shows, as its first line says; "" for a snippet."""

    document: str
    language: str
    text: str

    @property
    def path(self) -> str:
        named = re.match(r"(?:#|{#) ([\w/]+\.\w+)", self.text)
        return named[1] if named else ""

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".")


def _examples() -> list[Example]:
    found = []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for language, text in re.findall(r"^```(\w+)\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL):
            found.append(Example(str(path.relative_to(ROOT)), language, text))
    return found


APART = "docs/embedding.md"  # an app of its own, which tests/guarantees/test_embedding.py runs
EXAMPLES = _examples()
PYTHON = [example for example in EXAMPLES if example.language == "python" and example.document != APART]


def test_every_example_is_one_that_is_tried():
    assert {example.language for example in EXAMPLES} == {"python", "jinja", "bash"}
    commands = {example.document for example in EXAMPLES if example.language == "bash"}
    assert commands == {"docs/api.md"}  # which tests/test_api_docs.py pastes into a shell
    places = {example.path.partition("/")[0] for example in EXAMPLES}
    assert places == {"tasks", "webapp", "templates", "tests", "club.py", "invitation.html", ""}


def test_every_example_passes_the_projects_own_checks(tmp_path):
    """A snippet, which is no file, needs no docstring, and has a `user`."""
    assert PYTHON
    for number, example in enumerate(each for each in EXAMPLES if each.language == "python"):
        path = tmp_path / (example.path or f"snippet_{number}.py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(example.text)
    ruff = [BIN / "ruff", "--config", ROOT / "pyproject.toml", "--config", 'builtins=["user"]']
    ruff += ["--config", 'lint.isort.known-first-party=["tasks", "webapp"]']
    lint = [*ruff, "--config", 'lint.per-file-ignores={"snippet_*"=["D100"], "**/tests/**"=["D1", "S"]}']
    for command in ([*lint, "check", "--no-cache", "."], [*ruff, "format", "--no-cache", "--diff", "."]):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def site(make_app, declare, monkeypatch, tmp_path):
    """An app with the files of all examples, loaded in their order, and what is left to be called."""
    for example in EXAMPLES:
        if example.language == "jinja" and example.document != APART:
            path = tmp_path / example.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(example.text)
    monkeypatch.setattr(task_pages, "_PAGES", dict(task_pages._PAGES))
    app = make_app()
    app.jinja_loader = ChoiceLoader([FileSystemLoader(tmp_path / "templates"), app.jinja_loader])
    for example in PYTHON:
        if example.path:
            module = ModuleType(example.module)
            monkeypatch.setitem(sys.modules, example.module, module)
            exec(compile(example.text, example.path, "exec"), module.__dict__)
            if hasattr(module, "bp"):
                app.register_blueprint(module.bp)
    return app


def test_snippets_do_what_they_say(site, run_waiting):
    """Each is run, and then all that it has started, which succeeds if it is not for later."""
    user = make_user()
    for example in PYTHON:
        if not example.path:
            exec(compile(example.text, example.document, "exec"), {"user": user})
            run_waiting()
    states = [task.state for task in Task.select().order_by(Task.created_at)]
    assert states.count(State.SCHEDULED) == 1
    assert set(states) == {State.SCHEDULED, State.SUCCEEDED}
    assert Task.get(Task.name == "add_up").result == 4


def test_tests_that_are_shown_pass(site):
    shown = [example for example in PYTHON if example.path.startswith("tests/")]
    tests = [value for example in shown for name, value in vars(sys.modules[example.module]).items() if "test_" in name]
    assert tests
    for test in tests:
        test(site)


def test_the_forms_of_the_examples_start_them(site, run_waiting):
    ann = browse(site, make_user("ann"))
    listed = [name for name, function in CATALOGUE.items() if function.body.__code__.co_filename.startswith("tasks/")]
    assert {"draw_cards", "count_lines", "write_posts"} <= set(listed)
    for name in ("draw_cards", "count_lines", "write_posts"):
        assert ann.get(f"/tasks/new/{name}").status_code == 200
    assert ann.submit("/tasks/new/draw_cards", deck="poker", count="3").status_code == 303
    run_waiting()
    assert (Task.get().title, Task.get().state) == ("Draw 3 cards from poker", State.SUCCEEDED)


def test_the_example_of_a_preview_and_an_undo(site, run_waiting):
    ann = browse(site, make_user("ann"))

    def table() -> tuple[io.BytesIO, str]:
        return io.BytesIO(b"body,at\nOne,1\nTwo,2\n"), "a.csv"

    wrong = ann.submit("/tasks/new/write_posts", file=table(), column="text")
    assert "There is no column text." in wrong.one("#column-error").text
    preview = ann.submit("/tasks/new/write_posts/preview", file=table(), column="body", headers=HTMX)
    assert [cell.text for cell in preview.page.select("td")] == ["One", "Two"]
    page = ann.submit("/tasks/new/write_posts", file=table(), column="body")
    run_waiting()
    assert [post.body for post in Post.by(ann.user)] == ["One", "Two"]
    task = ann.get(page.headers["Location"])
    ann.submit(task.one("button[id$=-undo]")["formaction"])
    run_waiting()
    assert not Post.select().exists()
    assert "Undo this" not in ann.get(page.headers["Location"]).words


def test_the_example_of_a_panel_is_on_the_page_of_its_task_alone(site):
    ann = browse(site, make_user("ann"))
    drawn = make_task(State.SCHEDULED, ann.user, name="draw_cards", arguments={"deck": "tarot", "count": 5})
    cards, other = ann.get(f"/tasks/{drawn.id}"), ann.get(f"/tasks/{make_task(State.SCHEDULED, ann.user).id}")
    assert cards.one("main article a[href^='/cards']").text == "Back to the tarot"
    assert cards.one("main button[id$=-pause]").text.startswith("Draw now")
    assert not other.page.select("article a[href^='/cards']")
    assert other.one("main button[id$=-pause]").text.startswith("Start now")


def test_the_example_of_a_page_shows_its_task_live_and_once(site, run_waiting):
    ann, bob = browse(site, make_user("ann")), browse(site, make_user("bob"))
    assert not ann.get("/cards").page.select("article")
    answer = ann.submit("/cards")
    assert answer.status_code == 303
    task = Task.get()
    page = ann.get(answer.headers["Location"])
    card = page.one(f"#task-{task.id}")
    assert (card.name, card["data-state"]) == ("article", "pending")
    assert page.one("noscript meta[http-equiv=refresh]")
    first = ann.get(card["hx-get"], headers=HTMX)
    assert first.text.strip() in page.text
    unchanged = {**HTMX, "If-None-Match": first.headers["ETag"]}
    assert ann.get(card["hx-get"], headers=unchanged).status_code == 304
    assert not ann.get(page.one("#live")["hx-get"], headers=HTMX).page.select(f"#task-{task.id}")
    assert bob.get(card["hx-get"], headers=HTMX).status_code == 404
    assert not bob.get(answer.headers["Location"]).page.select("article")
    assert ann.submit("/cards").headers["Location"] == f"/tasks/{task.id}", "it runs already"
    run_waiting()
    last = ann.get(card["hx-get"], headers=unchanged)
    assert last.one("article")["data-state"] == "succeeded"
    assert last.one(".artifacts a").text == "cards.txt"
    assert "every" not in last.one("article")["hx-trigger"]
    assert not ann.get(answer.headers["Location"]).page.select("noscript meta")
