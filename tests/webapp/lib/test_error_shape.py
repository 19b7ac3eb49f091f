"""Error shapes: what two failures of one cause have in common, and that no value is kept of them."""

import time

import pytest

from tasks.engine import TaskError
from tests.processes import ROOT
from webapp.lib.error_shape import LONGEST, ErrorShape, shape_of, shape_of_words, without_values
from webapp.lib.error_text import LONGEST_TRACEBACK
from webapp.lib.phrases import phrase

SHORT_OF_MEMORY = phrase("test.shape", "It needed {bytes:size}.")


def _raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def _caught(function) -> BaseException:
    try:
        function()
    except BaseException as caught:
        return caught
    pytest.fail("it raised nothing")


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("Row 17 of 20 is too long", "Row … of … is too long"),
        ("Connection to 10.0.0.1:25 refused", "Connection to … refused"),
        ("[Errno 111] Connection refused", "[Errno …] Connection refused"),
        ("No such file: '/home/ann/secret.txt'", "No such file: …"),
        ("could not open /srv/data/a.txt", "could not open …"),
        ("could not open C:\\Users\\Ann", "could not open …"),
        ("ann@example.com was refused", "… was refused"),
        ("8d5f1c9e-47a2-4f6b-9f3a-1f0f4b6a2f10 is gone", "… is gone"),
        ("token deadbeef0042 is unknown", "token … is unknown"),
        ("duplicate key: Key (name)=(bob builder) exists", "duplicate key: Key (name)… exists"),
        ("“Ann’s list” isn’t there", "… isn’t there"),
        ("it didn't find Bob's 'dog's' bowl", "it didn't find Bob's … bowl"),
        ("https://example.com/?q=ann is down", "… is down"),
        (f"'{'x' * 2000}' is no name", "…"),
        (f'{{"name": "{"x" * 2000}', "{…: …"),
        ("(550, b'Mailbox of Ann unavailable')", "(…, …)"),
        ("1 2 3 4", "…"),
        ("٣ rows", "… rows"),
        ("The first line\nand ann@example.com", "The first line"),
        ("", ""),
        ("NUL \0 and \ud800 and \x1b[31m", "NUL \\x00 and \\ud800 and …"),
    ],
)
def test_what_differs_each_time_is_left_out(text, shape):
    assert without_values(text) == shape


def test_a_library_keeps_its_words_and_loses_values():
    error = _caught(lambda: int("bob@example.com"))
    assert shape_of(error).message == "invalid literal for int() with base …: …"


def _raised_by_us(source: str, **names: object) -> BaseException:
    """What code raises that stands in a file of the site's."""
    given = ", ".join(f"{name}={name}" for name in names)
    code = compile(f"def work({given}):\n    {source}", str(ROOT / "tasks" / "somewhere.py"), "exec")
    exec(code, names)
    return _caught(names["work"])


def test_of_what_our_code_raises_only_its_own_words_are_kept():
    error = _raised_by_us("raise ValueError(f'The row {row} of {name} has no title')", row="seven", name="Ann")
    shape = shape_of(error)
    assert shape.message == "The row … of … has no title"
    assert shape.place == "tasks/somewhere.py:work"
    assert "Ann" not in shape.traceback


def test_of_what_our_code_calls_a_library_for_the_library_says_it():
    assert shape_of(_raised_by_us("int('bob')")).message == "invalid literal for int() with base …: …"


@pytest.mark.parametrize(
    "bait",
    [
        "'" * 100_000,
        "'a" * 100_000,
        " 'a" * 100_000,
        ' "' * 100_000,
        '"' + "a" * 100_000,
        "=(" * 100_000,
        "a@" * 100_000,
        "/" * 10_000_000,
        "(" * 100_000,
        "\ud800" * 100_000,
        "\0" * 100_000,
        " \n" * 100_000,
        "a b " * 100_000,
    ],
)
def test_whatever_the_message_is_it_takes_no_time_and_fits(bait):
    begun = time.perf_counter()
    shape = shape_of(_raised(ValueError(bait)))
    assert time.perf_counter() - begun < 0.25
    assert len(shape.message) <= LONGEST
    shape.message.encode()
    assert "\0" not in shape.message


def test_ten_megabytes_in_a_chain_of_errors_are_a_short_traceback():
    def fail() -> None:
        try:
            raise ValueError("x" * 10_000_000)
        except ValueError as error:
            raise RuntimeError(b"y" * 10_000_000) from error

    shape = shape_of(_caught(fail))
    assert 0 < len(shape.traceback) <= LONGEST_TRACEBACK + 3
    assert "xxx" not in shape.traceback
    assert "yyy" not in shape.traceback


def test_endless_recursion_is_a_short_traceback():
    def deeper() -> None:
        deeper()

    shape = shape_of(_caught(deeper))
    assert shape.type == "RecursionError"
    assert len(shape.traceback) <= LONGEST_TRACEBACK + 3


def test_an_error_whose_text_cannot_be_read_has_a_shape_all_the_same():
    class Broken(Exception):
        def __str__(self) -> str:
            raise ValueError("no")

    assert shape_of(_raised(Broken())).message == "(its message can’t be read)"


def test_a_phrase_is_known_by_its_id_whatever_its_arguments_are():
    few, many = SHORT_OF_MEMORY(bytes=5), SHORT_OF_MEMORY(bytes=10_000)
    assert shape_of_words(few).fingerprint("k") == shape_of_words(many).fingerprint("k")
    assert shape_of_words(few).message == "It needed …."
    raised = shape_of(_raised(TaskError(few)), few)
    assert (raised.type, raised.key) == ("tasks.engine.errors.TaskError", "test.shape")


def test_kinds_types_places_and_messages_tell_causes_apart():
    shapes = [
        ErrorShape("OSError", "a.py:f", "It is full"),
        ErrorShape("OSError", "a.py:f", "It is gone"),
        ErrorShape("OSError", "a.py:g", "It is full"),
        ErrorShape("IOError", "a.py:f", "It is full"),
        ErrorShape("OSErrora.py", ":f", "It is full"),
    ]
    found = {shape.fingerprint(kind) for shape in shapes for kind in ("one", "other")}
    assert len(found) == 10
    assert all(len(each) == 16 for each in found)


def test_the_traceback_is_no_part_of_the_cause():
    one, other = (ErrorShape("OSError", "a.py:f", "It is full", traceback) for traceback in ("line 1", "line 2"))
    assert one.fingerprint("k") == other.fingerprint("k")
