"""Arguments that programs send as JSON: what is taken is what the schema of the kind takes, and no more."""

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from math import inf, nan
from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Le, MaxLen, MinLen
from jsonschema_rs import Draft202012Validator

from tasks.engine import Accept, Choice, Count, InvalidArguments, Secret, TaskFunction, Upload
from tasks.engine.options import Options
from tasks.engine.parameters.conversions import NOWHERE
from tasks.engine.parameters.types import TYPES
from webapp.dev.factories import make_user

pytestmark = pytest.mark.usefixtures("app")


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class Level(Enum):
    LOW = 1
    HIGH = 2


def kind(annotation: object, **default: object) -> TaskFunction:
    """A task function with one parameter, `value`, of that type."""
    if default:

        def example(task, value=default["default"]):
            """An example."""
    else:

        def example(task, value):
            """An example."""

    example.__annotations__ = {"value": annotation}
    return TaskFunction(example, Options())


def own(*values: object) -> Choice:
    return Choice(lambda _: [(value, f"No. {value}") for value in values])


# Each type as a parameter can have it: alone, or None, in a list, within bounds, as choices, of one's own.
ANNOTATIONS = {
    **{row.name: row.python for row in TYPES if row.python is not Enum},
    **{f"{row.name} or None": row.python | None for row in TYPES if row.python is not Enum},
    **{
        f"list of {row.name}": Annotated[list[row.python], Count(1, 3)]
        for row in TYPES
        if row.in_list and row.python is not Enum
    },
    "bounded int": Annotated[int, Interval(ge=1, le=9)],
    "bounded float": Annotated[float, Gt(0), Le(1.5)],
    "bounded Decimal": Annotated[Decimal, Ge(1)],
    "bounded str": Annotated[str, MinLen(2), MaxLen(5)],
    "list of bounded int": list[Annotated[int, Ge(1)]],
    "texts": Literal["a", "1", "true"],
    "numbers": Literal[0, 1],
    "texts or None": Literal["a", "b"] | None,
    "Enum of texts": Mood,
    "Enum of numbers": Level,
    "list of texts": list[Literal["a", "b"]],
    "list of an Enum": list[Level],
    "own int": Annotated[int, own(1, 7)],
    "own str": Annotated[str, own("a", "b")],
    "own or None": Annotated[int | None, own(1)],
    "own of which there is none": Annotated[int, own()],
    "own, each twice": Annotated[int, own(1, 1)],
    "own of which there are many": Annotated[int, Choice(lambda _: [(n, "") for n in range(1, 20)], most=5)],
}
BEYOND = ("0000-01-01", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2016-12-31T23:59:60Z")
DEEP: list[object] = []
for _ in range(50):
    DEEP = [DEEP]
ONES = [
    *(None, True, False, 0, 1, -1, 2, 9, 10, 1.0, 0.0, -0.0, 1.5, 2.5, 1e300, 10**30, 10**400, nan, inf, -inf),
    *({}, {"a": 1}, [], DEEP, "", " ", "\u2003", "a", "b", "ab", "abcdef", "good", "1", "true", "null"),
    *("x" * 10_000, "x" * 100_000, "a\0b", "é", "12.50", "-0", "+1.5", "1.", ".5", "1e5", "NaN"),
    *("9" * 101, "1\u0663", "12.50\n", "2026-11-30", "2026-02-30", "2026-1-3", "20261130", "0001-01-01"),
    *("2026-11-30\n", "2026-W48", "09:30", "9:30", "24:00", "09:60", "09:30:15", "09:30:15.5", "09:30:60", "09:30\n"),
    *("09:30:15.1234567", "09:30Z", "2026-11-30T09:30:00Z", "2026-11-30T09:30:00", "2026-11-30T09:30Z"),
    *("2026-11-30 09:30:00Z", "2026-11-30T24:00:00Z", "2026-11-30T09:30:00.123456789Z", "2026-11-30T09:30:00+01:00"),
    *("2026-11-30T09:30:00+25:00", "2026-11-30t09:30:00z", "2026-02-30T09:30:00Z", *BEYOND),
    *(row.dump(sample, NOWHERE) for row in TYPES if not row.again and row.python is not Enum for sample in row.samples),
]
LISTS = [["a", "b"], ["b", "b"], [1, 1.0], [1, 2], [1, "a"], [1, 2, 3, 4], ["a", None], [[1]], [[]]]
VALUES = [*ONES, *([each] for each in ONES), *LISTS]

# What the schema takes and we refuse: by the name of an annotation, and one value or one of a list.
EXCEPTIONS: dict[str, Callable[[str, object], bool]] = {
    "files are beside the arguments, and their schema is that of their content": lambda name, _: "Upload" in name,
    "no database takes it": lambda _, value: isinstance(value, str) and "\0" in value,
    "what is blank and not empty": lambda _, value: isinstance(value, str) and value.isspace(),
    "no float is as large": lambda name, value: "float" in name and isinstance(value, int) and value >= 10**309,
    "JSON Schema knows no range of texts": lambda name, _: name == "bounded Decimal",
    "more can be chosen than is listed": lambda name, _: name == "own of which there are many",
    "Python’s calendar has no such moment in UTC": lambda name, value: "date" in name and value in BEYOND,
}


def reasons_to_refuse(name: str) -> set[str]:
    """The exceptions that there are for a kind of parameter; fails for any other difference from its schema."""
    function, owner, used = kind(ANNOTATIONS[name]), make_user(), set()
    schema = Draft202012Validator(function.schema(owner), validate_formats=True)
    for value in VALUES:
        is_right = schema.is_valid({"value": value})
        if is_right == (not errors_of(function, {"value": value}, owner)):
            continue
        items = [value, *value] if isinstance(value, list) else [value]
        reasons = {reason for reason, holds in EXCEPTIONS.items() if any(holds(name, item) for item in items)}
        assert is_right, f"{name}: {value!r:.80} is taken"
        assert reasons, f"{name}: {value!r:.80} is refused"
        used |= reasons
    return used


def errors_of(function: TaskFunction, sent: dict[str, object], owner=None, **files: list[Upload]) -> dict[str, str]:
    try:
        function.read_json(sent, files, owner)
    except InvalidArguments as error:
        return error.errors
    return {}


@pytest.mark.parametrize("name", ANNOTATIONS)
def test_what_is_taken_is_what_the_schema_takes(name):
    reasons_to_refuse(name)


def test_each_exception_is_needed():
    assert set.union(*map(reasons_to_refuse, ANNOTATIONS)) == EXCEPTIONS.keys()


def test_what_is_taken_can_be_launched_and_stored(each_database):
    owner = make_user()
    for name in ANNOTATIONS:
        function = kind(ANNOTATIONS[name])
        for value in VALUES:
            if not errors_of(function, {"value": value}, owner):
                function.launch(owner, **function.read_json({"value": value}, owner=owner))


@pytest.mark.parametrize(
    ("annotation", "sent", "taken"),
    [
        (int, 5.0, 5),
        (float, 5, 5.0),
        (Decimal, "12.50", Decimal("12.50")),
        (date, "2026-11-30", date(2026, 11, 30)),
        (time, "09:30", time(9, 30)),
        (datetime, "2026-11-30T09:30:00Z", datetime(2026, 11, 30, 9, 30)),
        (datetime, "2026-11-30T09:30:00.5-01:30", datetime(2026, 11, 30, 11, 0, 0, 500_000)),
        (Mood, "bad", Mood.BAD),
        (Literal[0, 1], 1.0, 1),
        (Secret, "key", Secret("key")),
        (list[int], [1, 2.0], [1, 2]),
        (int | None, None, None),
    ],
)
def test_a_value_is_what_the_function_gets(annotation, sent, taken):
    value = kind(annotation).read_json({"value": sent})["value"]
    assert (value, type(value)) == (taken, type(taken))


@pytest.mark.parametrize(
    ("annotation", "sent", "errors"),
    [
        (int, True, {"value": "Enter a whole number."}),
        pytest.param(int, 10**4300, {"value": "Enter a whole number."}, id="4301 digits"),
        (Decimal, 12.5, {"value": 'Write a number as a text, like "12.50".'}),
        (datetime, "2026-11-30T09:30", {"value": "Write a date and time with its zone, like 2026-11-30T09:30:00Z."}),
        (Literal["a", "b"], "c", {"value": 'Write "a" or "b".'}),
        (Literal[0, 1], True, {"value": "Write 0 or 1."}),
        (list[int], None, {"value": "Write a list."}),
        (list[int], ["x", 1, True], {"value/0": "Enter a whole number.", "value/2": "Enter a whole number."}),
        (list[Literal["a", "b"]], ["a", "a"], {"value/1": "Write each only once."}),
        (list[int], [], {"value": "Enter at least one."}),
        (list[int], list(range(1001)), {"value": "Enter 1 to 1,000. You entered 1,001."}),
        (Annotated[int, own(1)], 2, {"value": "That isn’t a valid choice."}),
        (str, "a\ud800", {"value": "Remove the invalid character."}),
        (str, "\0a", {"value": "Remove the invalid character."}),
        (Upload, "a", {"value": "Send this file as a part of its own, in multipart/form-data."}),
    ],
)
def test_what_is_wrong_is_told_in_words_at_its_place(annotation, sent, errors):
    assert errors_of(kind(annotation), {"value": sent}, make_user()) == errors


def test_what_is_missing_or_unknown_is_told_at_its_pointer():
    function = kind(int)
    unknown = "This task has no such parameter."
    assert errors_of(function, {}) == {"value": "This field is required."}
    assert errors_of(function, {"value": 1, "a/b~": 2}) == {"a~1b~0": unknown}
    assert errors_of(function, {"value": 1}, other=[Upload("a.txt", b"a")]) == {"other": unknown}
    assert len(errors_of(function, {str(number): 1 for number in range(100_000)})) == 100
    assert kind(int, default=5).read_json({}) == {"value": 5}


def test_files_come_beside_the_arguments():
    some = Annotated[list[Upload], Count(1, 3), Accept(".txt")]
    good, wrong, empty = Upload("a.txt", b"a"), Upload("a.csv", b"a"), Upload("b.txt", b"")
    assert kind(Upload).read_json({}, {"value": [good]}) == {"value": good}
    assert kind(some).read_json({}, {"value": [good, good]}) == {"value": [good, good]}
    assert kind(Upload | None, default=None).read_json({"value": None}) == {"value": None}
    assert errors_of(kind(Upload), {}, value=[good, good]) == {"value": "Send one file. You sent 2."}
    assert errors_of(kind(Upload), {}, value=[empty]) == {"value": "That file is empty."}
    assert errors_of(kind(some), {}, value=[good, wrong, empty]) == {
        "value/1": "a.csv has the wrong file type. Use .txt.",
        "value/2": "That file is empty.",
    }
    assert errors_of(kind(some), {}, value=[good] * 4) == {"value": "Choose 1 to 3 files. You chose 4."}
    assert errors_of(kind(some), {}) == {"value": "This field is required."}
    twice = errors_of(kind(Upload | None), {"value": None}, value=[good])
    assert twice == {"value": "Send this either in the arguments or as a part of its own, and not twice."}
    assert errors_of(kind(int), {}, value=[good]) == {"value": "This is no file: write it into the arguments."}


def test_of_files_of_which_some_may_be_wrong_one_is_enough():
    function = kind(Annotated[list[Upload], Count(1, 3, some_right=True), Accept(".txt")])
    good, wrong = Upload("a.txt", b"a"), Upload("a.csv", b"a")
    assert errors_of(function, {}, value=[good, wrong]) == {}
    assert errors_of(function, {}, value=[wrong, wrong]).keys() == {"value/0", "value/1"}
