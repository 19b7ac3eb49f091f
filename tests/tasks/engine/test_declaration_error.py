"""A task function that could never work ends the start, in one line that says where it is and what to write."""

import os
import re
import subprocess
import sys
from importlib import import_module
from itertools import count

import pytest

from tasks.engine import DeclarationError, catalogue, registry
from tests.copies import Copy
from tests.processes import BIN, free_port

FILES = count()
HEAD = """
import asyncio, enum, functools; from datetime import date, datetime, time; from decimal import Decimal
from typing import Annotated, Any, Literal; from annotated_types import *
from tasks.engine import *; from webapp.lib.phrases import phrase

"""


@pytest.fixture
def load(declare, tmp_path, monkeypatch):
    """A function that imports a file of tasks with this text, as the catalogue would."""
    monkeypatch.syspath_prepend(tmp_path)

    def load(text: str):
        package = f"declared_{next(FILES)}"
        (tmp_path / package).mkdir()
        (tmp_path / package / "wrong.py").write_text(HEAD + text)
        return import_module(f"{package}.wrong")

    return load


def task(option: str = "", parameters: str = "task", body: str = '"""Works."""', before: str = "") -> str:
    """The text of a file with one task."""
    return f"{before}\n@user_task({option})\ndef wrong({parameters}):\n    {body}\n"


def parameter(spelled: str) -> str:
    """The text of a file with one task that has one parameter."""
    return task(parameters=f"task, {spelled}")


