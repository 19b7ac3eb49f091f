"""`make bench`: measures what Errand promises about speed, each figure beside its limit in the same run.

Every row is the median of ROUNDS, and limit and Errand take turns within each round, so that what else the machine
does meanwhile harms both alike; `workers` measures each cell once. `make bench ARGS=throughput` runs one of TABLES.
"""

import sys
from importlib import import_module

TABLES = (
    "live",
    "tabs",
    "pages",
    "throughput",
    "steps",
    "latency",
    "workers",
    "retention",
    "growth",
    "growth_postgres",
    "api",
    "desk",
    "search",
    "mail",
    "memory",
    "storm",
)


def main(names: list[str]) -> None:
    """Print the tables of these names, or all."""
    unknown = set(names) - set(TABLES)
    if unknown:
        sys.exit(f"no such table: {', '.join(unknown)}; there are {', '.join(TABLES)}")
    for name in names or TABLES:
        import_module(f"tests.benchmarks.{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
