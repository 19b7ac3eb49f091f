"""What a task function asks for is read from its signature, once, and checked the same way everywhere."""

from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Le, Len, Lt, MaxLen, MinLen

from tasks.engine import Accept, Count, InvalidArguments, Labels, Upload
from tasks.engine.parameters.arguments import check_arguments
from tasks.engine.parameters.reader import read_parameters
from tasks.engine.uploads import largest


def example(
    task,
    name: str,
    format: Annotated[Literal["json", "csv"], Labels("JSON", "Table")] = "json",
    seconds: Annotated[int, Interval(ge=1, le=600)] = 60,
    share: float = 0.5,
    loud: bool = False,
    size: Annotated[Literal[1, 2], Labels("One", 2)] = 2,
):
    """An example."""


PARAMETERS = read_parameters(example)
GOOD = {"name": "Ann", "format": "json", "seconds": 60, "share": 0.5, "loud": False, "size": 2}


def test_each_parameter_after_the_run_is_read_with_its_type_and_default():
    assert [(p.name, p.type.python, p.default, p.required) for p in PARAMETERS] == [
        ("name", str, None, True),
        ("format", str, "json", False),
        ("seconds", int, 60, False),
        ("share", float, 0.5, False),
        ("loud", bool, False, False),
        ("size", int, 2, False),
    ]


def test_choices_have_the_labels_given_or_themselves():
    options = {parameter.name: parameter.options for parameter in PARAMETERS if parameter.choices}
    assert options == {"format": [("json", "JSON"), ("csv", "Table")], "size": [("1", "One"), ("2", "2")]}


def test_arguments_are_completed_with_defaults():
    assert check_arguments(PARAMETERS, {"name": "Ann"}) == GOOD
    assert check_arguments(PARAMETERS, {"name": "Ann", "seconds": 1, "loud": True}) == GOOD | {
        "seconds": 1,
        "loud": True,
    }


@pytest.mark.parametrize(
    ("arguments", "wrong", "words"),
    [
        ({}, "name", "required"),
        ({"name": ""}, "name", "required"),
        ({"name": " \t"}, "name", "required"),
        ({"name": "\u3164\u200b"}, "name", "required"),
        ({"name": 7}, "name", "text"),
        ({"name": None}, "name", "text"),
        ({"name": "Ann", "format": "xml"}, "format", "JSON or Table"),
        ({"name": "Ann", "seconds": 0}, "seconds", "from 1 to 600"),
        ({"name": "Ann", "seconds": 601}, "seconds", "from 1 to 600"),
        ({"name": "Ann", "seconds": "60"}, "seconds", "whole number"),
        ({"name": "Ann", "seconds": 1.5}, "seconds", "whole number"),
        ({"name": "Ann", "seconds": True}, "seconds", "whole number"),
        ({"name": "Ann", "share": "half"}, "share", "number"),
        ({"name": "Ann", "share": float("nan")}, "share", "number"),
        ({"name": "Ann", "share": float("inf")}, "share", "number"),
        ({"name": "Ann", "size": 3}, "size", "One or 2"),
        ({"name": "Ann", "colour": "red"}, "colour", "no such parameter"),
    ],
)
def test_a_wrong_argument_is_named_with_the_reason(arguments, wrong, words):
    with pytest.raises(InvalidArguments) as refused:
        check_arguments(PARAMETERS, arguments)
    assert list(refused.value.errors) == [wrong]
    assert words in refused.value.errors[wrong]
    assert wrong in str(refused.value)


def test_all_wrong_arguments_are_named_at_once():
    with pytest.raises(InvalidArguments) as refused:
        check_arguments(PARAMETERS, {"seconds": 0, "format": "xml", "colour": "red"})
    assert set(refused.value.errors) == {"name", "seconds", "format", "colour"}


def bounded(
    task,
    most: Annotated[int, Lt(1000)] = 0,
    least: Annotated[int, Gt(0)] = 1,
    both: Annotated[int, Gt(0), Le(100_000)] = 1,
    share: Annotated[float, Interval(gt=0, lt=1)] = 0.5,
    weight: Annotated[float, Interval(gt=0, le=2.5)] = 0.5,
    heat: Annotated[float, Ge(-273.15)] = 0.0,
    code: Annotated[str, Len(2, 4)] = "ab",
    word: Annotated[str, MinLen(2)] = "ab",
    note: Annotated[str, MaxLen(3)] = "",
):
    """An example."""


