"""Recipients: what people type, paste and upload, and what of it is mailed to."""

import io
import tracemalloc

import pytest

from webapp.address_files import FILE_LENGTH, MOST_LINES, read_file
from webapp.recipients import MOST_CHECKED, MOST_RECIPIENTS, MOST_SLIPS, TEXT_LENGTH, read_recipients, without_bad

LINE_ENDS = ["\n", "\r\n", "\r", "\u2028", "\u2029", "\x0b", "\x85"]
ANN, BOB = "ann@example.com", "bob@example.com"


def _file(text: str | bytes):
    return read_file(io.BytesIO(text.encode() if isinstance(text, str) else text))


def _in_file(text: str | bytes) -> list[str]:
    found = read_recipients(_file(text).text)
    assert not found.bad
    return found.addresses


@pytest.mark.parametrize(
    "typed",
    [
        "Doe, Ann <ann@example.com>",
        '"Doe, Ann" <ann@example.com>',
        "Doe, Ann, PhD <ann@example.com>",
        "Ann <ann@example.com>",
        "<ann@example.com>",
        "'Ann' <'ann@example.com'>",
        "Ann Doe\tann@example.com",
        "Doe\tAnn\tann@example.com\tBerlin",
        "Doe\tAnn <ann@example.com>\tBerlin",
        "'ann@example.com'",
        '"ann@example.com"',
        "“ann@example.com”",
        "‹ann@example.com›",
        "mailto:ann@example.com",
        "MAILTO:ann@example.com",
        "Ann <mailto:ann@example.com>",
        "ann@example.com<MailTo:ann@example.com>",
        "<mailto:ann@example.com?subject=Hello>",
        "mailto:<ann@example.com>",
        "\ufeffann@example.com",
        "ann\u200b@exam\u00adple.com",
        "\u00a0ann@example.com\u202f",
        "\u202aann@example.com\u202c",
        "ann@exam\u200dple.com",
        "ann@example.com\x00\x01",
        "ann＠example.com",
        "E-mail\nann@example.com",
        "Name;E-Mail-Adresse\nDoe, Ann;ann@example.com",
        "Email Address\tCity\nann@example.com\tBerlin",
        "Name\tAddress\nAnn\tann@example.com",
        "Ann \"5'10 <ann@example.com>",
    ],
)
def test_an_address_is_found_however_it_is_written(typed):
    found = read_recipients(typed)
    assert (found.addresses, found.bad_number, found.duplicate_number) == ([ANN], 0, 0)
    assert without_bad(typed).splitlines()[-1].strip(), "and stays"


@pytest.mark.parametrize("end", LINE_ENDS)
def test_every_line_end_ends_a_line(end):
    found = read_recipients(end.join([ANN, "nobody", BOB]))
    assert found.addresses == [ANN, BOB]
    assert [(slip.line, slip.text) for slip in found.bad] == [(2, "nobody")]
    assert _in_file(end.join(["email,name", f"{ANN},Ann", f"{BOB},Bob", ""])) == [ANN, BOB]


@pytest.mark.parametrize(
    "between", [",", ";", ", ", " ; ", "\t", "，", "；", "、", " ", ",;,", ";\n\n", "> ", ">, Doe, Bob <", ">; Bob <"]
)
def test_addresses_are_parted_in_many_ways(between):
    begin, end = ("Ann <", ">") if "<" in between else ("Ann <", "") if ">" in between else ("", "")
    found = read_recipients(f"{begin}{ANN}{between}{BOB}{end}")
    assert (found.addresses, found.bad_number) == ([ANN, BOB], 0)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("nobody", "@"),
        ("bob.gmail.com", "@"),
        ("mail.example.com", "@"),
        ("nobody; Ann", "@"),
        ("jane doe@example.com", "SPACE"),
        ("jörg@example.com", "“ö” before the @"),
        ("用户@example.com", "“用” before the @"),
        ("a@b@example.com", "@"),
        ("Ann <ann@example.com", "angle bracket"),
        ("a" * 400 + "@example.com", "at most 320"),
        ("x" * 5000, "at most 1,000"),
    ],
)
def test_what_is_no_address_is_told_in_words(typed, words):
    found = read_recipients(f"{typed}\n{BOB}")
    assert (found.addresses, found.bad[0].line) == ([BOB], 1)
    assert words in found.bad[0].words
    assert len(found.bad[0].text) <= 100
    assert without_bad(f"{typed}\n{BOB}") == BOB


