"""What people of this world upload: texts that were written for it, and pictures that are drawn anew."""

import io
from datetime import datetime, timedelta
from pathlib import Path
from random import Random

from tasks.engine import Upload
from webapp.lib.times import iso

TEXTS = Path(__file__).parent / "texts"
WIDTH, HEIGHT = 660, 440
SKIES = (
    ((247, 190, 129), (120, 93, 140)),
    ((190, 220, 240), (90, 140, 190)),
    ((250, 215, 190), (200, 120, 110)),
    ((215, 235, 210), (110, 160, 150)),
)


def text(name: str) -> str:
    """A text of this world."""
    return (TEXTS / name).read_text(encoding="utf-8")


def upload(name: str, called: str = "") -> Upload:
    """The same as a file that somebody uploads."""
    return Upload(called or name, text(name).encode())


def diary(now: datetime) -> Upload:
    """Last year's diary, a line for each week up to a hundred days ago; two of its rows cannot be read."""
    weeks = [iso(now - timedelta(days=100 + 7 * week)) for week in range(20, -1, -1)]
    return Upload("diary.csv", text("diary.csv").format(*weeks).encode())


def recipes() -> Upload:
    """A table that holds no post at all: its column of bodies is empty."""
    return Upload("recipes.csv", b"body,cake\n,apple\n,poppy seed\n,plum\n")


def recording() -> Upload:
    """A file that is no text, whatever its name says."""
    return Upload("recording.txt", b"RIFF\x24\x08\x00\x00WAVEfmt " + bytes(range(256)))


def pictures(*names: str) -> list[Upload]:
    """A picture of some hills for each name; the same each time."""
    return [Upload(f"{name}.jpg", _hills(Random(name))) for name in names]  # noqa: S311 - no secret


def _hills(random: Random) -> bytes:
    """A sky, a sun and three rows of hills, as JPEG."""
    from PIL import Image, ImageDraw

    above, below = random.choice(SKIES)
    sky = Image.new("RGB", (1, 2))
    sky.putpixel((0, 0), below)
    sky.putpixel((0, 1), above)
    picture = sky.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(picture)
    x, y, r = random.randrange(110, WIDTH - 110), random.randrange(90, 220), random.randrange(18, 44)
    draw.ellipse((x - r, y - r, x + r, y + r), fill=(255, 244, 214))
    for row in range(3):
        height, shade = 220 + row * 66, tuple(int(part * (0.8 - row * 0.22)) for part in below)
        line = [(step, height + random.randrange(-33, 33)) for step in range(0, WIDTH + 110, 110)]
        draw.polygon([*line, (WIDTH + 110, HEIGHT), (0, HEIGHT)], fill=shade)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=85)
    return out.getvalue()
