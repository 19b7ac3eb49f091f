"""The limit that /live is measured against: a Flask view that does nothing."""

from flask import Flask

app = Flask(__name__)


@app.get("/live")
def live() -> tuple[str, int]:
    """204 and no more."""
    return "", 204
