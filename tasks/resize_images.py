"""Make images smaller, for pages and mails."""

import io
import warnings
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

from tasks import zips
from tasks.engine import Accept, Count, Run, TaskError, Upload, user_task

if TYPE_CHECKING:
    from PIL.Image import Image as Picture

SIZES = (320, 800, 1600)  # pixels, of the longer side
ORIENTATION = 0x0112  # in EXIF
MOST_PIXELS = 50_000_000  # decoded, these are 200 MB of memory
FORMATS = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "GIF": ".gif"}
OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 85, "optimize": True, "progressive": True},
    "PNG": {"optimize": True},
    "WEBP": {"quality": 85},
    "GIF": {},
}
MOST_BYTES = 2**32 - 2**20  # of a ZIP file without its extensions for large ones
Images = Annotated[list[Upload], Count(1, 50), Accept(".jpg", ".jpeg", ".png", ".webp", ".gif")]


class NotResized(Exception):
    """Why an image cannot be made smaller, in words."""


@user_task(
    title=lambda files: f"Resize {len(files)} image{'' if len(files) == 1 else 's'}", total=lambda files: len(files)
)
def resize_images(task: Run, files: Images) -> None:
    """Get your images in three sizes, as one ZIP file: 320, 800 and 1600 pixels on the longer side, never enlarged.

    They are turned upright, and where and with what they were taken is left out. Of an animation you get its beginning.
    """
    # What the ZIP file has so far is saved with the checkpoint that counts the image: so no run leaves a gap or a
    # duplicate, wherever the one before was cut off, and each knows what the directory at the end has to say.
    task.cursor = task.cursor or {"members": [], "refused": []}
    task.stage("Resizing")
    with task.artifact("images.zip") as out:
        for file, stem in task.each(list(zip(files, _stems(files), strict=True))):
            try:
                made = _resized(file)
            except NotResized as error:
                task.cursor["refused"].append(f"{file}: {error}")
                continue
            for size, suffix, data in made:
                member = zips.member(f"{stem}-{size}{suffix}", data, out.size)
                if out.size + len(data) > MOST_BYTES:
                    raise TaskError("These images are too large for one ZIP file. Try again with fewer.")
                out.write(zips.head(member) + data)
                task.cursor["members"].append(member)
        members, refused = task.cursor["members"], task.cursor["refused"]
        if refused:
            task.attach("not-resized.txt", "".join(f"{line}\n" for line in refused))
        if not members:
            raise TaskError(f"No image could be resized. {refused[0]}")
        out.write(zips.directory(members, out.size))
    task.log(f"{len(members) // len(SIZES)} of {len(files)} images resized")


def _stems(files: list[Upload]) -> list[str]:
    """A name for each image, as long as it is without a path or a suffix; no two are the same."""
    seen: Counter[str] = Counter()
    stems = []
    for file in files:
        stem = "".join("_" if c in '/\\:*?"<>|' else c for c in file.name.rpartition(".")[0]).strip(" .") or "image"
        seen[stem.casefold()] += 1
        while (number := seen[stem.casefold()]) > 1:
            stem = f"{stem} ({number})"
            seen[stem.casefold()] += 1
        stems.append(stem)
    return stems


def _resized(file: Upload) -> list[tuple[int, str, bytes]]:
    """The image in each size, with the suffix of its format. Raises NotResized."""
    from PIL import Image

    content = io.BytesIO(file.read())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what is odd in a file; what is wrong is an error
            with Image.open(content, formats=tuple(FORMATS)) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise NotResized(_too_many(opened.width, opened.height))
                format = "JPEG" if opened.format == "MPO" else str(opened.format)
                picture = _upright(opened, format)
            made = [(size, FORMATS[format], _saved(picture, size, format)) for size in SIZES]
    except NotResized:
        raise
    except Image.DecompressionBombError as error:
        raise NotResized("It has far too many pixels.") from error
    except Image.UnidentifiedImageError as error:
        raise NotResized("It is no JPEG, PNG, WebP or GIF, whatever its name says.") from error
    except Exception as error:  # a broken file makes Pillow raise whatever it stumbles over
        raise NotResized("It is damaged, or not all of it has arrived.") from error
    return made


def _too_many(width: int, height: int) -> str:
    return f"It has {width:,} × {height:,} pixels; at most {MOST_PIXELS // 1_000_000} million are taken."


def _upright(opened: "Picture", format: str) -> "Picture":
    """The image in the largest size, turned as its camera was held, in colours that every screen knows."""
    largest = (SIZES[-1], SIZES[-1])
    opened.draft(None, (2 * largest[0], 2 * largest[1]))  # a JPEG is decoded no larger than it need be
    turn = _turn(opened)
    if opened.mode.startswith("I"):  # 16 bits of grey
        picture = opened.convert("I").point(lambda value: value / 256).convert("L")
    elif opened.mode != "L" or opened.has_transparency_data:
        picture = _in_standard_colours(opened, "RGBA" if opened.has_transparency_data and format != "JPEG" else "RGB")
    else:
        picture = opened.copy()
    picture.thumbnail(largest)
    picture.info = {}  # all that it says about where and with what it was taken
    return picture if turn is None else picture.transpose(turn)


def _turn(opened: "Picture") -> Any:
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


def _in_standard_colours(opened: "Picture", mode: str) -> "Picture":
    from PIL import ImageCms

    profile = opened.info.get("icc_profile")
    if not profile or opened.mode not in ("RGB", "CMYK"):
        return opened.convert(mode)
    opened.load()
    try:
        standard = ImageCms.createProfile("sRGB")
        turned = ImageCms.profileToProfile(
            opened, ImageCms.ImageCmsProfile(io.BytesIO(profile)), standard, outputMode="RGB"
        )
        return (turned or opened).convert(mode)
    except (ImageCms.PyCMSError, OSError, ValueError):  # a broken profile is no reason to refuse the image
        return opened.convert(mode)


def _saved(picture: "Picture", size: int, format: str) -> bytes:
    smaller = picture.copy()
    smaller.thumbnail((size, size))
    data = io.BytesIO()
    smaller.save(data, format, **OPTIONS[format])
    return data.getvalue()
