"""The table of parameter types. What is particular to a type stands in its row, and nowhere else in the engine.

A new type is a row here and, if no field fits, a field of its kind in `webapp/web/forms/task_fields/`.
"""

from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Final

from tasks.engine.parameters import conversions as convert
from tasks.engine.parameters import json_values
from tasks.engine.parameters.parameter_type import ParameterType
from tasks.engine.parameters.secret import Secret
from tasks.engine.uploads import Upload, from_json
from webapp.lib.times import exact_iso

# The kinds of fields that a parameter has by what its annotation makes of its type.
SHAPES: Final = ("select", "own", "checkboxes", "lines", "textarea", "files")


class _Sample(Enum):
    FIRST_ONE = "first"


TYPES: Final = (
    ParameterType(
        name="str",
        python=str,
        field="text",
        wrong="Enter some text.",
        schema={"type": "string"},
        samples=("text",),
        take=convert.instance(str),
        parse=str,
        read_json=convert.instance(str),
        limits="length",
    ),
    ParameterType(
        name="int",
        python=int,
        field="integer",
        wrong="Enter a whole number.",
        schema={"type": "integer"},
        samples=(-1, 10**4299),  # a text has no longer one
        take=convert.instance(int),
        parse=int,
        read_json=json_values.whole_number,
        limits="range",
    ),
    ParameterType(
        name="float",
        python=float,
        field="number",
        wrong="Enter a number.",
        schema={"type": "number"},
        samples=(-1.5, 1e300),
        take=convert.take_float,
        parse=float,
        read_json=convert.take_float,
        limits="range",
    ),
    ParameterType(
        name="Decimal",
        python=Decimal,
        field="decimal",
        wrong="Enter a number, like 12.50.",
        wrong_json='Write a number as a text, like "12.50".',
        schema={"type": "string", "pattern": f"^{convert.DECIMAL}$"},
        samples=(Decimal("-1.50"), Decimal(10) ** 30),
        take=convert.take_decimal,
        parse=convert.parse_decimal,
        read_json=json_values.decimal,
        text=convert.decimal_text,
        dump=lambda value, _: convert.decimal_text(value),
        load=lambda saved, _: convert.parse_decimal(saved),
        limits="range",
    ),
    ParameterType(
        name="bool",
        python=bool,
        field="checkbox",
        wrong="Choose yes or no.",
        wrong_json="Write true or false.",
        schema={"type": "boolean"},
        samples=(False, True),
        take=convert.instance(bool),
        parse=convert.parse_bool,
        read_json=convert.instance(bool),
        text=lambda value: "yes" if value else "no",
        in_list=False,
    ),
    ParameterType(
        name="date",
        python=date,
        field="date",
        wrong="Enter a date, like 2026-11-30.",
        schema={"type": "string", "format": "date"},
        samples=(date(1, 1, 1), date(9999, 12, 31)),
        take=convert.instance(date),
        parse=convert.parse_date,
        read_json=json_values.day,
        dump=lambda value, _: value.isoformat(),
        load=lambda saved, _: convert.parse_date(saved),
    ),
    ParameterType(
        name="time",
        python=time,
        field="time",
        wrong="Enter a time, like 09:30.",
        schema={"type": "string", "pattern": f"^{convert.TIME}$"},
        samples=(time(0, 0), time(23, 59, 59, 999999)),
        take=convert.take_time,
        parse=convert.parse_time,
        read_json=json_values.time_of_day,
        text=convert.time_text,
        dump=lambda value, _: value.isoformat(),
        load=lambda saved, _: convert.parse_time(saved),
    ),
    ParameterType(
        name="datetime",
        python=datetime,
        field="datetime",
        wrong="Enter a date and time.",
        wrong_json="Write a date and time with its zone, like 2026-11-30T09:30:00Z.",
        schema={"type": "string", "format": "date-time"},
        samples=(datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)),
        take=convert.take_datetime,
        parse=convert.parse_datetime,
        read_json=json_values.moment,
        text=exact_iso,
        dump=lambda value, _: exact_iso(value),
        load=lambda saved, _: convert.parse_datetime(saved),
        in_list=False,
    ),
    ParameterType(
        name="Enum",
        python=Enum,
        field="select",
        wrong="Choose one.",
        schema={},
        samples=(_Sample.FIRST_ONE,),
        take=convert.instance(Enum),
        parse=convert.not_typed,
        read_json=convert.not_typed,
        text=lambda member: str(member.value),
        dump=lambda member, _: member.value,
        load=convert.not_typed,
        in_title=convert.label_of,
    ),
    ParameterType(
        name="Secret",
        python=Secret,
        field="password",
        wrong="Enter some text.",
        schema={"type": "string", "format": "password", "writeOnly": True},
        samples=(Secret("text"),),
        take=convert.take_secret,
        parse=Secret,
        read_json=convert.take_secret,
        dump=convert.dump_secret,
        load=convert.load_secret,
        limits="length",
        again="Please enter it again.",
        in_list=False,
    ),
    ParameterType(
        name="Upload",
        python=Upload,
        field="file",
        wrong="Choose a file.",
        wrong_json="Send this file as a part of its own, in multipart/form-data.",
        schema={"type": "string", "contentMediaType": "application/octet-stream"},
        samples=(Upload("text.txt", b""),),
        take=convert.instance(Upload),
        parse=convert.not_typed,
        read_json=convert.not_typed,
        dump=convert.dump_file,
        load=lambda saved, _: from_json(saved),
        again="Please choose it again.",
    ),
)


def type_of(python: object) -> ParameterType | None:
    """The row of a Python type; None for a type that no parameter can have."""
    if isinstance(python, type) and issubclass(python, Enum):
        python = Enum
    return next((row for row in TYPES if row.python is python), None)
