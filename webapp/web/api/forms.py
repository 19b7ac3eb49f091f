"""The forms of pages, filled in by programs: what a page says of a field, the API says of a member of the body."""

from collections.abc import Mapping
from typing import Any, Final, NoReturn, TypeVar

from flask_wtf import FlaskForm
from werkzeug.datastructures import MultiDict

from webapp.lib.i18n import number
from webapp.web.api.json_body import IN_THE_BODY, pointer
from webapp.web.api.problems import INVALID, Fault, Problem
from webapp.web.api.resource import STRING, Schema, described

Form = TypeVar("Form", bound=FlaskForm)
WITHOUT_COOKIES: Final[Mapping[str, Any]] = {"csrf": False}  # the token says who sends it


def text_body(longest: int) -> Schema:
    """The schema of a body that has nothing but a text, `body`, of at most so many characters, as its form has it."""
    words = f"1 to {number(longest)} characters; spaces around them don’t count, and a line break is one."
    text = described(STRING | {"minLength": 1}, words)
    return {"type": "object", "properties": {"body": text}, "required": ["body"], "additionalProperties": False}


def filled_in(form: type[Form], **texts: str) -> Form:
    """A form that is valid, with these texts. Raises Problem (422), with what is wrong with each of its fields, which
    are members of the body by the same names."""
    found = form(formdata=MultiDict(texts), meta=WITHOUT_COOKIES)
    if not found.validate():
        refuse([Fault(str(words), pointer=pointer(name)) for name, said in found.errors.items() for words in said])
    return found


def refuse(faults: list[Fault], words: str = IN_THE_BODY) -> NoReturn:
    """Raise Problem (422) for these faults."""
    raise Problem(INVALID, words, faults)
