"""Log lines as a site with some settings would write them, for tests to read."""

import io
import json
import logging


class Lines(logging.StreamHandler):
    """What was written, to be asked for as lines, or as objects."""

    def __init__(self) -> None:
        super().__init__(io.StringIO())

    def all(self, logger: str = "") -> list[str]:
        """Each line that names this logger."""
        return [line for line in self.stream.getvalue().splitlines() if logger in line]

    def objects(self, logger: str) -> list[dict]:
        """Each line of this logger's, read as JSON."""
        lines = [json.loads(line) for line in self.stream.getvalue().splitlines()]
        return [line for line in lines if line["logger"] == logger]
