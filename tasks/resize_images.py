"""Make images smaller, for pages and mails."""

import io
from typing import Annotated, Any

from tasks.engine import Accept, Count, Run, TaskError, Upload, user_task
from tasks.lib import resumable_zip
from tasks.lib.pictures import FORMATS, Opened, Refused, open_picture
from webapp.lib.filenames import MOST_BYTES as MOST_BYTES_OF_NAME
from webapp.lib.filenames import unique_names
from webapp.lib.kept_words import read_words
from webapp.lib.phrases import phrase

TITLE = phrase("resize_images.title", "Resize {number} image", plural="Resize {number} images")
RESIZING = phrase("resize_images.resizing", "Resizing")
RESIZED = phrase(
    "resize_images.resized",
    "{resized} of {number} image resized",
    plural="{resized} of {number} images resized",
)
FIRST_FRAMES = phrase("resize_images.first_frames", "Only the first frame was kept of {files}")
NONE_RESIZED = phrase("resize_images.none_resized", "No images could be resized. {first}")
REFUSED = phrase("resize_images.refused", "{file}: {reason}")
TOO_LARGE = phrase("resize_images.too_large", "These images are too large for one ZIP file. Try again with fewer.")
NO_MEMORY = phrase("resize_images.no_memory", "There isn’t enough memory to resize it.")

SIZES = (320, 800, 1600)  # pixels, of the longer side
LONGEST_END = "-1600.webp"
OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 85, "optimize": True, "progressive": True},
    "PNG": {"optimize": True},
    "WEBP": {"quality": 85},
    "GIF": {},
}
MOST_BYTES = 2**32 - 2**20  # of a ZIP file without its extensions for large ones
Images = Annotated[list[Upload], Count(1, 50, some_right=True), Accept(".jpg", ".jpeg", ".png", ".webp", ".gif")]


@user_task(
    title=lambda files: TITLE(number=len(files)),
    total=lambda files: len(files),
)
def resize_images(task: Run, files: Images) -> None:
    """Get your images in three sizes, in one ZIP file: 320, 800 and 1600 pixels on the longer side, never enlarged.

    They are turned upright, and location and camera data are removed. Animations become their first frame.
    """
    # What the ZIP file has so far is saved with the checkpoint that counts the image: so no run leaves a gap or a
    # duplicate, wherever the one before was cut off, and each knows what the directory at the end has to say.
    task.cursor = {"animated": []} | (task.cursor or {"members": [], "refused": []})
    task.stage(RESIZING())
    with task.artifact("images.zip") as out:
        # A checkpoint after each: while the next is decoded, nobody waits for what this one has written.
        for file, stem in task.each(list(zip(files, _stems(files), strict=True)), every_step=True):
            try:
                opened = open_picture(file, SIZES[-1])
                made = _resized(opened)
            except Refused as error:
                task.cursor["refused"].append(f"{file}: {error}")
                task.cursor.setdefault("first", REFUSED(file=file.name, reason=error.reason).as_json())
                continue
            if opened.has_more:
                task.cursor["animated"].append(file.name)
            for size, suffix, data in made:
                member = resumable_zip.member(f"{stem}-{size}{suffix}", data, out.size)
                if out.size + len(data) > MOST_BYTES:
                    raise TaskError(TOO_LARGE())
                out.write(resumable_zip.head(member) + data)
                task.cursor["members"].append(member)
        members, refused = task.cursor["members"], task.cursor["refused"]
        if refused:
            task.attach("not-resized.txt", "".join(f"{line}\n" for line in refused))
        if not members:
            raise TaskError(NONE_RESIZED(first=read_words(refused[0], task.cursor.get("first"))))
        out.write(resumable_zip.directory(members, out.size))
    task.log(RESIZED(resized=len(members) // len(SIZES), number=len(files)))
    if animated := task.cursor["animated"]:
        task.log(FIRST_FRAMES(files=animated))


def _stems(files: list[Upload]) -> list[str]:
    """A name for each image, without a suffix; no two are the same."""
    stems = (file.name.rpartition(".")[0] for file in files)
    return unique_names(stems, "image", MOST_BYTES_OF_NAME - len(LONGEST_END))


def _resized(opened: Opened) -> list[tuple[int, str, bytes]]:
    """The image in each size, with the suffix of its format. Raises Refused where there is not enough memory."""
    try:
        return [(size, FORMATS[opened.format], _saved(opened, size)) for size in SIZES]
    except MemoryError as error:
        raise Refused(NO_MEMORY()) from error


def _saved(opened: Opened, size: int) -> bytes:
    smaller = opened.picture.copy()
    smaller.thumbnail((size, size))
    data = io.BytesIO()
    smaller.save(data, opened.format, **OPTIONS[opened.format])
    return data.getvalue()
