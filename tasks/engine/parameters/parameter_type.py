"""ParameterType: what one row of the table of parameter types says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from tasks.engine.parameters.conversions import Place, Value, as_it_is
from webapp.lib.json_types import Json


@dataclass(frozen=True)
class ParameterType:
    """One type of parameter: a row of the table. Its functions raise ValueError for what they can make nothing of."""

    name: str  # as an annotation spells it
    python: type  # of a value, as the task function gets it
    field: str  # the kind of its form field
    wrong: str  # what people read whose value is none of this type
    schema: Mapping[str, Json]  # of the JSON that programs send
    samples: tuple[Value, ...]  # values that differ as much as any
    take: Callable[[object], Value]  # what the function gets for a value that code gives
    parse: Callable[[str], Value]  # and for what somebody has typed
    read_json: Callable[[Json], Value]  # and for what a program has sent; it takes what `schema` does
    text: Callable[[Value], str] = str  # what then stands in the field
    dump: Callable[[Value, Place], Json] = as_it_is  # as the row has it
    load: Callable[[Value, Place], Value] = as_it_is  # and back; raises TaskError, in words, for what is gone
    in_title: Callable[[Value], Value] = as_it_is  # what a title that is a format string formats
    limits: Literal["", "range", "length"] = ""  # which bounds it can have
    in_list: bool = True  # whether a list of it can be asked for: one a line, as check boxes, or as files
    wrong_json: str = ""  # what programs read instead of `wrong`
    again: str = ""  # said where an earlier task had one: no form is filled in with it, and none is a default

    def __str__(self) -> str:
        return self.name
