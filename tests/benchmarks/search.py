"""What a search costs among a million posts and messages, beside a thousand: one word of any frequency, and several."""

from tests.benchmarks.filling import EVERYWHERE, NOWHERE, OFTEN, RARE, SELDOM
from tests.benchmarks.growth import measure
from tests.services import postgres_server

# Beginnings of the numbers in texts: that of a fiftieth of them, of a five hundredth, of a five thousandth.
FIFTIETH, FIVE_HUNDREDTH, FIVE_THOUSANDTH = "12", "123", "1234"
ONE = (EVERYWHERE, OFTEN, SELDOM, FIFTIETH, FIVE_HUNDREDTH, FIVE_THOUSANDTH, RARE, NOWHERE)
SEVERAL = (
    f"{OFTEN}+{SELDOM}",
    f"often2+{SELDOM}",  # which no text has together
    f"{SELDOM}+{FIVE_HUNDREDTH}",
    f"{EVERYWHERE}+{NOWHERE}",
    f"{EVERYWHERE}+often0+often1+often2+{OFTEN}+often4+often5+seldom+note",  # the dearest of nine words
)
PAGES = tuple(f"{page}?q={words}" for page in ("/", "/messages") for words in (*ONE, *SEVERAL))


def main() -> None:
    """On both databases."""
    measure("SQLite", pages=PAGES)
    with postgres_server() as new_database:
        measure("PostgreSQL", new_database(), new_database(), PAGES)
