"""What `growth` measures, on PostgreSQL."""

from tests.benchmarks.growth import measure
from tests.services import postgres_server


def main() -> None:
    """The same table."""
    with postgres_server() as new_database:
        measure("PostgreSQL", new_database(), new_database())
