"""The table of parameter types: each row is whole, agrees with itself, and has its field and a line in the docs."""

import json
import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, StrEnum
from typing import Annotated, Literal
from uuid import uuid4

import pytest
from annotated_types import Gt, Interval, MaxLen

from tasks.engine import Choice, Count, Hint, InvalidArguments, Label, Multiline, Secret, TaskError, Upload
from tasks.engine.parameters.arguments import check_arguments, dump_arguments, load_arguments, refill
from tasks.engine.parameters.conversions import Place
from tasks.engine.parameters.parameter import Parameter
from tasks.engine.parameters.reader import read_parameters
from tasks.engine.parameters.schema import schema_of
from tasks.engine.parameters.types import SHAPES, TYPES
from tests.processes import ROOT
from webapp.web.forms.task_fields.table import FIELDS

TYPED = [row for row in TYPES if row.name not in {"Enum", "Upload"}]  # the values of those are chosen


@pytest.mark.parametrize("kind", [*(row.field for row in TYPES), *SHAPES])
def test_every_kind_of_field_has_one(kind):
    assert kind in FIELDS, f"no form can ask for a {kind}: give it a class in webapp/web/forms/task_fields/table.py"


def test_no_field_is_of_a_kind_that_nothing_has():
    assert FIELDS.keys() == {row.field for row in TYPES} | set(SHAPES)


@pytest.mark.parametrize("row", TYPES, ids=str)
def test_a_row_is_whole(row):
    assert row.samples, f"{row} has no sample, with which titles are tried"
    assert re.fullmatch(r"[A-Z].*\.", row.wrong), f"{row} does not say what to enter instead"
    assert row.schema or row.python is Enum, f"{row} has no schema"
    for sample in row.samples:
        assert row.take(sample) == sample
        with pytest.raises(ValueError, match="no "):
            row.take(object())


@pytest.mark.parametrize("row", TYPED, ids=str)
@pytest.mark.usefixtures("app")
def test_a_row_reads_back_what_it_has_written(row):
    place = Place(uuid4())
    for sample in row.samples:
        assert row.load(json.loads(json.dumps(row.dump(sample, place))), place) == sample
        if row.python is not Secret:
            assert row.parse(row.text(sample)) == sample
        if pattern := row.schema.get("pattern"):
            assert re.search(pattern, row.dump(sample, place))


def test_the_documents_list_each_type():
    text = (ROOT / "docs" / "writing-a-task.md").read_text()
    table = re.search(r"^\| type \|.*?\n\n", text, re.MULTILINE | re.DOTALL)[0]
    listed = set(re.findall(r"^\| .*?\|", table, re.MULTILINE))
    named = {name for cell in listed for name in re.findall(r"`(\w+)", cell)}
    assert {row.name for row in TYPES} - named == set(), "docs/writing-a-task.md does not list these types"
    assert named - {row.name for row in TYPES} - {"Literal", "list", "StrEnum", "Annotated"} == set()


# Values


class Mood(Enum):
    VERY_GOOD = "good"
    BAD = "bad"


class Size(StrEnum):
    SMALL = "s"
    LARGE = "l"


def example(
    task,
    day: date,
    at: time,
    moment: datetime,
    price: Annotated[Decimal, Gt(0)],
    mood: Mood,
    size: Size = Size.LARGE,
    words: list[Annotated[str, MaxLen(5)]] = [],  # noqa: B006 - each launch gets a list of its own
    numbers: Annotated[list[int], Count(0, 3)] = (),
    some: list[Literal["a", "b"]] = (),
    perhaps: bool | None = None,
    count: Annotated[int | None, Interval(ge=1, le=9)] = None,
    note: Annotated[str, Multiline(), Label("Your note"), Hint("Be kind.")] = "",
    file: Upload | None = None,
    share: float = 0.5,
):
    """An example."""


PARAMETERS = read_parameters(example)
GOOD = {
    "day": date(2026, 11, 30),
    "at": time(9, 30),
    "moment": datetime(2026, 11, 30, 8, 30),
    "price": Decimal("12.50"),
    "mood": Mood.VERY_GOOD,
}
FULL = GOOD | {
    "size": Size.SMALL,
    "words": ["one", "two"],
    "numbers": [1, 2],
    "some": ["b"],
    "perhaps": False,
    "count": 9,
    "note": "a\nb",
    "file": None,
    "share": 0.25,
}


def parameter(name: str) -> Parameter:
    return next(each for each in PARAMETERS if each.name == name)


def test_all_types_go_into_a_row_and_come_back():
    place = Place(uuid4())
    for given in (FULL, GOOD):
        complete = check_arguments(PARAMETERS, given)
        saved = json.loads(json.dumps(dump_arguments(PARAMETERS, complete, place)))
        assert load_arguments(PARAMETERS, saved, place) == complete
        assert complete.items() >= {name: value for name, value in given.items() if not isinstance(value, list)}.items()
    assert saved["price"] == "12.50"
    assert saved["mood"] == "good"
    assert saved["moment"] == "2026-11-30T08:30:00Z"


