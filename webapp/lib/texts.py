"""Texts of people where there is little room."""


def shortened(text: str, most: int) -> str:
    """A text as one line of at most so many characters."""
    line = " ".join(text[: most * 10].split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"