def test_a_slip_in_a_list_is_not_taken_for_the_name_of_a_column():
    found = read_recipients(f"nobody, {ANN}\nsomebody\t\n{BOB}")
    assert ([slip.text for slip in found.bad], found.addresses) == (["nobody", "somebody"], [ANN, BOB])


def test_a_domain_in_another_script_is_mailed_to_as_mail_servers_know_it_and_is_the_same_in_both():
    found = read_recipients("a@bücher.example\na@xn--bcher-kva.example, a@BU\u0308CHER.example\nx@例え.example")
    assert found.addresses == ["a@xn--bcher-kva.example", "x@xn--r8jz45g.example"]
    assert (found.duplicate_number, found.bad_number) == (2, 0)
    joined = read_recipients("a@نامه\u200cای.example")
    assert joined.bad_number == 1, "there it means something: without it that would be somebody else's domain"


def test_an_address_counts_once_whatever_its_case_also_within_a_line():
    found = read_recipients(f"Ann@EXAMPLE.com, {ANN}, {ANN}\n{ANN.upper()}")
    assert (found.addresses, found.duplicate_number) == (["Ann@example.com"], 3)
    assert {slip.words for slip in found.duplicates} == {"It is in line 1 already."}


def test_what_is_wrong_is_listed_in_part_and_counted_whole():
    found = read_recipients("\n".join(f"nobody-{number}" for number in range(332)) + f"\n{ANN}\n" + f"{ANN}\n" * 300)
    assert (len(found.bad), found.bad_number, found.bad[-1].line) == (MOST_SLIPS, 332, MOST_SLIPS)
    assert (len(found.duplicates), found.duplicate_number) == (MOST_SLIPS, 300)


def test_without_what_is_no_address_all_else_stays_as_it_is():
    typed = f"\n  Doe, Ann <{ANN}>;nobody\nnobody\nbob@,\t{BOB}\n\n{ANN} ;\nx"
    assert without_bad(typed) == f"\nDoe, Ann <{ANN}>\n{BOB}\n\n{ANN} ;"
    table = f"Name,Email,City\nAnn,{ANN},Berlin\nCem,cem@,Rome\nBob,{BOB},Paris"
    assert without_bad(table) == f"Name,Email,City\nAnn,{ANN},Berlin\nBob,{BOB},Paris"


# Limits


def test_one_more_than_may_be_mailed_is_read_and_the_rest_counted():
    many = "\n".join(f"p{number}@example.com" for number in range(MOST_RECIPIENTS + 1312))
    found = read_recipients(many)
    assert (len(found.addresses), found.unread, found.last_line) == (MOST_RECIPIENTS + 1, 1311, MOST_RECIPIENTS + 1)


def test_no_more_entries_are_checked_than_that_and_none_is_lost_unsaid():
    found = read_recipients(",".join(f"nobody-{number}" for number in range(MOST_CHECKED + 7)) + f",{ANN}")
    assert (found.bad_number, found.unread, found.addresses) == (MOST_CHECKED, 8, [])
    assert without_bad(f"{ANN}," + "x" * (TEXT_LENGTH - 20) + f",{BOB}").endswith(f",{BOB}"), "what is not read stays"


def test_text_beyond_what_is_read_is_counted():
    found = read_recipients(f"{ANN}\n" * (TEXT_LENGTH // len(f"{ANN}\n") + 9))
    assert (found.addresses, found.bad_number) == ([ANN], 0), "and cut between two addresses"
    assert 9 <= found.unread <= 10


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


def test_nothing_that_was_typed_is_kept():
    read_recipients(ANN)
    tracemalloc.start()
    try:
        for number in range(30):
            read_recipients(f"{number}@" + "x" * 200_000 + f"\n{number}@example.com")
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


# Files


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
