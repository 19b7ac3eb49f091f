"""The posts of a JSON file, `{"posts": [{"body": …, "timestamp": …}, …]}` or the list alone, one after the other."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tasks.engine import TaskError
from tasks.lib.decoding import Text
from tasks.lib.scanning import Scanner
from webapp.lib.phrases import phrase

NO_POSTS = phrase("json_items.no_posts", '{file} does not begin like a file of posts: {{"posts": [')
CUT_OFF = phrase("json_items.cut_off", "{file} ends in the middle of post {place}, so part of it is missing.")
INVALID = phrase("json_items.invalid", "Post {place} in {file} is not valid JSON.")

_BEGINNING = re.compile(r'\s*(?:\{\s*"posts"\s*:\s*)?\[(?=\s*[{\]])')
_MARK = re.compile(r'["\[\]{},]')
_IN_TEXT, _TEXT = re.compile(r'["\\]'), re.compile(r'(?:[^"\\]++|\\[\s\S])*+')


def begins_as_json(text: Text) -> bool:
    """Whether a text is such a file, by its beginning."""
    return bool(_BEGINNING.match(text.piece(0) or ""))


class JsonItems:
    """What a list holds, in constant memory: each with its number, or None in the place of one that is too long.

    Iterating raises TaskError, in words, where the text is no JSON or ends too early. Each iteration begins anew.
    """

    def __init__(self, text: Text, name: str) -> None:
        self._text = text
        self._name = name

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        beginning = _BEGINNING.match(self._text.piece(0) or "")
        if not beginning:
            raise TaskError(NO_POSTS(file=self._name))
        scanner = Scanner(self._text)
        scanner.go_to((0, beginning.end()))
        number, end = 0, ","
        while end == ",":
            number += 1
            scanner.keep_anew()
            end = _pass_item(scanner)
            if not end:
                raise TaskError(CUT_OFF(file=self._name, place=number))
            if scanner.is_too_long:
                yield number, None
            elif end == "," or number > 1 or scanner.kept().strip():
                yield number, self._item(number, scanner.kept())

    def _item(self, number: int, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise TaskError(INVALID(file=self._name, place=number)) from error


def _pass_item(scanner: Scanner) -> str:
    """Keep an item of a list; what ends it, a comma or the list's end, or an empty string if nothing does."""
    depth = 0
    while mark := scanner.up_to(_MARK):
        if depth == 0 and mark in ",]":
            return mark
        scanner.keep(mark)
        if mark == '"':
            _pass_text(scanner)
        elif mark != ",":
            depth += 1 if mark in "[{" else -1
    return ""


def _pass_text(scanner: Scanner) -> None:
    """Keep a text up to the mark that closes it."""
    mark = ""
    while mark != '"':
        scanner.keep(scanner.pass_over(_TEXT))
        mark = scanner.up_to(_IN_TEXT)
        if not mark:
            return
        scanner.keep(mark)
        if mark == "\\":
            scanner.keep(scanner.next_is())
            scanner.skip()