def test_defaults_that_are_lists_are_not_shared():
    first, second = (check_arguments(PARAMETERS, GOOD) for _ in range(2))
    first["words"].append("three")
    assert second["words"] == check_arguments(PARAMETERS, GOOD)["words"] == []


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ({"price": 3}, Decimal(3)),
        ({"mood": "bad"}, Mood.BAD),
        ({"size": "s"}, Size.SMALL),
        ({"moment": datetime(2026, 11, 30, 9, 30, tzinfo=timezone(timedelta(hours=1)))}, datetime(2026, 11, 30, 8, 30)),
        ({"moment": datetime(2026, 11, 30, 8, 30, tzinfo=UTC)}, datetime(2026, 11, 30, 8, 30)),
        ({"numbers": (1, 2)}, [1, 2]),
        ({"some": ["b", "b"]}, ["b"]),
    ],
)
def test_what_code_may_give_instead_is_taken_as_what_it_means(given, taken):
    [name] = given
    value = check_arguments(PARAMETERS, GOOD | given)[name]
    assert (value, type(value)) == (taken, type(taken))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"day": "2026-11-30"}, "Enter a date, like 2026-11-30."),
        ({"day": datetime(2026, 11, 30)}, "Enter a date, like 2026-11-30."),
        ({"day": None}, "Enter a date, like 2026-11-30."),
        ({"at": time(9, 30, tzinfo=UTC)}, "Enter a time, like 09:30."),
        ({"moment": date(2026, 11, 30)}, "Enter a date and time."),
        ({"moment": datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))}, "Enter a date and time."),
        ({"price": 12.5}, "Enter a number, like 12.50."),
        ({"price": True}, "Enter a number, like 12.50."),
        ({"price": Decimal("NaN")}, "Enter a number, like 12.50."),
        ({"price": Decimal("1e1000000")}, "Enter a number, like 12.50."),
        ({"price": Decimal("1e-1000000")}, "Enter a number, like 12.50."),
        ({"price": Decimal(0)}, "Enter a number above 0."),
        ({"share": 10**400}, "Enter a number."),
        ({"share": Decimal(1)}, "Enter a number."),
        ({"mood": "fine"}, "Choose Very good or Bad."),
        ({"mood": None}, "Choose Very good or Bad."),
        ({"words": "one"}, "Enter a list."),
        ({"words": ["longer"]}, "“longer”: That has 6 characters; it may have at most 5."),
        ({"words": ["one"] * 1001}, "Enter 0 to 1,000. You entered 1,001."),
        ({"numbers": [1, "x" * 100]}, f"“{'x' * 40}…”: Enter a whole number."),
        ({"some": ["c"]}, "Choose a or b."),
        ({"perhaps": 1}, "Choose Yes or No."),
        ({"count": 0}, "Enter a number from 1 to 9."),
        ({"note": "x" * 100_001}, "That has 100,001 characters; it may have at most 100,000."),
        ({"file": "a.txt"}, "Choose a file."),
    ],
)
def test_a_wrong_value_is_told_in_words(given, words):
    with pytest.raises(InvalidArguments) as refused:
        check_arguments(PARAMETERS, GOOD | given)
    assert refused.value.errors == dict.fromkeys(given, words)


def test_words_for_people_come_from_the_annotation():
    note = parameter("note")
    assert (note.label, note.hint, note.field) == ("Your note", "Be kind.", "textarea")
    assert parameter("words").hint == "One per line."
    assert parameter("mood").options == [("good", "Very good"), ("bad", "Bad")]


def test_what_an_outdated_row_has_is_told_when_it_runs_and_left_out_of_a_form():
    saved = {"mood": "fine", "day": "2026-11-30", "price": "12.50"}
    with pytest.raises(TaskError, match="Mood isn’t valid anymore"):
        load_arguments(PARAMETERS, saved, Place(uuid4()))
    assert refill(PARAMETERS, saved, Place(uuid4())) == {"day": date(2026, 11, 30), "price": Decimal("12.50")}


# The schema


def test_the_schema_says_what_programs_may_send():
    schema = schema_of(PARAMETERS)
    properties = schema["properties"]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (schema["required"], schema["additionalProperties"]) == (["day", "at", "moment", "price", "mood"], False)
    assert properties["day"] == {"title": "Day", "type": "string", "format": "date"}
    assert properties["moment"]["format"] == "date-time"
    assert properties["mood"]["oneOf"] == [{"const": "good", "title": "Very good"}, {"const": "bad", "title": "Bad"}]
    assert properties["size"]["default"] == "l"
    assert properties["words"] == {
        "title": "Words",
        "description": "One per line.",
        "type": "array",
        "items": {"type": "string", "maxLength": 5},
        "minItems": 0,
        "maxItems": 1000,
        "default": [],
    }
    assert properties["count"] == {
        "title": "Count",
        "anyOf": [{"type": "integer", "minimum": 1, "maximum": 9}, {"type": "null"}],
        "default": None,
    }
    assert properties["note"]["title"] == "Your note"
    assert properties["note"]["description"] == "Be kind."
    json.dumps(schema)


def test_the_schema_of_a_secret_and_of_ones_own():
    def secretive(task, key: Secret, post: Annotated[int, Choice(lambda owner: [(7, f"Post of {owner}")])]):
        """An example."""

    properties = schema_of(read_parameters(secretive))["properties"]
    assert properties["key"] == {
        "title": "Key",
        "type": "string",
        "format": "password",
        "writeOnly": True,
        "minLength": 1,
        "maxLength": 10_000,
    }
    assert properties["post"] == {"title": "Post", "type": "integer"}
    mine = schema_of(read_parameters(secretive), "Ann")["properties"]["post"]
    assert mine["oneOf"] == [{"const": 7, "title": "Post of Ann"}]