UNDO = "@user_task()\ndef back(task, {}): pass\n"
HOOK = "def hook({}):\n    return 'x'\n"
WRONG = {
    # what it is
    "async": ("@user_task()\nasync def wrong(task): pass", "is async", "write def"),
    "a generator": (task(body="yield 1"), "has a yield", "take the yield out"),
    "an async generator": ("@user_task()\nasync def wrong(task):\n    yield", "is async", "write def"),
    "a lambda": ("wrong = user_task()(lambda task: None)", "a lambda", "by def"),
    "a class": ("@user_task()\nclass wrong: pass", "a class", "by def"),
    "a method of something": ("wrong = user_task()('x'.upper)", "a builtin", "by def"),
    "a partial": ("wrong = user_task()(functools.partial(print, 1))", "a partial", "by def"),
    "decorated twice": ("@user_task()\n@user_task()\ndef wrong(task): pass", "wrong: is a TaskFunction", "by def"),
    "without parentheses": ("@user_task\ndef wrong(task): pass", "alone", "write @user_task()"),
    "a name too long": (task().replace("wrong", "w" * 61), "no row can hold", "at most 60"),
    "two of a name": (task() + task(), "has the name of the one at", "give it another"),
    "an unknown option": (task("titel='x'"), "no option titel", "write title"),
    "an option like none": (task("xyz=1"), "no option xyz", "it has title, one_at_a_time"),
    # the run
    "no parameter at all": (task(parameters=""), "the run", r"write def wrong\(task\)"),
    "no task": (task(parameters="seconds: int = 1"), "the run", r"write def wrong\(task, seconds\)"),
    "no task, no type": (task(parameters="seconds"), "the run", r"write def wrong\(task, seconds\)"),
    "a task that is a text": (task(parameters="task: str"), "the run", "first parameter"),
    "a task by name only": (task(parameters="*, task"), "the run", "first parameter"),
    # parameters
    "*args": (parameter("*args"), r"is \*args", "with its name"),
    "**kwargs": (parameter("**kwargs: int"), r"is \*\*kwargs", "with its name"),
    "positional only": (parameter("n: int, /"), "positional only", "write the / right behind task"),
    "a name of launch": (parameter("user: str"), "parameter user", "write user_"),
    "a name that forms skip": (parameter("_n: int"), "parameter _n", "write n_"),
    "no type": (parameter("n"), "parameter n has no type", "write str, int"),
    "a type of its own": (parameter("n: dict[str, str]"), r"the type dict\[str, str\]", "write str, int"),
    "a list": (parameter("n: list"), "the type list", "write str, int"),
    "one of two": (parameter("n: int | str"), r"the type int \| str", "write str, int"),
    "a list or nothing": (parameter("n: list[str] | None = None"), "a list or None", "take the None out"),
    "a list of answers": (parameter("n: list[bool]"), "a list of bool", "several parameters"),
    "a list of secrets": (parameter("n: list[Secret]"), "a list of Secret", "several parameters"),
    "a list of lists": (parameter("n: list[list[str]]"), r"the type list\[list\[str\]\]", "write str, int"),
    "a length of a list": (parameter("n: Annotated[list[str], MaxLen(3)]"), "a limit for a list", r"write Count\(…\)"),
    "flags": (parameter("n: enum.Flag('Mood', 'A B')"), "the Flag Mood", r"write list\[…\] of an Enum"),
    "an enum of nothing": (parameter("n: enum.Enum('Mood', '')"), "Enum Mood, which has no members", "write some"),
    "an enum of pairs": (parameter("n: enum.Enum('Mood', {'A': (1, 2)})"), "Enum Mood, whose values", "all texts"),
    "an enum of both": (parameter("n: enum.Enum('Mood', {'A': 1, 'B': '1'})"), "Enum Mood, whose values", "all texts"),
    "no member": (parameter("n: enum.Enum('Mood', 'A B') = 3"), "the default 3", "Choose A or B."),
    "a secret by default": (
        parameter("n: Secret = 'x'"),
        "a secret or a file, .* default",
        r"write Secret \| None = None",
    ),
    "an inexact decimal": (parameter("n: Decimal = 0.1"), "the default 0.1", "choose another"),
    "an inexact limit": (parameter("n: Annotated[Decimal, Ge(0.1)]"), "ge=0.1", r"Decimal\('0.05'\)"),
    "a moment for a day": (parameter("n: date = datetime(2026, 1, 1)"), "the default datetime", "choose another"),
    "a range of days": (parameter("n: Annotated[date, Ge(date(2026, 1, 1))]"), "is no number", "take that out"),
    "a label of nothing": (parameter("n: Annotated[int, Label(' ')]"), r"Label\(' '\)", "write a text"),
    "two labels": (parameter("n: Annotated[int, Label('a'), Label('b')]"), "Label twice", "leave one"),
    "lines in a number": (
        parameter("n: Annotated[int, Multiline()]"),
        "no text of one's own, .* Multiline",
        "take that",
    ),
    "an example of a choice": (parameter("n: Annotated[bool, Placeholder('x')]"), "nothing that is typed", "take that"),
    "a choice of files": (parameter("n: Annotated[Upload, Choice(len)]"), "neither int nor str", "take that out"),
    "a choice of nothing": (
        parameter("n: Annotated[int, Choice(7)]"),
        "is a int, and no function",
        r"def options\(user\)",
    ),
    "a choice of nobody's": (
        parameter("n: Annotated[int, Choice(lambda: [])]"),
        "is given 1 argument",
        r"options\(user\)",
    ),
    "a choice of none": (parameter("n: Annotated[int, Choice(len, most=0)]"), "most=0", "at least 1"),
    "somebody's by default": (
        parameter("n: Annotated[int, Choice(len)] = 3"),
        "the owner's own",
        r"int \| None = None",
    ),
    "a type that is not there": (parameter("n: 'Missing'"), "name 'Missing' is not defined", "import"),
    "files without end": (parameter("n: list[Upload]"), "without an end", r"write Annotated\[list\[Upload\], Count"),
    "a file by default": (parameter("n: Upload = None"), "the default None", r"write Upload \| None = None"),
    "None by default": (parameter("n: int = None"), "the default None", r"write int \| None = None"),
    "a text for a number": (parameter("n: int = '5'"), "the default '5'", "choose another"),
    "a fraction for a whole": (parameter("n: int = 1.5"), "the default 1.5", "choose another"),
    "yes for a number": (parameter("n: int = True"), "the default True", "choose another"),
    "outside of its range": (
        parameter("n: Annotated[int, Interval(ge=1, le=9)] = 10"),
        "the default 10",
        "from 1 to 9",
    ),
    "none of its choices": (parameter("n: Literal['a', 'b'] = 'c'"), "the default 'c'", "Choose a or b."),
    "infinite": (parameter("n: float = float('inf')"), "the default inf", "choose another"),
    "choices of two types": (parameter("n: Literal[1, 'a']"), "several types", "all of one"),
    "yes or no": (parameter("n: Literal[True, False]"), "True and False", "write bool"),
    "too few labels": (parameter("n: Annotated[Literal[1, 2], Labels('One')]"), "2 choices and 1 label:", "for each"),
    "too many labels": (parameter("n: Annotated[Literal[1], Labels('a', 'b')]"), "1 choice and 2 labels", "for each"),
    "labels of nothing": (parameter("n: Annotated[int, Labels('a')]"), "has no choices", "take that out"),
    "a range of a text": (parameter("n: Annotated[str, Interval(ge=1)]"), "is no number, .* ge=1", "take that out"),
    "a range of choices": (parameter("n: Annotated[Literal[1], Le(2)]"), "is no number, .* le=2", "take that out"),
    "a range of files": (parameter("n: Annotated[Upload, Lt(2)]"), "is no number, .* lt=2", "take that out"),
    "a range of yes and no": (parameter("n: Annotated[bool, Ge(0)]"), "is no number, .* ge=0", "take that out"),
    "an empty range": (parameter("n: Annotated[int, Interval(ge=2, le=1)]"), "ge=2 and le=1", "smaller one first"),
    "a range in two parts": (parameter("n: Annotated[int, Le(1), Ge(2)]"), "le=1 and ge=2", "smaller one first"),
    "nothing between": (parameter("n: Annotated[int, Interval(gt=1, lt=2)]"), "gt=1 and lt=2", "nothing is within"),
    "nothing below": (parameter("n: Annotated[float, Interval(ge=1.5, lt=1.5)]"), "ge=1.5 and lt=1.5", "nothing is"),
    "a range of texts": (parameter("n: Annotated[int, Interval(ge='1')]"), "ge='1'", "write a whole number"),
    "a range without an end": (parameter("n: Annotated[float, Le(float('inf'))]"), "le=inf", "write a number"),
    "a range of no number": (parameter("n: Annotated[float, Ge(float('nan'))]"), "ge=nan", "write a number"),
    "a range beyond floats": (parameter("n: Annotated[float, Ge(10**400)]"), "ge=1000", "write a number"),
    "a range of a module": (parameter("n: Annotated[float, Ge(functools)]"), "ge=<module", "write a number"),
    "a range of parts": (parameter("n: Annotated[int, Ge(0.2)]"), "ge=0.2", "write a whole number"),
    # A range that no other test has: typing gives back an equal annotation from before, and to it True is 1.
    "a range of yes": (parameter("n: Annotated[int, Interval(ge=True, le=977)]"), "ge=True", "write a whole number"),
    "a range that says nothing": (parameter("n: Annotated[int, Interval]"), "Interval without", r"write Interval\("),
    "a bound that says nothing": (parameter("n: Annotated[int, Ge]"), "Ge without", r"write Ge\("),
    "a range of nothing": (parameter("n: Annotated[int, Interval()]"), r"Interval\(\) without a limit", "write one"),
    "a range within a range": (
        parameter("n: Annotated[Annotated[int, Interval(ge=1, le=9)], Ge(3)] = 4"),
        "both ge=1 and ge=3",
        "leave one",
    ),
    "two lower ends": (parameter("n: Annotated[float, Interval(ge=0, gt=0)]"), "both gt=0 and ge=0", "leave one"),
    "a length of a number": (parameter("n: Annotated[int, MaxLen(3)]"), "is no text, .* max_length=3", "take that out"),
    "a length of files": (
        parameter("n: Annotated[list[Upload], Count(1, 2), Len(1, 2)]"),
        "is no text, .* min_length=1",
        "take that out",
    ),
    "a length of files alone": (parameter("n: Annotated[list[Upload], MaxLen(5)]"), "without an end", "Count"),
    "a length below nothing": (parameter("n: Annotated[str, MinLen(-1)]"), "min_length=-1", "at least 0"),
    "half a length": (parameter("n: Annotated[str, MaxLen(1.5)]"), "max_length=1.5", "write a whole number"),
    "an empty length": (
        parameter("n: Annotated[str, Len(3, 2)]"),
        "min_length=3 and max_length=2",
        "smaller one first",
    ),
    "a default that is too long": (parameter("n: Annotated[str, MaxLen(2)] = 'abc'"), "the default 'abc'", "at most 2"),
    "a limit nobody keeps": (parameter("n: Annotated[int, MultipleOf(5)]"), "MultipleOf, which no form", "TaskError"),
    "a test nobody makes": (parameter("n: LowerCase[str]"), "Predicate, which no form keeps to", "TaskError"),
    "a limit nobody knows": (parameter("n: Annotated[int, {'maximum': 3}]"), "dict, which no form", "take that out"),
    "a title beyond its range": (task("'{n:c}'", "task, n: Annotated[int, Ge(5)]"), r"\{n:c\}", "cannot be written so"),
    "a title beyond any float": (task("'{n:.1f}'", "task, n: int"), r"\{n:.1f\}", "too large"),
    "a title below its range": (task("'{n:c}'", "task, n: Annotated[int, Le(5)]"), r"\{n:c\}", "cannot be written so"),
    "a count of one file": (parameter("n: Annotated[Upload, Count(1, 2)]"), r"not list\[Upload\]", "take that out"),
    "a count of none": (parameter("n: Annotated[list[Upload], Count(0, 0)]"), r"Count\(0, 0\)", "at least 1"),
    "a count in words": (parameter("n: Annotated[list[Upload], Count('1', 5)]"), r"Count\('1', 5\)", "write numbers"),
    "a count and a half": (parameter("n: Annotated[list[Upload], Count(1, 2.5)]"), r"Count\(1, 2.5\)", "write numbers"),
    "suffixes of a text": (parameter("n: Annotated[str, Accept('.csv')]"), "is no file", "take that out"),
    "a suffix without its dot": (parameter("n: Annotated[Upload, Accept('csv')]"), "csv", "with their dot"),
    "suffixes in a list": (parameter("n: Annotated[Upload, Accept(['.csv', '.txt'])]"), "csv", "with their dot"),
    "a suffix that is a number": (parameter("n: Annotated[Upload, Accept(7)]"), "7", "with their dot"),
    # the title
    "an unknown field": (task("'{number}'", "task, n: int"), r"\{number\}", "it has n"),
    "a field of nothing": (task("'{n}'"), r"\{n\}", "it has no parameters"),
    "a field without a name": (task("'{}'", "task, n: int"), r"\{\}", "it has n"),
    "a numbered field": (task("'{0}'", "task, n: int"), r"\{0\}", "it has n"),
    "an attribute": (task("'{n.real}'", "task, n: int"), r"\{n.real\}", "write a function"),
    "an index": (task("'{n[0]}'", "task, n: str"), r"\{n\[0\]\}", "write a function"),
    "a bad format": (task("'{n:d}'", "task, n: str"), r"\{n:d\}", "cannot be written so"),
    "a format for some": (task("'{n:c}'", "task, n: int"), r"\{n:c\}", "cannot be written so"),
    "a format from outside": (task("'{n:{w}}'", "task, n: int, w: int"), "no single value", "write a function"),
    "a format of a file": (task("'{n:>9}'", "task, n: Upload"), r"\{n:>9\}", "cannot be written so"),
    "a bad conversion": (task("'{n!x}'", "task, n: int"), r"\{n!x\}", "cannot be written so"),
    "a secret title": (task("'{n}'", "task, n: Secret"), r"\{n\}, which is a secret", "take that out"),
    "a title of nothing": (task("'{n}'", "task, n: int | None = None"), "may be None", "write a function"),
    "a title of a list": (task("'{n}'", "task, n: list[str]"), r"\{n\}", "write a function"),
    "several files": (
        task("'{n}'", "task, n: Annotated[list[Upload], Count(1, 2)]"),
        r"\{n\}",
        "write a function",
    ),
    "a single brace": (task("'a { b'"), "cannot be read", "twice"),
    "an empty title": (task("' '"), "title is ' '", "'Wrong'"),
    "a title that is a number": (task("5"), "title is 5", "write a text"),
    "a title of other arguments": (task("lambda m: 'x'", "task, n: int"), "its title is given n", r"def title\(n\)"),
    "a title that is async": (task("hook", before="async " + HOOK.format("")), "its title is async", "write def title"),
    "a phrase of other arguments": (task("phrase('w.1', '{m}')", "task, n: int"), r"title has \{m\}", "it has n"),
    "a phrase of a plural": (task("phrase('w.2', 'One', plural='{number}')"), r"\{number\}", "no parameters"),
    "a phrase too long": (task("phrase('w.3', '{n:size}')", "task, n: int"), r"'\{n:size\}'", "cannot be written"),
    # the other options
    "a name alone": (task("one_at_a_time='n'", "task, n: int"), "one_at_a_time is 'n'", r'like \("n",\)'),
    "a list of names": (task("one_at_a_time=['n']", "task, n: int"), r"\['n'\]", r'like \("n",\)'),
    "no names": (task("one_at_a_time=()", "task, n: int"), r"one_at_a_time is \(\)", r'like \("n",\)'),
    "one at a time by what is not": (task("one_at_a_time=('m',)", "task, n: int"), "names m", "it has n"),
    "one at a time by a file": (task("one_at_a_time=('n',)", "task, n: Upload"), "by a file", "no two are the same"),
    "one at a time by a secret": (task("one_at_a_time=('n',)", "task, n: Secret"), "by a secret", "name another"),
    "negative retries": (task("retries=-1"), "retries is -1", "0 or more"),
    "half a retry": (task("retries=0.5"), "retries is 0.5", "0 or more"),
    "retries in the past": (task("retries=Retries(1, delay=-1)"), "no number of seconds", "0 or more"),
    "retries on a name": (task("retries=Retries(1, on='OSError')"), "no tuple", r"on=\(TimeoutError,\)"),
    "a negative timeout": (task("timeout=-1"), "timeout is -1", "above 0"),
    "no time": (task("timeout=0"), "timeout is 0", "above 0"),
    "endless time": (task("timeout=float('inf')"), "timeout is inf", "above 0"),
    "a timeout in words": (task("timeout='60'"), "timeout is '60'", "above 0"),
    "too high a priority": (task("priority=11"), "priority is 11", "from -10 to 10"),
    "a fraction of a priority": (task("priority=0.5"), "priority is 0.5", "from -10 to 10"),
    "a negative total": (task("total=-1"), "total is -1", "number of steps"),
    "a total of other arguments": (task("total=lambda: 1", "task, n: int"), "its total is given n", r"def total\(n\)"),
    "a preview of other arguments": (
        task("preview=hook", "task, n: int", before=HOOK.format("m")),
        "its preview is given n",
        r"def preview\(n\)",
    ),
    "a preview that yields": (
        task("preview=hook", before="def hook():\n    yield\n"),
        "its preview has a yield",
        "write def preview",
    ),
    "a preview that is none": (task("preview=True"), "its preview is a bool", "write def preview"),
    "an undo that is none": (task("undo=True"), "its Undo needs a task function", "task_id: str, title: str"),
    "an undo by a plain function": (
        task("undo=Undo('Undo', print, bool)"),
        "its Undo needs a task function",
        "task_id: str, title: str",
    ),
    "an undo of other arguments": (
        task("undo=Undo('Undo', back, bool)", before=UNDO.format("task_id: str")),
        "its Undo needs",
        "title: str",
    ),
    "an undo of a number": (
        task("undo=Undo('Undo', back, bool)", before=UNDO.format("task_id: int, title: str")),
        "its Undo",
        "title: str",
    ),
    "an undo without words": (
        task("undo=Undo('', back, bool)", before=UNDO.format("task_id: str, title: str")),
        "the label ''",
        "button",
    ),
    "an undo that asks for more": (
        task("undo=Undo('Undo', back, lambda: 1)", before=UNDO.format("task_id: str, title: str")),
        "the is_possible of its Undo is given 1 argument",
        r"write def is_possible\(task\)",
    ),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_task_function_that_could_never_work_is_told_in_one_line(load, what):
    text, *words = WRONG[what]
    with pytest.raises(DeclarationError) as refused:
        load(text)
    [line] = refused.value.report.splitlines()
    assert re.match(r"\S*declared_\d+/wrong\.py:\d+: (\S+|functools.*?|<built.*?>): ", line), line
    assert [word for word in words if not re.search(word, line)] == [], line
    assert len(line) < 350


def test_the_line_of_the_function_is_told(load):
    with pytest.raises(DeclarationError, match=r"declared_\d+/wrong.py:6: wrong: parameter n has no type"):
        load("@user_task()\ndef wrong(task, n): pass")


def test_a_parameter_is_refused_whose_name_the_form_needs(load):
    from webapp.web.forms.tasks import task_form_class

    for name in ("data", "errors", "form_key"):
        with pytest.raises(DeclarationError, match=f"parameter {name} .* write {name}_"):
            task_form_class(load(f"@user_task()\ndef wrong_{name}(task, {name}: str): pass").__dict__[f"wrong_{name}"])


RIGHT = {
    "nothing": task(),
    "a run by its type": task(parameters="x: Run"),
    "a run that is not used": task(parameters="_"),
    "formats": task(
        "'{n:>4} {{}} {m!r:.3} {f:.1f} {c} {u} {b}'",
        "task, n: int, m: str, f: float, c: Literal[1], u: Upload, b: bool",
    ),
    "perhaps nothing": parameter(
        "n: int | None = None, m: Annotated[Literal['a'] | None, 'x'] = None, f: Upload | None = None"
    ),
    "lists": parameter(
        "n: list[str] = [], m: Annotated[list[Annotated[int, Ge(7)]], Count(0, 5)] = (7, 8), o: list[date] = ()"
    ),
    "a title by label": task("'{n:>9} {d:%d.%m.} {m:.2f}'", "task, n: enum.Enum('Mood', 'A B'), d: date, m: Decimal"),
    "defaults": parameter("n: Annotated[int, Le(9)] = 9, f: float = 1, s: str = '', c: Literal['a'] = 'a'"),
    "bounds": parameter("n: Annotated[int, Gt(0), Le(9)] = 1, f: Annotated[float, Interval(gt=0, lt=1e-9)] = 5e-10"),
    "a length": parameter("s: Annotated[str, Len(0, 3)] = '', t: Annotated[str, MinLen(2)] = 'ab'"),
    "a remark": parameter("n: Annotated[int, 'of cards', Ge(1)] = 1"),
    "a title within its range": task("'{n:c}'", "task, n: Annotated[int, Interval(ge=0, lt=128)]"),
    "by name only": parameter("*, n: int"),
    "the task by position only": task(parameters="task, /, n: int"),
    "hooks that take anything": task("lambda **all: 'x', total=lambda **all: 1, preview=print", "task, sep: str"),
    "numbers": task("retries=Retries(0, delay=0, on=(OSError,)), timeout=0.5, priority=-10, total=0"),
    "one at a time": task("one_at_a_time=('n', 'm')", "task, n: int, m: str"),
    "wrapped": (
        "def wrap(f):\n    return functools.wraps(f)(lambda *a, **k: f(*a, **k))\n"
        "@user_task()\n@wrap\ndef wrong(task, n: int): pass"
    ),
    "async inside of a wrapper": (
        "def wrap(f):\n    return functools.wraps(f)(lambda *a, **k: asyncio.run(f(*a, **k)))\n"
        "@user_task()\n@wrap\nasync def wrong(task, n: int): pass"
    ),
    "an undo": task("undo=Undo('Undo', back, lambda task: True)", before=UNDO.format("title: str, task_id: str")),
}


@pytest.mark.parametrize("what", RIGHT)
def test_declarations_that_can_work_are_accepted(load, what):
    assert load(RIGHT[what]).wrong is registry.functions["wrong"]


UNLISTED = {
    "no docstring": (task(body="pass"), r"wrong\.py:7: wrong: has no docstring: write what it does"),
    "no task function": (
        "def wrong(task): pass",
        "'wrong': .* has no task of that name: write @user_task\\(\\) above def",
    ),
    "another function": ("@user_task()\ndef other(task): pass", "'wrong': .* has no task of that name"),
}


@pytest.mark.parametrize("what", UNLISTED)
def test_a_catalogue_entry_that_cannot_be_listed_is_told_in_one_line(load, what):
    text, words = UNLISTED[what]
    package = load(text).__name__.partition(".")[0]
    with pytest.raises(DeclarationError, match=words) as refused:
        catalogue(package, "wrong")
    assert refused.value.report.count("\n") == 0


def test_a_file_that_is_not_there_is_told_and_one_that_fails_is_not_hidden(load):
    told = r"test_declaration_error.py:\d+: 'count_stars': .* no tasks/count_stars.py"
    with pytest.raises(DeclarationError, match=told):
        catalogue("tasks", "count_stars")
    package = load(task("listed=False", body="pass")).__name__.partition(".")[0]
    assert "wrong" in catalogue(package, "wrong"), "which needs no docstring, as it has no page"
    with pytest.raises(ModuleNotFoundError, match="missing_library"):
        load("import missing_library")


def test_a_suffix_counts_in_whatever_case(load):
    [parameter] = load("@user_task()\ndef wrong(task, n: Annotated[Upload, Accept('.CSV')]): pass").wrong.parameters
    assert parameter.suffixes == (".csv",)


COMMANDS = {
    "web": [BIN / "gunicorn", "webapp.wsgi:app"],
    "worker": [sys.executable, "-m", "tasks.worker"],
    "dev": [sys.executable, "-m", "webapp.dev"],
    "migrate": [BIN / "flask", "--app", "webapp.wsgi", "migrate"],
    "demo": [BIN / "python", "-m", "webapp.dev.demo"],
}


@pytest.fixture(scope="module")
def wrong_tree(tmp_path_factory):
    """A tree with a task that can never work."""
    copy = Copy(tmp_path_factory.mktemp("wrong"))
    copy.add_task(
        "count_stars", 'from tasks.engine import user_task\n\n\n@user_task("{stars}")\ndef count_stars(task): ...\n'
    )
    return copy.folder


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_starts_with_a_task_that_can_never_work(tmp_path, wrong_tree, command):
    env = {"PATH": os.environ["PATH"], "DATA_DIR": str(tmp_path), "PORT": str(free_port()), "LOG_LEVEL": "ERROR"}
    done = subprocess.run(COMMANDS[command], cwd=wrong_tree, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    told = "tasks/count_stars.py:4: count_stars: its title has {stars}, and it has no parameters"
    assert [line for line in done.stderr.splitlines() if line] == [told]
    assert done.stdout == ""
