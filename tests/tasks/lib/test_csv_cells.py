"""Cells of CSV files: no formulas, no cell that falls apart, and each comes back as it was."""

import csv
import io
import itertools

import pytest

from tasks.lib.csv_cells import csv_row, escape_formula, unescape_formula

FORMULAS = [
    "=1",
    "+1",
    "-1",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\u00a0=1",
    "'=1",
    '"=1',
    "＝1",
    "＋1",
    "－1",
    "＠1",
]


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_in_any_dress_is_none_for_a_spreadsheet(cell):
    assert escape_formula(cell) == f"'{cell}"
    [[read, number]] = csv.reader(io.StringIO(csv_row(cell, -5), newline=""))
    assert (read, number) == (f"'{cell}", "-5"), "and a number is a number"


@pytest.mark.parametrize("cell", ["", "plain", "1=1", "it's", "'quoted'", "a\n=b", "#hash", "名前＝"])
def test_what_is_no_formula_stays_as_it_is(cell):
    assert escape_formula(cell) == cell


def test_every_cell_comes_back_as_it_was():
    for length in range(5):
        for cell in map("".join, itertools.product("'\"= a\t", repeat=length)):
            assert unescape_formula(escape_formula(cell)) == cell
            assert unescape_formula(escape_formula(escape_formula(cell))) == escape_formula(cell)


@pytest.mark.parametrize("separator", ",;\t|")
@pytest.mark.parametrize(
    "cell", ["hello;=cmd|'/c calc'!A0;x", "a\t=1", "a|=1", "a,=1", 'a"b', "a\nb", "a\rb", " a", ""]
)
def test_a_cell_falls_apart_in_no_country(separator, cell):
    """A German Excel takes a semicolon for the end of a cell, and what follows for a formula."""
    row = csv_row(cell).removesuffix("\r\n")
    assert next(csv.reader(io.StringIO(row, newline=""), delimiter=separator)) == [cell]
