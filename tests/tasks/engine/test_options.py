"""The options of `@user_task`: spelled once, and what cannot work is told in one line at the function."""

import inspect
import re

import pytest

from tasks.engine import DeclarationError, Retries
from tasks.engine.options import Options

HERE = r"^tests/tasks/engine/test_options\.py:\d+: "


def _body(task): ...


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"retires": 3}, "@user_task has no option retires: write retries"),
        ({"zzz": 3}, "@user_task has no option zzz: it has title, one_at_a_time, retries"),
        ({"title": 3}, "its title is 3: write a text"),
        ({"one_at_a_time": "n"}, "one_at_a_time is 'n': write True, or a tuple"),
        ({"retries": "3"}, "retries is '3': write how often to try again"),
        ({"retries": Retries(1, delay=float("nan"))}, "Retries has a wait that is no number of seconds"),
        ({"timeout": 0}, "timeout is 0: write a number of seconds above 0"),
        ({"priority": 11}, "priority is 11: write a whole number from -10 to 10"),
        ({"preview": "look"}, "its preview is a str, and no function"),
        ({"undo": "undo"}, "its Undo needs a task function of its own"),
        ({"listed": "no"}, "listed is 'no': write True or False"),
        ({"may_exceed_storage": 1}, "may_exceed_storage is 1: write True or False"),
        ({"internal": None}, "internal is None: write True or False"),
        ({"total": -1}, "total is -1: write a number of steps"),
    ],
)
def test_an_option_that_cannot_work_is_told_at_the_function(declare, options, told):
    with pytest.raises(DeclarationError, match=f"{HERE}_body: {re.escape(told)}"):
        declare(**options)(_body)


@pytest.mark.parametrize(("values", "options"), [(("One", "Two"), {}), (("One",), {"title": "Two"})])
def test_only_the_title_may_be_given_without_its_name_and_once(declare, values, options):
    with pytest.raises(DeclarationError, match=f"{HERE}_body: @user_task has one title"):
        declare(*values, **options)(_body)


def test_each_option_is_checked():
    """A new field of Options needs a check of its own, and a line in the test above."""
    [mark] = test_an_option_that_cannot_work_is_told_at_the_function.pytestmark
    tried = {option for options, _ in mark.args[1] for option in options}
    assert inspect.signature(Options).parameters.keys() <= tried


def test_a_task_function_keeps_its_options(declare):
    function = declare("Wait", timeout=5, internal=True)(_body)
    assert function.options == Options("Wait", timeout=5, internal=True)
    assert (function.listed, function.retries) == (False, Retries(0))
