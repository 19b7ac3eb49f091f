"""The pages for developers: everything of the API has a place there, and every example is one."""

import json
import re
import shlex
from datetime import timedelta

import pytest

from tests.browsing import browse
from webapp.dev.factories import make_user
from webapp.models.idempotency_key import KEEP
from webapp.models.scopes import Scope
from webapp.web.api import idempotency
from webapp.web.api.examples import fits
from webapp.web.api.json_body import demand
from webapp.web.api.operation import OPERATIONS
from webapp.web.api.pages import MOST
from webapp.web.api.problems import PROBLEM_TYPES
from webapp.web.api.resource import Listed, Resource
from webapp.web.presenters.api_reference import entry_of, example_answer, nouns, schemas
from webapp.web.presenters.api_requests import FORMS

LARGEST = 120_000  # bytes of a page, before it is compressed


@pytest.fixture
def visitor(app):
    """Somebody who is not signed in."""
    return browse(app)


@pytest.mark.parametrize("tag", sorted({row.tag for row in OPERATIONS.values()}))
def test_each_operation_stands_on_the_page_of_its_noun(visitor, tag):
    index, page = visitor.get("/developers").page, visitor.get(f"/developers/{tag}")
    for name, operation in OPERATIONS.items():
        if operation.tag != tag:
            continue
        [link] = index.select(f"a[href='/developers/{tag}#{name}']")
        assert link.text.split() == [operation.method, operation.path]
        shown = page.one(f"#{name}")
        assert operation.path in shown.find_parent("details").select_one("summary").text
        for part in [*operation.query, *(operation.body or {}).get("properties", {})]:
            assert getattr(part, "name", part) in {each.text for each in shown.select("dt code")}
        for scope in operation.own_scopes or ("oken",):
            assert scope in shown.select_one("p").text


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_example_of_an_answer_is_one_by_its_schema(name):
    operation = OPERATIONS[name]
    entry = entry_of(operation, "https://site.example")
    for answer in entry.answers:
        said = operation.answers[answer.status]
        if isinstance(said, Resource | Listed):
            assert fits(json.loads(answer.example), said.schema, schemas())
            assert example_answer(operation, answer.status)
        else:
            assert not answer.example


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_example_of_a_request_is_one(name):
    operation = OPERATIONS[name]
    words = shlex.split(entry_of(operation, "https://site.example").request.replace("\\\n", ""))
    assert re.fullmatch(r"https://site\.example/api/v1(/[\w.-]+)+", next(word for word in words if "://" in word))
    assert ("-X" in words) == (operation.method != "GET")
    if operation.body and "-d" in words:
        demand(operation.body, json.loads(words[words.index("-d") + 1]))


def test_each_operation_that_takes_files_has_an_example_with_some():
    taking = {name for name, operation in OPERATIONS.items() if operation.takes_files}
    assert taking <= FORMS.keys()
    for name in FORMS.keys() & OPERATIONS.keys():
        entry = entry_of(OPERATIONS[name], "https://site.example")
        assert (entry.form or entry.request).count("=@") == 1


def test_an_example_that_its_schema_does_not_allow_is_seen():
    [user] = [noun for noun in nouns() if noun.tag == "user"]
    shown = json.loads(user.entries("")[0].answers[0].example)
    assert fits(shown, schemas()["User"], schemas())
    assert not fits(shown | {"id": "x"}, schemas()["User"], schemas())


def test_an_answer_without_a_body_says_so_and_a_file_is_none(visitor):
    def said(name: str) -> list[str]:
        shown = visitor.get(f"/developers/{OPERATIONS[name].tag}").one(f"#{name}")
        return [each.find_next_sibling("p").text for each in shown.select("h3") if each.text.startswith("Answer")]

    assert said("revoke_found_token") == said("delete_post") == ["No body."]
    assert said("show_openapi") == ["The content itself.", "No body."]


@pytest.mark.parametrize("problem", PROBLEM_TYPES, ids=lambda each: each.slug)
def test_each_problem_has_a_page_at_the_address_that_is_its_type(visitor, problem):
    assert visitor.get("/developers/problems").page.select(f"a[href='{problem.uri}']")
    page = visitor.get(problem.uri)
    assert page.status_code == 200
    assert page.one("h1").text == problem.title
    example = json.loads(page.one("pre").text)
    assert fits(example, schemas()["Problem"], schemas())
    assert (example["type"], example["status"]) == (problem.uri, problem.status)
    assert example.keys() >= set(re.findall(r"`(\w+)`", problem.advice)), "what the advice names isn't shown"
    assert ("errors" in example) == (problem.slug == "invalid")


def test_each_scope_is_explained(visitor):
    explained = {
        code.text for code in visitor.get("/developers").page.select("section[aria-labelledby=scopes] dt code")
    }
    assert explained == set(Scope)


def test_no_link_of_these_pages_leads_nowhere(visitor):
    pages = ["/developers", "/developers/problems"]
    pages += [f"/developers/{noun.tag}" for noun in nouns()] + [problem.uri for problem in PROBLEM_TYPES]
    found, links = {}, {}
    for path in pages:
        page = visitor.get(path)
        found[path] = {each["id"] for each in page.page.select("[id]")}
        links[path] = {each["href"] for each in page.page.select("main a[href]")}
        assert len(page.get_data()) < LARGEST, path
    for path in pages:
        for link in links[path]:
            to, _, place = link.partition("#")
            if (to := to or path) in found:
                assert not place or place in found[to], link
            else:
                assert visitor.get(to).status_code in {200, 302, 303}, link


@pytest.mark.parametrize("path", ["/developers/nothing", "/developers/problems/nothing"])
def test_what_nobody_has_heard_of_is_not_found(visitor, path):
    assert visitor.get(path).status_code == 404


def test_the_rules_have_the_numbers_of_the_code(visitor):
    rules = visitor.get("/developers").page.get_text(" ")
    for number in (f"{idempotency.LONGEST} characters", f"for {KEEP // timedelta(hours=1)} hours", f"up to {MOST}"):
        assert number in " ".join(rules.split())


def test_examples_have_the_address_by_which_the_site_is_reached(visitor, app):
    assert "API=http://localhost/api/v1\n" in visitor.get("/developers").page.get_text()
    app.config["BASE_URL"] = "https://errand.example"
    try:
        assert "https://errand.example/api/v1" in visitor.get("/developers").text
    finally:
        app.config["BASE_URL"] = ""


def test_a_visitor_s_browser_keeps_a_page_and_one_that_is_signed_in_does_not(visitor, app):
    page = visitor.get("/developers")
    again = visitor.get("/developers", headers={"If-None-Match": page.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    assert "Cookie" in page.headers["Vary"]
    ann = browse(app, make_user("ann"))
    assert ann.get("/developers").headers["Cache-Control"] == "no-store"


def test_none_of_it_asks_the_database_for_a_visitor(visitor, queries):
    with queries() as seen:
        for path in ("/developers", "/developers/tasks", "/developers/problems", "/developers/problems/invalid"):
            assert visitor.get(path).status_code == 200
    assert seen.count == 0


def test_every_page_leads_there(visitor):
    assert visitor.get("/").page.select("footer a[href='/developers']")
