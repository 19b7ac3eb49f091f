"""Address files: what people upload, and what of it is mailed to."""

import io
import tracemalloc

import pytest

from tests.webapp.mail.test_recipients import ANN, BOB, LINE_ENDS
from webapp.mail.address_files import FILE_LENGTH, MOST_LINES, read_file
from webapp.mail.recipients import TEXT_LENGTH, read_recipients


def _file(text: str | bytes):
    return read_file(io.BytesIO(text.encode() if isinstance(text, str) else text))


def _in_file(text: str | bytes) -> list[str]:
    found = read_recipients(_file(text).text)
    assert not found.invalid
    return found.addresses


@pytest.mark.parametrize("end", LINE_ENDS)
def test_every_line_end_ends_a_row(end):
    assert _in_file(end.join(["email,name", f"{ANN},Ann", f"{BOB},Bob", ""])) == [ANN, BOB]


@pytest.mark.parametrize(
    "text",
    [
        f"{ANN}\n{BOB}",
        f"{ANN};{BOB}\n",
        f'"{ANN}","{BOB}"',
        f"sep=;\nName;Mail\nAnn;{ANN}\nBob;{BOB}",
        f"name|mail\nAnn|{ANN}\nBob|{BOB}",
        f'\n\nName,Mail\n"Doe\nAnn",{ANN}\n"a ""b""",{BOB}\n',
        f'Name,Mail\n"never closed,{ANN}\nBob,{BOB}',
        f"Name,Mail\nAnn 5'10\",{ANN}\nBob 6'1\",{BOB}",
        f"Name,Mail\n{'y' * 200_000},{ANN}\nBob,{BOB}",
        f'Name,Mail\n"{"y" * 200_000}",{ANN}\nBob,{BOB}',
        f"Doe, Ann <{ANN}>; Doe, Bob <{BOB}>",
        f"Name,E-mail 1 - Value,E-mail 2 - Value,Notes\nAnn,{ANN},{BOB},met @ the fair\n",
        f"Name,Mail\nDoe, Ann,{ANN}\nBob,{BOB}\n",
        f"Ann,{ANN},Berlin\nBob,{BOB},Paris",
    ],
)
def test_a_file_of_any_kind_gives_its_addresses(text):
    assert _in_file(text) == [ANN, BOB]
    assert _in_file(text.replace("\n", "\r")) == [ANN, BOB]
    assert _in_file("\ufeff" + text) == _in_file(text.encode("utf-16")) == [ANN, BOB]


def test_a_row_without_an_address_is_left_out_and_counted_and_a_wrong_one_is_not():
    found = _file(f"Name,Email\nAnn,{ANN}\nNobody,\n,\nCem,cem.example.com\n\nBob,{BOB}")
    assert (found.text.splitlines(), found.without) == ([ANN, "cem.example.com", BOB], 1)


def test_a_text_of_one_column_keeps_what_is_wrong_in_it():
    assert _file(f"nobody\n{ANN}").text == f"nobody\n{ANN}"


def test_a_quote_that_never_ends_loses_no_row():
    rows = [f"Person {number},p{number}@example.com" for number in range(3000)]
    rows[7] = f'"{rows[7]}'
    assert len(_in_file("\n".join(["name,mail", *rows]))) == 3000


def test_lines_behind_the_last_that_is_read_are_counted():
    assert _file("Name,Mail\n" + "x,\n" * MOST_LINES).unread == 1


@pytest.mark.parametrize(
    "data",
    [b"ab," * 3_400_000, b"a@b.example\n" * 900_000, b'"\n' * 5_000_000, b"\n" * 10_000_000, b"x" * 10_000_000],
    ids=["one row", "addresses", "quotes", "blanks", "one cell"],
)
def test_a_large_file_is_read_in_part_and_in_little_memory(data):
    tracemalloc.start()
    try:
        found = _file(data)
        assert tracemalloc.get_traced_memory()[1] < 12 * FILE_LENGTH
    finally:
        tracemalloc.stop()
    assert len(found.text) <= TEXT_LENGTH + FILE_LENGTH
    assert found.unread, "and it is said that there is more"
