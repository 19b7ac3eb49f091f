"""Cells of CSV files that neither a spreadsheet nor an import takes for anything else than what they are."""

import csv
import re
from io import StringIO

# What a spreadsheet would take for a formula (https://owasp.org/www-community/attacks/CSV_Injection), or what
# `harmless` would have made of it: so each cell comes back as it was.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def csv_row(*cells: object) -> str:
    """One row with its end."""
    row = StringIO()
    csv.writer(row).writerow(cells)
    return row.getvalue()


def harmless(cell: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def restored(cell: str) -> str:
    """The cell of which `harmless` made this."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
