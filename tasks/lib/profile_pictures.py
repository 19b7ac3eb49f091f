"""Profile pictures: an image as a small square, upright, in colors that every screen knows, and with nothing else."""

import io

from tasks.engine import Upload
from tasks.lib.pictures import NO_MEMORY, Refused, open_picture

READ_AT = 1024  # pixels on the longer side: enough that the middle of an image four times as wide as high is sharp
QUALITY = 82
# How files of the kinds that `open_picture` takes begin.
BEGINNINGS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF")


def may_be_picture(beginning: bytes) -> bool:
    """Whether a file that begins so may be one, by its first bytes alone: what it really is shows when it is opened."""
    return beginning.startswith(BEGINNINGS)


def squares(data: bytes, sizes: tuple[int, ...]) -> list[bytes]:
    """The middle of an image in each of these sizes, in pixels, as WebP.

    Takes less than 128 MB, whatever the data is. Raises Refused, as `open_picture` does.
    """
    picture = open_picture(Upload("picture", data), READ_AT).picture
    try:
        from PIL import Image, ImageOps

        shown = picture if picture.mode in ("RGB", "RGBA") else picture.convert("RGB")
        made = []
        for size in sizes:
            square = ImageOps.fit(shown, (size, size), Image.Resampling.LANCZOS)
            out = io.BytesIO()
            square.save(out, "WEBP", quality=QUALITY)
            made.append(out.getvalue())
    except MemoryError as error:
        raise Refused(NO_MEMORY()) from error
    return made
