"""JSON bodies: what is no JSON, or none that can be kept, is refused before anything else looks at it."""

import pytest

from webapp.web.api.json_body import DEEPEST, demand, parse
from webapp.web.api.problems import Problem

SCHEMA = {
    "type": "object",
    "properties": {
        "a/b": {"type": "integer", "minimum": 1},
        "at": {"type": "string", "format": "date-time"},
        "names": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 2},
    },
    "required": ["at"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"{", "isn’t JSON"),
        (b'{"kind":\n "wait",}', "isn’t JSON: look at line 2, column"),
        (b"\xff", "isn’t JSON"),
        (b'{"a": 1, "a": 2}', "same name twice"),
        (b"[NaN]", "doesn’t know"),
        (b"[1e999]", "too large"),
        (b'["\\u0000"]', "can’t be stored"),
        (b'{"\\ud800": 1}', "can’t be stored"),
        (b"[" * 100_000 + b"]" * 100_000, "JSON"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "levels deep"),
        (b"1" * 5000, "isn’t JSON"),
    ],
)
def test_what_cannot_be_kept_is_refused(data, words):
    with pytest.raises(Problem, match=words) as caught:
        parse(data)
    assert caught.value.type.status == 400


def test_each_fault_has_its_place_and_words():
    with pytest.raises(Problem) as caught:
        demand(SCHEMA, {"a/b": 0, "names": ["", "x", "y"], "more": 1})
    assert {fault.pointer: fault.detail for fault in caught.value.faults} == {
        "/a~1b": "At least 1.",
        "/names": "At most 2 items.",
        "/names/0": "This can’t be empty.",
        "/more": "There is no such member.",
        "/at": "This is required.",
    }


def test_a_type_and_a_format_are_named():
    with pytest.raises(Problem) as caught:
        demand(SCHEMA, {"a/b": "1", "at": "tomorrow"})
    assert [fault.detail for fault in caught.value.faults] == [
        "This must be a whole number.",
        "This must be a time with its offset, like 2026-11-30T09:00:00Z or 2026-11-30T10:00:00+01:00.",
    ]
