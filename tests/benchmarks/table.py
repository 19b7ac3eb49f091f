"""Tables as Markdown, so that they can go into the documentation as they are."""

from collections.abc import Iterable

ROUNDS = 3


def show(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print a table."""
    print(f"\n### {title}\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}", flush=True)
    for row in rows:
        print(f"| {' | '.join(row)} |", flush=True)
