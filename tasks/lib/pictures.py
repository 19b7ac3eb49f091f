"""Pictures: images opened in bounded memory, turned upright, and without what they say about where they were taken.

Nothing here loads Pillow before it is called: the web process has no need of it.
"""

import io
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tasks.engine import Upload
from tasks.lib.headers import jpeg_buffer, webp_size
from webapp.lib.phrases import Phrase, phrase

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

EMPTY = phrase("pictures.empty", "The file is empty.")
NO_MEMORY = phrase("pictures.no_memory", "There isn’t enough memory to open it. Try a smaller image.")
TOO_MANY_PIXELS = phrase("pictures.too_many_pixels", "It has too many pixels.")
NO_PICTURE = phrase("pictures.no_picture", "Not a JPEG, PNG, WebP or GIF, despite its name.")
DAMAGED = phrase("pictures.damaged", "The file is damaged or incomplete.")
TOO_LARGE = phrase(
    "pictures.too_large",
    "It has {width} × {height} pixels. Opening it would take {needed} MB of memory; the limit is {limit} MB.",
)

MOST_MEMORY = 96_000_000  # bytes while an image is decoded: 24 million pixels in color. With all else: 128 MB
MOST_TEXT = 1024 * 1024  # bytes of texts in a PNG, unpacked
FORMATS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"}
ORIENTATION = 0x0112  # in EXIF
TILE = 512  # pixels
# Bytes of memory for a pixel: of what Pillow has in each mode, 4 in all others; and in the formats that take more.
_BYTES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16B": 2}
_BYTES_OF_GIF = 3  # a frame, the one before, and what is put in its place
_BYTES_OF_WEBP = 16  # two canvases, the frame, and the image
_ROWS_OF_PNG = 4  # that its decoder keeps besides, which matters where rows are very long


class Refused(Exception):
    """An image that cannot be opened. Its `reason` says why, for people, and is its text."""

    def __init__(self, reason: Phrase) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Opened:
    """An image, with the suffix and name of its format. `has_more`: it is the first frame of an animation."""

    picture: "Picture"
    format: str
    has_more: bool


def open_picture(file: Upload, longest: int) -> Opened:
    """An image as its camera was held, in colors that every screen knows, `longest` pixels on its longer side or less.

    Takes less than 128 MB, whatever the file is. Raises Refused, before anything is decoded, for one that needs more,
    and for what is no image.
    """
    from PIL import Image, PngImagePlugin, UnidentifiedImageError

    if not file.size:
        raise Refused(EMPTY())
    PngImagePlugin.MAX_TEXT_MEMORY = MOST_TEXT
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what is odd in a file; what is wrong is an error
            return _open(file, longest)
    except Refused:
        raise
    except MemoryError as error:
        raise Refused(NO_MEMORY()) from error
    except Image.DecompressionBombError as error:
        raise Refused(TOO_MANY_PIXELS()) from error
    except UnidentifiedImageError as error:
        raise Refused(NO_PICTURE()) from error
    except Exception as error:  # a broken file makes Pillow raise whatever it stumbles over
        raise Refused(DAMAGED()) from error


def _open(file: Upload, longest: int) -> Opened:
    from PIL import Image

    with file.open() as stream:
        if size := webp_size(stream.read(30)):
            _check_memory(size, _needed_for_webp(size, file))  # Pillow takes half of it as it opens one
        stream.seek(0)
        with Image.open(stream, formats=tuple(FORMATS)) as opened:
            format = "JPEG" if opened.format == "MPO" else str(opened.format)
            size = opened.size
            largest = max(size)
            # A JPEG is decoded no larger than it need be.
            opened.draft(None, (max(1, size[0] * longest // largest), max(1, size[1] * longest // largest)))
            if format != "WEBP":
                _check_memory(size, _needed(opened, format, stream))
            has_more = format != "JPEG" and _is_animated(opened)
            opened.load()
            picture, turn, profile = _reduced(opened, format, longest), _turn(opened), opened.info.get("icc_profile")
        del opened  # and with it what was decoded
    if picture.mode in ("RGB", "CMYK"):
        picture = _in_standard_colors(picture, profile)
    picture.thumbnail((longest, longest))
    picture.info = {}  # all that it says about where and with what it was taken
    return Opened(picture if turn is None else picture.transpose(turn), format, has_more)


def _needed_for_webp(size: tuple[int, int], file: Upload) -> int:
    return size[0] * size[1] * _BYTES_OF_WEBP + 2 * file.size


def _needed(opened: Any, format: str, stream: Any) -> int:
    """The bytes of memory in which an image is decoded."""
    pixels, each = opened.width * opened.height, _BYTES.get(opened.mode, 4)
    match format:
        case "GIF":
            return int(pixels * _BYTES_OF_GIF)
        case "PNG":
            return int((pixels + _ROWS_OF_PNG * opened.width) * each)
        case _:
            at = stream.tell()
            kept = jpeg_buffer(stream)
            stream.seek(at)
            return int(pixels * each + kept)


def _check_memory(size: tuple[int, int], needed: int) -> None:
    if needed > MOST_MEMORY:
        megabytes = {"needed": round(needed / 1_000_000), "limit": MOST_MEMORY // 1_000_000}
        raise Refused(TOO_LARGE(width=size[0], height=size[1], **megabytes))


def _is_animated(opened: Any) -> bool:
    try:
        return bool(getattr(opened, "is_animated", False))
    except Exception:  # of what comes after the first frame nothing is needed
        return False


def _reduced(opened: Any, format: str, longest: int) -> "Picture":
    """The image in whole parts of its size, at least `longest` pixels, in few modes. Needs little beside what it makes.

    It is taken tile by tile: to convert all of it at once would need as much memory again.
    """
    from PIL import Image

    mode = _mode(opened, format)
    factor = max(1, max(opened.size) // longest)
    step = max(1, TILE // factor) * factor
    picture = Image.new(mode, (-(-opened.width // factor), -(-opened.height // factor)))
    for top in range(0, opened.height, step):
        for left in range(0, opened.width, step):
            tile: Any = opened.crop((left, top, min(left + step, opened.width), min(top + step, opened.height)))
            if tile.mode.startswith("I"):  # 16 bits of grey
                tile = tile.convert("I").point(lambda value: value / 256)
            picture.paste(tile.convert(mode).reduce(factor), (left // factor, top // factor))
    return picture


def _mode(opened: Any, format: str) -> str:
    """That of RGBA, RGB, L and CMYK in which an image loses nothing that its format can say."""
    if opened.has_transparency_data and format != "JPEG":
        return "RGBA"
    if opened.mode == "L" or opened.mode.startswith("I"):
        return "L"
    return "CMYK" if opened.mode == "CMYK" else "RGB"


def _turn(opened: Any) -> Any:
    """How to turn it as its camera was held, or None."""
    from PIL.Image import Transpose

    held = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    try:
        return held.get(opened.getexif().get(ORIENTATION, 1))
    except Exception:  # what a camera wrote badly is no reason to refuse its image
        return None


def _in_standard_colors(picture: "Picture", profile: bytes | None) -> "Picture":
    from PIL import ImageCms

    if profile:
        try:
            standard, own = ImageCms.createProfile("sRGB"), ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(picture, own, standard, outputMode="RGB") or picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):  # a broken profile is no reason to refuse the image
            pass
    return picture.convert("RGB")
