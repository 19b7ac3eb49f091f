"""The variable of metrics: by which token a program may read them."""

from webapp.lib.environment import Reader

SHORTEST_TOKEN = 16  # characters


def read_metrics_token(read: Reader) -> str | None:
    """The token, or None where nobody may; remembers as a problem what could be guessed, or stand in no header."""
    token = read.text("METRICS_TOKEN")
    if token and not (len(token) >= SHORTEST_TOKEN and token.isascii() and token.isprintable() and " " not in token):
        read.problem("METRICS_TOKEN", f"must be {SHORTEST_TOKEN} or more letters, digits and signs, without spaces")
        return None
    return token or None
