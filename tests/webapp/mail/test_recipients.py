"""Recipients: what people type and paste, and what of it is mailed to."""

import tracemalloc

import pytest

from webapp.mail.recipients import (
    MOST_CHECKED,
    MOST_RECIPIENTS,
    MOST_REJECTED,
    TEXT_LENGTH,
    read_recipients,
    without_invalid,
)

LINE_ENDS = ["\n", "\r\n", "\r", "\u2028", "\u2029", "\x0b", "\x85"]
ANN, BOB = "ann@example.com", "bob@example.com"


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
    assert (found.addresses, found.invalid_count, found.duplicate_count) == ([ANN], 0, 0)
    assert without_invalid(typed).splitlines()[-1].strip(), "and stays"


@pytest.mark.parametrize("end", LINE_ENDS)
def test_every_line_end_ends_a_line(end):
    found = read_recipients(end.join([ANN, "nobody", BOB]))
    assert found.addresses == [ANN, BOB]
    assert [(rejected.line, rejected.text) for rejected in found.invalid] == [(2, "nobody")]


@pytest.mark.parametrize(
    "between", [",", ";", ", ", " ; ", "\t", "，", "；", "、", " ", ",;,", ";\n\n", "> ", ">, Doe, Bob <", ">; Bob <"]
)
def test_addresses_are_parted_in_many_ways(between):
    begin, end = ("Ann <", ">") if "<" in between else ("Ann <", "") if ">" in between else ("", "")
    found = read_recipients(f"{begin}{ANN}{between}{BOB}{end}")
    assert (found.addresses, found.invalid_count) == ([ANN, BOB], 0)


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
        ("a" * 400 + "@example.com", "up to 320"),
        ("x" * 5000, "up to 1,000"),
    ],
)
def test_what_is_no_address_is_told_in_words(typed, words):
    found = read_recipients(f"{typed}\n{BOB}")
    assert (found.addresses, found.invalid[0].line) == ([BOB], 1)
    assert words in found.invalid[0].reason
    assert len(found.invalid[0].text) <= 100
    assert without_invalid(f"{typed}\n{BOB}") == BOB


def test_a_slip_in_a_list_is_not_taken_for_the_name_of_a_column():
    found = read_recipients(f"nobody, {ANN}\nsomebody\t\n{BOB}")
    assert ([rejected.text for rejected in found.invalid], found.addresses) == (["nobody", "somebody"], [ANN, BOB])


def test_a_domain_in_another_script_is_mailed_to_as_mail_servers_know_it_and_is_the_same_in_both():
    found = read_recipients("a@bücher.example\na@xn--bcher-kva.example, a@BU\u0308CHER.example\nx@例え.example")
    assert found.addresses == ["a@xn--bcher-kva.example", "x@xn--r8jz45g.example"]
    assert (found.duplicate_count, found.invalid_count) == (2, 0)
    joined = read_recipients("a@نامه\u200cای.example")
    assert joined.invalid_count == 1, "there it means something: without it that would be somebody else's domain"


def test_an_address_counts_once_whatever_its_case_also_within_a_line():
    found = read_recipients(f"Ann@EXAMPLE.com, {ANN}, {ANN}\n{ANN.upper()}")
    assert (found.addresses, found.duplicate_count) == (["Ann@example.com"], 3)
    assert {rejected.reason for rejected in found.duplicates} == {"Duplicate of line 1."}


def test_what_is_wrong_is_listed_in_part_and_counted_whole():
    found = read_recipients("\n".join(f"nobody-{number}" for number in range(332)) + f"\n{ANN}\n" + f"{ANN}\n" * 300)
    assert (len(found.invalid), found.invalid_count, found.invalid[-1].line) == (MOST_REJECTED, 332, MOST_REJECTED)
    assert (len(found.duplicates), found.duplicate_count) == (MOST_REJECTED, 300)


def test_without_what_is_no_address_all_else_stays_as_it_is():
    typed = f"\n  Doe, Ann <{ANN}>;nobody\nnobody\nbob@,\t{BOB}\n\n{ANN} ;\nx"
    assert without_invalid(typed) == f"\nDoe, Ann <{ANN}>\n{BOB}\n\n{ANN} ;"
    table = f"Name,Email,City\nAnn,{ANN},Berlin\nCem,cem@,Rome\nBob,{BOB},Paris"
    assert without_invalid(table) == f"Name,Email,City\nAnn,{ANN},Berlin\nBob,{BOB},Paris"


# Limits


def test_one_more_than_may_be_mailed_is_read_and_the_rest_counted():
    many = "\n".join(f"p{number}@example.com" for number in range(MOST_RECIPIENTS + 1312))
    found = read_recipients(many)
    assert (len(found.addresses), found.unread, found.last_line) == (MOST_RECIPIENTS + 1, 1311, MOST_RECIPIENTS + 1)


def test_no_more_entries_are_checked_than_that_and_none_is_lost_unsaid():
    found = read_recipients(",".join(f"nobody-{number}" for number in range(MOST_CHECKED + 7)) + f",{ANN}")
    assert (found.invalid_count, found.unread, found.addresses) == (MOST_CHECKED, 8, [])
    assert without_invalid(f"{ANN}," + "x" * (TEXT_LENGTH - 20) + f",{BOB}").endswith(f",{BOB}"), (
        "what is not read stays"
    )


def test_text_beyond_what_is_read_is_counted():
    found = read_recipients(f"{ANN}\n" * (TEXT_LENGTH // len(f"{ANN}\n") + 9))
    assert (found.addresses, found.invalid_count) == ([ANN], 0), "and cut between two addresses"
    assert 9 <= found.unread <= 10


def test_nothing_that_was_typed_is_kept():
    read_recipients(ANN)
    tracemalloc.start()
    try:
        for number in range(30):
            read_recipients(f"{number}@" + "x" * 200_000 + f"\n{number}@example.com")
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()
