"""Kinds of tasks, and what each takes."""

import jsonschema_rs

from tasks.catalogue import CATALOGUE
from webapp.dev.factories import make_user
from webapp.models.scopes import Scope


def test_all_kinds_that_have_a_form_are_listed(anns):
    found = anns.get("/kinds").json
    assert [kind["name"] for kind in found["items"]] == [name for name, each in CATALOGUE.items() if each.listed]
    assert found["next"] is None


def test_a_kind_says_what_it_takes(anns):
    kind = anns.get("/kinds/export_posts").json
    assert (kind["title"], kind["takes_files"]) == ("Export posts", False)
    assert kind["description"] == CATALOGUE["export_posts"].description
    schema = kind["arguments"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    takes = jsonschema_rs.Draft202012Validator(schema)
    assert takes.is_valid({"format": "csv"})
    assert not takes.is_valid({"format": "xml"})
    assert kind["retries"] == CATALOGUE["export_posts"].retries.times
    files = anns.get("/kinds/resize_images").json
    assert files["takes_files"]
    assert files["max_upload"] > 0


def test_how_many_may_be_under_way_is_said_by_arguments(anns, declare):
    @declare()
    def any_number(task):
        """Do it."""

    @declare(one_at_a_time=True)
    def one_alone(task):
        """Do it."""

    @declare(one_at_a_time=("format",))
    def one_of_each(task, format: str = "a"):
        """Do it."""

    said = {
        name: anns.get(f"/kinds/{name}").json["one_at_a_time"] for name in ("any_number", "one_alone", "one_of_each")
    }
    assert said == {"any_number": None, "one_alone": [], "one_of_each": ["format"]}


def test_what_has_no_form_is_not_there(anns):
    for name in ("mail_account", "nothing", "EXPORT_POSTS"):
        assert anns.get(f"/kinds/{name}").status_code == 404


def test_unchanged_kinds_are_a_304(anns, program_of):
    for path in ("/kinds", "/kinds/export_posts"):
        etag = anns.get(path).headers["ETag"]
        again = anns.get(path, headers={"If-None-Match": etag})
        assert (again.status_code, again.data) == (304, b"")
    assert program_of(make_user(), Scope.POSTS).get("/kinds").status_code == 403


def test_kinds_cost_the_query_for_the_token_alone(anns, queries):
    anns.get("/kinds")
    for path in ("/kinds", "/kinds/export_posts"):
        with queries(1):
            anns.get(path)
