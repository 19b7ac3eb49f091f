"""Cells of CSV files that neither a spreadsheet nor an import takes for anything else than what they are."""

import re

# What a spreadsheet would take for a formula (https://owasp.org/www-community/attacks/CSV_Injection): also in full
# width, and behind spaces and quotation marks, which some leave out. What `escape_formula` returns for one is one, too:
# so each cell comes back as it was.
_FORMULA = re.compile(r"""[\s'"]*[=+\-@＝＋－＠\t\r\n]""")
# Where columns are separated otherwise than here, a cell must not fall apart into others.
_QUOTED = re.compile(r"""[",;|\s]|\A\Z""")


def csv_row(*cells: object) -> str:
    """One row with its end. Every text in it is made harmless, so whoever writes a CSV file should write it by this."""
    return ",".join(_quoted(escape_formula(cell) if isinstance(cell, str) else str(cell)) for cell in cells) + "\r\n"


def escape_formula(cell: str) -> str:
    """A cell that a spreadsheet does not take for a formula: a formula gets an apostrophe in front."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unescape_formula(cell: str) -> str:
    """The cell of which `escape_formula` made this."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _quoted(cell: str) -> str:
    return '"{}"'.format(cell.replace('"', '""')) if _QUOTED.search(cell) else cell
