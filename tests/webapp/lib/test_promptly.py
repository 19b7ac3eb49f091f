"""An answer within a total time."""

import threading
import time

import pytest

from webapp.lib.promptly import promptly


def test_an_answer_and_an_error_are_passed_on():
    assert promptly(lambda: 7, 10) == 7
    with pytest.raises(ZeroDivisionError):
        promptly(lambda: 1 / 0, 10)


def test_who_does_not_answer_is_waited_for_no_longer():
    answers, begun = threading.Event(), time.monotonic()
    with pytest.raises(TimeoutError, match=r"no answer within 0.05 s"):
        promptly(answers.wait, 0.05)
    assert time.monotonic() - begun < 5
    answers.set()
