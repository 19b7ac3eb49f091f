"""What is told of an error holds no value of a program, however it got into a message."""

import logging
import time

import pytest

from webapp.lib.error_description import Description, Kind, describe, kind_of
from webapp.lib.error_text import LONGEST_TEXT, text_of

SECRET = "ann@example.com"


class Listener(logging.Handler):
    """Describes each record where it is logged, as a collector does."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Description] = []
        self.took = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        begun = time.perf_counter()
        kind = kind_of(record)
        self.took = time.perf_counter() - begun
        self.found.append(describe(record, kind, {"request_id": "5d0c", "release": "ab\n12"}))


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def log(listener):
    """A logger that is listened to."""
    logger = logging.Logger("webapp.a_test")
    logger.addHandler(listener)
    return logger


class Refused(Exception):
    """An exception of a test."""


def _refuse(name: str) -> None:
    try:
        {}[name]
    except KeyError as error:
        raise Refused(f"DETAIL: Key (email)=({name}) already exists.") from error


def _text(listener: Listener) -> str:
    [description] = listener.found
    return text_of(description)


def test_messages_and_variables_are_left_out_and_the_traceback_is_not(log, listener):
    try:
        _refuse(SECRET)
    except Refused:
        log.exception("The account of %s cannot be made", SECRET)
    text = _text(listener)
    assert SECRET not in text
    assert "message: The account of %s cannot be made" in text
    assert "request: 5d0c" in text
    assert r"release: ab\n12" in text
    first, second = (text.index(name) for name in ("KeyError", "Refused"))
    assert first < second, "the cause comes first, as Python tells it"
    assert "_refuse" in text
    assert "{}[name]" in text


def test_a_message_that_is_made_of_values_is_left_out_and_one_of_the_program_is_told(log, listener):
    log.error(f"Exception on /people/{SECRET} [GET]")
    log.error(SECRET.upper())
    log.error(Refused(SECRET))
    log.error("Nothing can be done")
    try:
        raise RuntimeError("this belongs in a transaction of the caller’s")
    except RuntimeError:
        log.exception("It failed")
    texts = [text_of(description) for description in listener.found]
    assert not any(SECRET in text.lower() for text in texts)
    assert "message: Nothing can be done" in texts[3]
    assert "RuntimeError: this belongs in a transaction of the caller’s" in texts[4]


def test_a_hostile_message_costs_nothing_and_cannot_forge_a_line(log, listener):
    message = ("x\r\nBcc: eve@example.com\0\x1b[2J" * 40_000)[:1_000_000]
    try:
        raise Refused(message)
    except Refused:
        log.exception(message)
    assert listener.took < 0.05
    text = _text(listener)
    assert "eve" not in text
    assert "\0" not in text


def test_a_recursion_and_a_chain_of_many_are_told_in_a_bounded_text(log, listener):
    def recurse() -> None:
        recurse()

    def chain(number: int) -> None:
        try:
            if number:
                chain(number - 1)
            recurse()
        except (RecursionError, Refused) as error:
            raise Refused from error

    try:
        chain(20)
    except Refused:
        log.exception("Too deep")
    assert len(_text(listener)) <= LONGEST_TEXT + 3
    [description] = listener.found
    assert len(description.causes) == 5


def test_a_kind_is_where_and_what_and_no_value(log, listener):
    for name in ("ann", "bob"):
        try:
            _refuse(name)
        except Refused:
            log.exception("The account of %s cannot be made", name)
    log.error("The account of %s cannot be made", "cyd")
    first, second, other = (description.kind for description in listener.found)
    assert first == second != other
    assert len({first.digest, second.digest, other.digest}) == 2
    assert first.place.startswith("tests/webapp/lib/test_error_description.py:")
    assert len(first.digest) == 32


def test_a_title_fits_into_a_subject():
    kind = Kind("a" * 300, "b" * 300, "c" * 300, "d" * 300)
    assert len(kind.title) < 255
