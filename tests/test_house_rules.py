"""The rules of the house that a machine can check."""

import ast
import base64
import hashlib
import re

import pytest
import yaml
from bs4 import BeautifulSoup

from tests.processes import ROOT

TEMPLATES = {str(path.relative_to(ROOT)): path.read_text() for path in sorted((ROOT / "templates").rglob("*.*"))}
PAGES = {name: text for name, text in TEMPLATES.items() if "/email/" not in name}
MODULES = {
    str(path.relative_to(ROOT)): path.read_text()
    for folder in ("webapp", "tasks")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "migrations" not in path.parts
}
STATIC = ROOT / "webapp" / "static"
STYLES = [path.read_text() for path in sorted(STATIC.rglob("*.css"))]

# What has a place of its own in a page, and the id by which it is found there, as its first line says.
FRAGMENTS = {name: found[1] for name, text in PAGES.items() if (found := re.match(r"{#.* · id: ([\w()-]+)", text))}

LONGEST = 40  # lines of a template
LONGEST_MODULE = 200
WIDEST = 160  # characters of a line

# What no template may have, and why.
BANNED = {
    "an inline script": r"<script(?![^>]*\ssrc=)",
    "an inline style": r"<style|\sstyle=",
    "an inline handler": r"\son[a-z]+\s*=",
    "hx-on, which is a script in an attribute": r"hx-on",
    "js:, which is a script in an attribute": r"""["'{\s](js|javascript):""",
    "a trigger filter, which is a script in an attribute": r"hx-trigger=\"[^\"]*\[",
    "an import with context, which renders what is imported anew each time": r"import [^%]*with(out)? context",
    "text that is not escaped": r"\|\s*safe\b|Markup|autoescape",
    "hx-swap-oob, where hx-partial says it better": r"hx-swap-oob",
    "an id of a record that dom_id did not spell": r"""\sid=["'][\w-]*\{\{ *(?!field\.|when\.|news\.)\w+\.id\b""",
}


def test_a_template_fits_on_a_screen():
    long = {name: lines for name, text in PAGES.items() if (lines := len(text.splitlines())) > LONGEST}
    assert not long, f"make a partial of a part of each of these, to have {LONGEST} lines at most: {long}"


def test_no_line_of_a_template_is_wider_than_an_editor():
    """Mails are exempt: their styles stand in the attributes, which makes lines long and wrapped ones no clearer."""
    wide = {
        f"{name}:{number}": len(line)
        for name, text in PAGES.items()
        for number, line in enumerate(text.splitlines(), 1)
        if len(line) > WIDEST
    }
    assert not wide, f"wrap these lines, within a tag or by {{%- -%}}, to have {WIDEST} at most: {wide}"


def test_a_module_is_small_and_formatted_by_the_formatter_alone():
    long = {name: lines for name, text in MODULES.items() if (lines := len(text.splitlines())) > LONGEST_MODULE}
    assert not long, f"give a part of each of these a file, to have {LONGEST_MODULE} lines at most: {long}"
    by_hand = [name for name, text in MODULES.items() if "# fmt:" in text]
    assert not by_hand, f"lay the code out so that the formatter may have it: {by_hand}"


# Where SQL stands in a string, and why: what Peewee cannot say, or what is asked of another database than that of the
# models. Everywhere else it is built from models, so that each column and each state is named once.
HAND_WRITTEN_SQL = {
    "webapp/db/fulltext.py": "indexes of words, which no model can declare",
    "webapp/db/inserts.py": "hundreds of rows at once, which Peewee builds value by value",
    "webapp/models/desk_parts.py": "goes from one kind to the next by index, in a recursion",
    "webapp/models/search_indexes.py": "searches by these indexes",
    "webapp/models/searched_rows.py": "reads rows of either table in a statement of its own, as these searches do",
    "webapp/db/backup.py": "reads a copied file before there are models for it",
    "webapp/db/sizes.py": "asks PostgreSQL about its own tables",
    "webapp/db/postgres.py": "asks the server about its own processes",
    "webapp/lib/queue_file.py": "Huey's file",
    "tasks/queue.py": "Huey’s table",
    "webapp/dev/demo/world.py": "locks a table on PostgreSQL",
}


