"""What a task function asks for is read from its signature, once, and checked the same way everywhere."""

from typing import Annotated, Literal

import pytest

from tasks.engine import Accept, Count, InvalidArguments, Labels, Range, Upload
from tasks.engine.parameter_reader import read_parameters
from tasks.engine.parameters import check_arguments


def example(
    task,
    name: str,
    format: Annotated[Literal["json", "csv"], Labels("JSON", "Table")] = "json",
    seconds: Annotated[int, Range(1, 600)] = 60,
    share: float = 0.5,
    loud: bool = False,
    size: Annotated[Literal[1, 2], Labels("One", 2)] = 2,
):
    """An example."""


PARAMETERS = read_parameters(example)
GOOD = {"name": "Ann", "format": "json", "seconds": 60, "share": 0.5, "loud": False, "size": 2}


def test_each_parameter_after_the_run_is_read_with_its_type_and_default():
    assert [(p.name, p.type, p.default, p.required) for p in PARAMETERS] == [
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
        ({}, "name", "needed"),
        ({"name": ""}, "name", "needed"),
        ({"name": " \t"}, "name", "needed"),
        ({"name": "\u3164\u200b"}, "name", "needed"),
        ({"name": 7}, "name", "text"),
        ({"name": None}, "name", "text"),
        ({"name": "Ann", "format": "xml"}, "format", "JSON, Table"),
        ({"name": "Ann", "seconds": 0}, "seconds", "from 1 to 600"),
        ({"name": "Ann", "seconds": 601}, "seconds", "from 1 to 600"),
        ({"name": "Ann", "seconds": "60"}, "seconds", "whole number"),
        ({"name": "Ann", "seconds": 1.5}, "seconds", "whole number"),
        ({"name": "Ann", "seconds": True}, "seconds", "whole number"),
        ({"name": "Ann", "share": "half"}, "share", "number"),
        ({"name": "Ann", "share": float("nan")}, "share", "number"),
        ({"name": "Ann", "share": float("inf")}, "share", "number"),
        ({"name": "Ann", "size": 3}, "size", "One, 2"),
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


# Files


def of_files(task, page: Annotated[Upload, Accept(".txt")], pictures: Annotated[list[Upload], Count(2, 3)]):
    """An example."""


PAGE, PICTURE = Upload("a.TXT", b"text"), Upload("a.png", b"picture")


def test_files_are_read_with_their_limits():
    page, pictures = read_parameters(of_files)
    assert (page.type, page.is_file, page.suffixes, page.count) == (Upload, True, (".txt",), None)
    assert (pictures.type, pictures.is_file, pictures.suffixes, pictures.count) == (Upload, True, (), Count(2, 3))
    assert page.hint.startswith(".txt, at most ")


@pytest.mark.parametrize(
    ("arguments", "wrong", "words"),
    [
        ({"page": None}, "page", "Choose a file"),
        ({"page": "a.txt"}, "page", "Choose a file"),
        ({"page": [PAGE]}, "page", "Choose a file"),
        ({"page": PICTURE}, "page", "choose .txt"),
        ({"page": Upload("a.txt", b"")}, "page", "empty"),
        ({"pictures": []}, "pictures", "one file or more"),
        ({"pictures": PICTURE}, "pictures", "2 to 3 files, not 1"),
        ({"pictures": [PICTURE, "a.png"]}, "pictures", "one file or more"),
        ({"pictures": [PICTURE] * 4}, "pictures", "2 to 3 files, not 4"),
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
