"""What is shown of a secret to whoever is to put it into an authenticator app."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import pyotp
import segno

MARGIN = 4  # modules of light around a QR code, without which no camera finds it


@dataclass(frozen=True)
class Setup:
    """A secret, for whom at which site, as a link, a QR code, and letters to type."""

    secret: str
    username: str
    app_name: str

    @property
    def link(self) -> str:
        """What a phone opens in its authenticator app."""
        return pyotp.TOTP(self.secret).provisioning_uri(name=self.username, issuer_name=self.app_name)

    @property
    def letters(self) -> str:
        """The secret in groups of four."""
        return " ".join(self.secret[at : at + 4] for at in range(0, len(self.secret), 4))

    @property
    def size(self) -> int:
        """How many modules the QR code has in width and height, its margin included."""
        return len(self._rows)

    @property
    def path(self) -> str:
        """The dark modules of the QR code, as the path of an SVG: each run of a row is a rectangle."""
        runs = (f"M{x} {y}h{width}v1h-{width}z" for y, row in enumerate(self._rows) for x, width in _runs(row))
        return "".join(runs)

    @cached_property
    def _rows(self) -> list[list[bool]]:
        code = segno.make(self.link, error="m", micro=False)
        return [[bool(module) for module in row] for row in code.matrix_iter(border=MARGIN)]


def _runs(row: list[bool]) -> Iterator[tuple[int, int]]:
    """Where dark modules begin, and how many follow each other there."""
    begin = 0
    for x, is_dark in enumerate([*row, False]):
        if not is_dark:
            if x > begin:
                yield begin, x - begin
            begin = x + 1