def _has_sql(text: str) -> bool:
    """Whether a string of a module is a statement; an f-string is taken together."""
    statement = r"\b(?:(SELECT|DELETE)\b.*\bFROM|INSERT\b.*\bINTO|UPDATE\b.*\bSET|WITH\b.*\bAS\s*\(|LOCK\s+TABLE)\b"
    strings = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            strings.append("".join(part.value if isinstance(part, ast.Constant) else "_" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            strings.append(node.value)
    return any(re.search(statement, string, re.DOTALL) for string in strings)


def test_sql_stands_in_no_string_where_a_query_could_be_built():
    """By `compiled` of webapp/db, a query that runs often costs what its SQL in a string would."""
    assert {name for name, text in MODULES.items() if _has_sql(text)} == HAND_WRITTEN_SQL.keys()


@pytest.mark.parametrize("why", BANNED)
def test_no_template_has(why):
    assert [name for name, text in PAGES.items() if re.search(BANNED[why], text)] == []


def test_the_only_script_is_htmx_as_it_was_published():
    assert [path.name for path in ROOT.glob("webapp/**/*.js")] == ["htmx-4.0.1.min.js"]
    assert not list(ROOT.glob("templates/**/*.js"))
    [script] = BeautifulSoup(TEMPLATES["templates/base.html"], "html.parser").select("script")
    digest = hashlib.sha384((STATIC / "htmx-4.0.1.min.js").read_bytes()).digest()
    assert script["integrity"] == f"sha384-{base64.b64encode(digest).decode()}"
    assert "htmx-4.0.1.min.js" in script["src"]


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_extends_no_layout_and_has_one_root_with_its_id(name):
    assert "{% extends" not in TEMPLATES[name]
    text = re.sub(r"{#.*?#}|{%.*?%}", "", TEMPLATES[name], flags=re.DOTALL)
    roots = BeautifulSoup(text, "html.parser").find_all(recursive=False)
    assert [root.get("id", "").strip("{} ") for root in roots] == [FRAGMENTS[name]]


def test_a_fragment_that_a_route_answers_with_says_its_id():
    routes = "".join(path.read_text() for path in (ROOT / "webapp" / "web" / "routes").rglob("*.py"))
    rendered = set(re.findall(r'render_template\("((?:\w+/)*_\w+\.html)"', routes))
    assert "tasks/_panel.html" in rendered
    assert {f"templates/{name}" for name in rendered} <= FRAGMENTS.keys()


@pytest.mark.parametrize("name", [name for name in TEMPLATES if re.search(r"/_", name)])
def test_nothing_that_is_polled_holds_a_form_or_the_present_time(name):
    """A form in a fragment would lose what somebody types; the time would change it while nothing changed.

    A checkbox keeps its tick when it is morphed, and belongs to a form elsewhere.
    """
    assert not re.search(r"<form|<input(?! type=\"checkbox\" [^>]*form=)|csrf_token|utcnow", TEMPLATES[name])


def test_how_a_page_polls_is_spelled_once():
    how = re.compile(r"\bevery \d+m?s\b|\bload delay:|visibilitychange|\blive from:|timeout:4s")
    spelled = {name: found[0] for name, text in PAGES.items() if (found := how.search(text))}
    del spelled["templates/polling.html"]
    assert not spelled, f"say it by `polling` or `look_once` of polling.html: {spelled}"


# What is no phrase's text: a form's label, an address as it was typed, what a mail server said, what is said once.
TEXTS = {"field.label.text", "form.body.label.text", "rejected.text", "delivery.error", "news.text", "notice.text"}
TEXTS |= {"form.reason.label.text", "choice.label.text", "problem.title", "report.text"}


def test_what_rows_keep_for_people_is_read_as_words_and_not_as_the_text_beside_the_phrase():
    """The text is what the owner read then: ask `title_words()`, `stage_words()`, `error_words()` or `words()`."""
    tags = {tag for text in TEMPLATES.values() for tag in re.findall(r"{[{%].*?[}%]}", text, re.DOTALL)}
    named = {name for tag in tags for name in re.findall(r"\b[\w.]+\.(?:text|title|stage|error)\b", tag)}
    assert named <= TEXTS
    # `task.stage(…)` is a verb of runs.
    raw = re.compile(r"\b(?:task|parent|part|child|event)\.(?:text|title|stage|error)\b(?!\()")
    readers = re.compile(r"webapp/(web|mail)/|tasks/(?!engine/)")
    read = {(name, each) for name, text in MODULES.items() if readers.match(name) for each in raw.findall(text)}
    assert read == set()


def test_every_button_of_htmx_says_so_if_it_does_not_get_through():
    """What is sent by itself, or while one types, is sent again; what somebody pressed is not."""
    tag = r"<(?:button|form)\b(?:{{.*?}}|[^>])*?\bhx-post=(?:{{.*?}}|[^>])*>"
    found = {(name, match) for name, text in PAGES.items() for match in re.findall(tag, text)}
    assert len(found) > 4
    assert {name for name, match in found if "PRESS" not in match} == set()


def test_every_mail_is_both_text_and_html():
    mails = {name.rpartition(".")[0] for name in TEMPLATES if "/email/" in name}
    assert all(f"{name}.{kind}" in TEMPLATES for name in mails for kind in ("txt", "html"))


def test_every_icon_that_a_page_names_is_drawn():
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    named = {icon for text in PAGES.values() for icon in re.findall(r'icon\("([\w-]+)"\)', text)}
    assert named
    assert named <= drawn


def test_styles_load_nothing_from_elsewhere():
    assert not any(re.search(r"@import|url\(\s*['\"]?(https?:)?//", css) for css in STYLES)


def test_the_stylesheet_closes_what_it_opens():
    """A browser would not say so: it takes what follows for a part of what was left open."""
    for styles in STYLES:
        css = re.sub(r"/\*.*?\*/", "", styles, flags=re.DOTALL)
        assert css.count("{") == css.count("}")


def test_the_product_is_named_by_its_setting_alone():
    assert [name for name, text in TEMPLATES.items() if "Errand" in text] == []


def test_pre_commit_checks_with_the_ruff_that_make_check_has():
    hooks = {hook["id"]: hook for hook in _pre_commit()["hooks"]}
    [pinned] = re.findall(r"^ruff==\S+", (ROOT / "requirements-dev.in").read_text(), re.MULTILINE)
    assert [hooks[name]["additional_dependencies"] for name in ("ruff-check", "ruff-format")] == [[pinned]] * 2


def test_pre_commit_installs_what_is_pinned_and_leaves_nothing_of_what_make_check_asks():
    for hook in _pre_commit()["hooks"]:
        assert hook["language"] == "system" or all("==" in name for name in hook["additional_dependencies"])
    [check] = re.findall(r"^check:.*\n\t@(.*)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    asked = [command.split()[:2] for command in check.replace("$(BIN)/", "").replace(".", "").split("&&")]
    entries = [hook["entry"].removeprefix(".venv/bin/") for hook in _pre_commit()["hooks"]]
    assert [words for words in asked if not any(entry.startswith(" ".join(words)) for entry in entries)] == []


def _pre_commit() -> dict:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    [repo] = config["repos"]
    return repo


def test_a_month_or_day_has_its_name_from_the_language_and_not_from_the_locale_of_the_process():
    sources = {
        str(path.relative_to(ROOT)): path.read_text()
        for name in ("webapp", "tasks")
        for path in (ROOT / name).rglob("*.py")
    }
    named = r"""%[aAbBcpxX]\b(?=[^"']*["'}])"""
    assert [name for name, text in (sources | TEMPLATES).items() if re.search(named, text)] == []
