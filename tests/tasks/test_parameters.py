"""What a task function asks for is read from its signature, once, and checked the same way everywhere."""

from typing import Annotated, Literal

import pytest

from tasks.engine import InvalidArguments, Labels, Range
from tasks.engine.parameters import check_arguments, read_parameters


def example(
    task,
    name: str,
    format: Annotated[Literal["json", "csv"], Labels("JSON", "Table")] = "json",
    seconds: Annotated[int, Range(1, 600)] = 60,
    share: float = 0.5,
    loud: bool = False,
    size: Literal[1, 2] = 2,
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
    assert options == {"format": [("json", "JSON"), ("csv", "Table")], "size": [("1", "1"), ("2", "2")]}


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
        ({"name": "Ann", "size": 3}, "size", "1, 2"),
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


def without_a_type(task, name):
    pass


def with_a_list(task, names: list):
    pass


def with_a_dictionary(task, names: dict[str, str] | None = None):
    pass


@pytest.mark.parametrize("function", [without_a_type, with_a_list, with_a_dictionary])
def test_a_parameter_that_no_form_can_ask_for_is_refused_when_it_is_declared(function):
    with pytest.raises(TypeError, match=f"{function.__name__}: parameter names?"):
        read_parameters(function)