BOUNDED = read_parameters(bounded)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("most", 1000, "Enter a number of at most 999."),
        ("least", 0, "Enter a number of at least 1."),
        ("least", -(10**40), "Enter a number of at least 1."),
        ("both", 100_001, "Enter a number from 1 to 100,000."),
        ("share", 0.0, "Enter a number above 0 and below 1."),
        ("share", 1.0, "Enter a number above 0 and below 1."),
        ("weight", 2.51, "Enter a number above 0 and of at most 2.5."),
        ("heat", -273.16, "Enter a number of at least -273.15."),
        ("code", "a", "That has 1 character; it needs at least 2."),
        ("code", "abcde", "That has 5 characters; it may have at most 4."),
        ("word", "", "That has 0 characters; it needs at least 2."),
        ("word", "a" * 10_001, "That has 10,001 characters; it may have at most 10,000."),
        ("note", "👋" * 4, "That has 4 characters; it may have at most 3."),
    ],
)
def test_what_is_out_of_bounds_is_told_with_them(name, value, words):
    with pytest.raises(InvalidArguments) as refused:
        check_arguments(BOUNDED, {name: value})
    assert refused.value.errors == {name: words}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("most", 999),
        ("most", -(10**40)),
        ("least", 1),
        ("least", 10**40),
        ("both", 100_000),
        ("share", 5e-324),
        ("weight", 2.5),
        ("heat", -273.15),
        ("code", "abcd"),
        ("word", "a" * 10_000),
        ("note", "👋" * 3),
        ("note", ""),
    ],
)
def test_what_is_within_bounds_is_taken(name, value):
    assert check_arguments(BOUNDED, {name: value})[name] == value


# Files


def of_files(task, page: Annotated[Upload, Accept(".txt")], pictures: Annotated[list[Upload], Count(2, 3)]):
    """An example."""


def of_two(task, pages: Annotated[list[Upload], Count(2, 2)]):
    """An example."""


@pytest.mark.parametrize(
    ("most", "words"),
    [(1024**3, "1,024 MB"), (10 * 1024**2, "10 MB"), (1024**2 // 4, "0.25 MB"), (1000, "0.000954 MB")],
)
def test_how_large_a_file_may_be_is_told_without_powers_of_ten(configure, most, words):
    configure(max_upload=most)
    assert largest() == words


def test_an_exact_number_of_files_is_told_as_one():
    [pages] = read_parameters(of_two)
    assert pages.hint.startswith("2 files. Up to ")
    assert pages.problem([PAGE]) == "Choose 2 files. You chose 1."


PAGE, PICTURE = Upload("a.TXT", b"text"), Upload("a.png", b"picture")


def test_files_are_read_with_their_limits():
    page, pictures = read_parameters(of_files)
    assert (page.type.python, page.is_file, page.suffixes, page.count) == (Upload, True, (".txt",), None)
    assert (pictures.type.python, pictures.is_file, pictures.suffixes, pictures.count) == (
        Upload,
        True,
        (),
        Count(2, 3),
    )
    assert page.hint.startswith(".txt, up to ")


@pytest.mark.parametrize(
    ("arguments", "wrong", "words"),
    [
        ({"page": None}, "page", "Choose a file"),
        ({"page": "a.txt"}, "page", "Choose a file"),
        ({"page": [PAGE]}, "page", "Choose a file"),
        ({"page": PICTURE}, "page", "Use .txt"),
        ({"page": Upload("a.txt", b"")}, "page", "empty"),
        ({"pictures": []}, "pictures", "at least one file"),
        ({"pictures": PICTURE}, "pictures", "2 to 3 files. You chose 1."),
        ({"pictures": [PICTURE, "a.png"]}, "pictures", "at least one file"),
        ({"pictures": [PICTURE] * 4}, "pictures", "2 to 3 files. You chose 4."),
        ({"pictures": [PICTURE, Upload("b.png", b"")]}, "pictures", "b.png is empty"),
    ],
)
def test_wrong_files_are_named_with_the_reason(arguments, wrong, words):
    with pytest.raises(InvalidArguments) as refused:
        check_arguments(read_parameters(of_files), {"page": PAGE, "pictures": [PICTURE] * 2} | arguments)
    assert list(refused.value.errors) == [wrong]
    assert words in refused.value.errors[wrong]


def of_some_right(task, pictures: Annotated[list[Upload], Count(1, 3, some_right=True), Accept(".png")]):
    """Files of which one has to be right."""


@pytest.mark.parametrize("wrong", [Upload("a.heic", b"x"), Upload("a.png", b"")])
def test_files_of_which_some_may_be_wrong_are_taken_if_one_is_right(wrong):
    parameters = read_parameters(of_some_right)
    assert check_arguments(parameters, {"pictures": [wrong, PICTURE]})["pictures"] == [wrong, PICTURE]
    with pytest.raises(InvalidArguments):
        check_arguments(parameters, {"pictures": [wrong, wrong]})


def test_a_whole_number_will_do_for_a_float():
    def stamp(task, pause: float) -> None:
        """Stamp."""

    arguments = check_arguments(read_parameters(stamp), {"pause": 60})
    assert (arguments, type(arguments["pause"])) == ({"pause": 60.0}, float)
