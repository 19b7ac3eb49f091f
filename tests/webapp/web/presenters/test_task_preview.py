"""Previews: what a task would do, what they find wrong, and what they do when they fail themselves."""

import io

import pytest

from tasks.engine import Preview, Run, TaskError, Upload
from webapp.db.bulkhead import Unavailable
from webapp.models import Artifact, Task

HTMX = {"HX-Request": "true"}


def _file(name: str, data: bytes) -> tuple[io.BytesIO, str]:
    return io.BytesIO(data), name


@pytest.fixture
def look_first(declare):
    """A task function with a preview, in the catalogue."""

    def preview(file: Upload) -> Preview:
        lines = list(file.lines())
        return Preview(f"{len(lines)} lines", ("line",), [(line,) for line in lines[:2]], ["Line 1 is wrong"])

    @declare(title="Look first", preview=preview)
    def look_first(task: Run, file: Upload):
        """Shows it before."""


def test_a_preview_is_swapped_into_the_form_that_stays(ann, look_first):
    button = ann.get("/tasks/new/look_first").one("button[formaction]")
    assert button["formaction"] == button["hx-post"] == "/tasks/new/look_first/preview"
    answer = ann.submit(button["hx-post"], file=_file("a.txt", b"<b>1\n2\n3\n"), headers=HTMX)
    assert answer.status_code == 200
    assert [cell.text.strip() for cell in answer.page.select("th, td")] == ["line", "<b>1", "2"]
    assert "3 lines" in answer.words
    assert "Line 1 is wrong" in answer.words
    assert not answer.page.select("form, html")
    assert not Task.select().exists()
    assert not Artifact.select().exists()


def test_a_preview_without_javascript_is_the_form_anew(ann, look_first):
    answer = ann.submit("/tasks/new/look_first/preview", file=_file("a.txt", b"1\n2\n"))
    assert answer.status_code == 200
    assert answer.one("#preview table")
    assert "Please choose it again." in answer.one("#file-hint").text


@pytest.mark.parametrize(("headers", "status"), [(HTMX, 200), ({}, 422)], ids=["htmx", "plain"])
@pytest.mark.parametrize(
    ("data", "words"), [(None, "File: Choose a file."), (b"\xff\xfe\x00", "a.txt isn’t UTF-8 text")]
)
def test_a_preview_says_what_is_wrong(ann, look_first, headers, status, data, words):
    fields = {"file": _file("a.txt", data)} if data else {}
    answer = ann.submit("/tasks/new/look_first/preview", headers=headers, **fields)
    assert (answer.status_code, words in answer.words) == (status, True)


@pytest.fixture
def look_closely(declare):
    """A function that puts a task with a preview into the catalogue, which raises or returns what it is given."""

    def put(outcome: object) -> None:
        def preview(file: Upload, column: str) -> Preview:
            file.read()
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome() if callable(outcome) else outcome

        @declare(title="Look closely", preview=preview)
        def look_closely(task: Run, file: Upload, column: str = "amount"):
            """Has a preview that fails."""

    return put


LOOK_CLOSELY = "/tasks/new/look_closely"


@pytest.mark.parametrize("path", [LOOK_CLOSELY, f"{LOOK_CLOSELY}/preview"])
@pytest.mark.parametrize(
    ("field", "place"), [("column", "#column-error"), ("", "form > .error"), ("no", "form > .error")]
)
def test_an_error_of_a_preview_is_shown_at_its_field(ann, look_closely, path, field, place):
    look_closely(TaskError("There is no column amont.", field=field))
    answer = ann.submit(path, file=_file("a.csv", b"a\n"), column="amont")
    assert answer.status_code == 422
    told = answer.one(place) if path == LOOK_CLOSELY or field == "column" else answer.one("#preview .error")
    assert "There is no column amont." in told.text
    assert not answer.page.select("#file-error"), "which is not what is wrong"
    assert answer.one("#column")["value"] == "amont"
    assert len([words for words in answer.page.select("form > .error, .field .error") if "amont" in words.text]) <= 1
    assert not Task.select().exists()


def test_a_fragment_names_the_field_that_a_preview_finds_wrong(ann, look_closely):
    look_closely(TaskError("There is no column amont.", field="column"))
    answer = ann.submit(f"{LOOK_CLOSELY}/preview", file=_file("a.csv", b"a\n"), headers=HTMX, column="amont")
    assert answer.one(".error").text.strip() == "Column: There is no column amont."


FAILURES = [
    ZeroDivisionError("0"),
    None,
    "a text",
    KeyError("amount"),
    RecursionError(),
    SystemExit(3),  # by which gunicorn would end the whole site
    lambda: Preview("Rows", ("a",), ((1 / number,) for number in (1, 0))),
    lambda: Preview("Rows", ("a",), 5),
]


@pytest.mark.parametrize("outcome", FAILURES)
def test_a_preview_that_fails_says_so_and_keeps_nobody_from_starting(ann, look_closely, caplog, outcome):
    look_closely(outcome)
    for headers in (HTMX, {}):
        answer = ann.submit(f"{LOOK_CLOSELY}/preview", headers=headers, column="x", file=_file("a.csv", b"a\n"))
        assert answer.status_code == 200
        assert "We couldn’t preview this" in answer.one(".error").text
    [*_, record] = caplog.records
    assert "preview of look_closely failed" in record.getMessage()
    assert record.exc_info
    assert ann.submit(LOOK_CLOSELY, file=_file("a.csv", b"a\n"), column="x").status_code == 303
    assert Task.get().name == "look_closely"


def test_a_preview_that_reads_for_too_long_ends(ann, look_closely, configure):
    configure(preview_within=0.0)
    look_closely(Preview("Seen"))
    answer = ann.submit(f"{LOOK_CLOSELY}/preview", headers=HTMX, column="x", file=_file("a.csv", b"a\n"))
    assert (answer.status_code, "takes too long to preview" in answer.words) == (200, True)
    assert ann.submit(LOOK_CLOSELY, file=_file("a.csv", b"a\n"), column="x").status_code == 303


def test_a_preview_without_its_database_is_no_fault_of_the_task(ann, look_closely):
    look_closely(Unavailable("away"))
    answer = ann.submit(f"{LOOK_CLOSELY}/preview", headers=HTMX, column="x", file=_file("a.csv", b"a\n"))
    assert answer.status_code == 503


def test_a_task_function_without_a_preview_answers_404_for_one(ann):
    assert not ann.get("/tasks/new/countdown").page.select("button[formaction$=preview]")
    assert ann.submit("/tasks/new/countdown/preview").status_code == 404
    assert ann.submit("/tasks/new/nothing/preview").status_code == 404


def test_a_preview_shows_whatever_its_cells_are(ann, look_closely):
    look_closely(lambda: Preview("Rows", (1, "b"), ([number, None] for number in (0, 1.5)), notes=iter(["A note."])))
    for headers in (HTMX, {}):
        answer = ann.submit(f"{LOOK_CLOSELY}/preview", headers=headers, column="x", file=_file("a.csv", b"a\n"))
        assert answer.status_code == 200
        table = answer.one("table")
        assert [cell.text.strip() for cell in table.select("th, td")] == ["1", "b", "0", "", "1.5", ""]
        assert "A note." in answer.words
