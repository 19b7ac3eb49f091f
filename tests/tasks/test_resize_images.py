"""Images made smaller: three sizes of each in one ZIP file, and in words what could not be."""

import io
import re
import struct
import subprocess
import sys
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageCms

from tasks import resize_images as module
from tasks.engine import InvalidArguments, Upload, run
from tasks.lib import pictures
from tasks.resize_images import resize_images
from tests.processes import ROOT
from tests.tasks.conftest import Killed
from webapp.db import database
from webapp.dev.factories import make_user
from webapp.models import Artifact, State, Task

RED, BLUE = (220, 20, 20), (20, 20, 220)


def _image(width=40, height=20, format="JPEG", mode="RGB", color=RED, **options) -> bytes:
    data = io.BytesIO()
    Image.new(mode, (width, height), color).save(data, format, **options)
    return data.getvalue()


@pytest.fixture
def resize(run_tasks):
    """A function that has files resized, given as names with bytes; returns the task."""

    def resize(*files: tuple[str, bytes]) -> Task:
        task = resize_images.launch(make_user(), files=[Upload(name, data) for name, data in files])
        run_tasks()
        return task.reload()

    return resize


def _made(task: Task) -> dict[str, bytes]:
    return {artifact.name: artifact.read() for artifact in Artifact.completed([task])[task]}


def _zip(task: Task) -> dict[str, Image.Image]:
    """The images in the ZIP file, which is whole."""
    with zipfile.ZipFile(io.BytesIO(_made(task)["images.zip"])) as file:
        assert file.testzip() is None
        names = file.namelist()
        assert len(names) == len(set(names))
        assert sum(info.file_size for info in file.infolist()) + len(names) * 30 <= len(_made(task)["images.zip"])
        return {name: Image.open(io.BytesIO(file.read(name))) for name in names}


# What comes out


def test_each_image_comes_in_three_sizes_of_its_longer_side(resize):
    task = resize(("wide.jpg", _image(2000, 1000)), ("tall.png", _image(900, 1800, "PNG")))
    assert {name: image.size for name, image in _zip(task).items()} == {
        "wide-320.jpg": (320, 160), "wide-800.jpg": (800, 400), "wide-1600.jpg": (1600, 800),
        "tall-320.png": (160, 320), "tall-800.png": (400, 800), "tall-1600.png": (800, 1600),
    }  # fmt: skip
    assert (task.state, task.done, task.total, task.title) == (State.SUCCEEDED, 2, 2, "Resize 2 images")
    assert list(_made(task)) == ["images.zip"]


def test_no_image_is_enlarged(resize):
    images = _zip(resize(("small.png", _image(500, 10, "PNG")), ("dot.gif", _image(1, 1, "GIF"))))
    assert [image.size for image in images.values()] == [(320, 6), (500, 10), (500, 10), (1, 1), (1, 1), (1, 1)]


@pytest.mark.parametrize(("format", "suffix"), [("JPEG", ".jpg"), ("PNG", ".png"), ("WEBP", ".webp"), ("GIF", ".gif")])
def test_an_image_keeps_its_format_whatever_its_name_says(resize, format, suffix):
    images = _zip(resize(("picture.jpeg", _image(format=format))))
    assert list(images) == [f"picture-{size}{suffix}" for size in module.SIZES]
    assert {image.format for image in images.values()} == {format}


@pytest.mark.parametrize(
    ("mode", "format", "color", "seen"),
    [
        ("RGBA", "PNG", (*RED, 128), (*RED, 128)),
        ("LA", "PNG", (90, 128), (90, 90, 90, 128)),
        ("L", "PNG", 90, 90),
        ("1", "PNG", 1, (255, 255, 255)),
        ("P", "PNG", 1, None),
        ("I;16", "PNG", 90 * 256, 90),
        ("RGBA", "WEBP", (*RED, 0), None),
        ("CMYK", "JPEG", (0, 0, 0, 0), (255, 255, 255)),
        ("L", "JPEG", 90, 90),
    ],
)
def test_colours_of_every_kind_are_kept(resize, mode, format, color, seen):
    image = _zip(resize(("a.png", _image(mode=mode, format=format, color=color))))[f"a-320{module.FORMATS[format]}"]
    if seen is not None:
        assert image.getpixel((5, 5)) == seen


def test_colours_of_a_profile_become_those_of_every_screen(resize):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for icc in (profile, b"nonsense"):
        image = _zip(resize(("a.png", _image(format="PNG", icc_profile=icc))))["a-320.png"]
        assert "icc_profile" not in image.info
        assert all(abs(a - b) <= 2 for a, b in zip(image.getpixel((5, 5)), RED, strict=True))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP"])
def test_an_image_is_turned_as_its_camera_was_held_and_forgets_where_that_was(resize, format, orientation):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "A camera"
    exif.get_ifd(0x8825)[1] = "N"
    picture = Image.new("RGB", (400, 200), BLUE)
    picture.paste(RED, (0, 0, 200, 100))  # the corner at the top, on the left, before it is turned
    data = io.BytesIO()
    picture.save(data, format, exif=exif, **({"comment": b"secret"} if format == "JPEG" else {}))
    for image in _zip(resize(("a.jpg", data.getvalue()))).values():
        width, height = image.size
        assert (width > height) == (orientation < 5)
        right, low = orientation in (2, 3, 6, 7), orientation in (3, 4, 7, 8)
        x, y = width * (3 if right else 1) // 4, height * (3 if low else 1) // 4
        red, _, blue = image.convert("RGB").getpixel((x, y))
        assert red > 150 > blue
        assert not image.getexif()
        assert not {"exif", "comment", "xmp"} & set(image.info)


def test_of_an_animation_there_is_its_beginning(resize):
    frames = [Image.new("RGB", (40, 20), color) for color in (RED, BLUE)]
    data = io.BytesIO()
    frames[0].save(data, "GIF", save_all=True, append_images=frames[1:])
    image = _zip(resize(("a.gif", data.getvalue())))["a-320.gif"]
    assert getattr(image, "n_frames", 1) == 1
    assert image.convert("RGB").getpixel((5, 5)) == RED


def test_no_two_images_have_one_name_and_none_is_a_path(resize):
    names = ["a.jpg", "A.jpg", "a (2).jpg", "a.png", "../../b.jpg", "c:d?.jpg", ".jpg", "名前 👋.jpg"]
    images = _zip(resize(*((name, _image()) for name in names)))
    assert [name.removesuffix("-320.jpg") for name in images if "-320" in name] == [
        "a", "A (2)", "a (2) (2)", "a (3)", "b", "c_d_", "image", "名前 👋",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "names",
    [
        ["é.jpg", "e\u0301.jpg", "É.JPG"],
        ["nul.tar.jpg", "NUL.png", "com1.jpg", "Lpt1.a.b.jpg"],
        ["正" * 83 + ".jpg", "正" * 83 + ".png", "👨‍👩‍👧" * 20 + ".jpg"],
        ["a. .jpg", "a.jpg", " a.jpg", "a\u202e.jpg", 'a<b>"|?*.jpg', "...jpg"],
    ],
)
def test_the_zip_file_can_be_unpacked_everywhere(resize, tmp_path, names):
    entries = list(_zip(resize(*((name, _image()) for name in names))))
    assert len({unicodedata.normalize("NFC", entry.casefold()) for entry in entries}) == 3 * len(names)
    for entry in entries:
        assert len(entry.encode()) <= 255
        assert entry == unicodedata.normalize("NFC", entry)
        assert entry.endswith(("-320.jpg", "-800.jpg", "-1600.jpg"))
        assert not re.match(r"(con|prn|aux|nul|com\d|lpt\d) *(\.|$)", entry, re.IGNORECASE)
        assert not re.search(r'[<>:"/\\|?*\x00-\x1f]|[ .]$|^ ', entry)
        (tmp_path / "unpacked").mkdir(exist_ok=True)
        (tmp_path / "unpacked" / entry).write_bytes(b"")
    assert len(list((tmp_path / "unpacked").iterdir())) == len(entries)


def test_it_is_said_of_which_images_only_the_first_frame_was_kept(resize):
    frames = [Image.new("RGB", (40, 20), color) for color in (RED, BLUE)]
    files = [("one.gif", _image(format="GIF")), ("photo.jpg", _image())]
    for format in ("GIF", "WEBP", "PNG"):
        data = io.BytesIO()
        frames[0].save(data, format, save_all=True, append_images=frames[1:])
        files.append((f"moving.{format.lower()}", data.getvalue()))
    task = resize(*files)
    said = [event.text for event in task.timeline() if event.kind == "log"]
    moving = "moving.gif, moving.webp, moving.png"
    assert said == ["5 of 5 images resized", f"Only the first frame was kept of {moving}"]


@pytest.mark.usefixtures("no_heartbeat")
def test_no_image_is_decoded_while_another_is_being_written(resize, monkeypatch):
    seen, opened = [], module.open_picture

    def watched(*arguments):
        seen.append(database.in_transaction())
        return opened(*arguments)

    monkeypatch.setattr(module, "open_picture", watched)
    resize(*((f"{number}.jpg", _image()) for number in range(5)))
    assert seen == [False] * 5


# Memory


def _png(width: int, height: int, depth: int, color: int, *chunks: bytes) -> bytes:
    """A PNG whose pixels are all zero, which says much in few bytes."""
    row = bytes(1 + (width * depth * {0: 1, 2: 3, 3: 1, 6: 4}[color] + 7) // 8)
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0))
    palette = _chunk(b"PLTE", bytes(768)) if color == 3 else b""
    body = [head, palette, *chunks, _chunk(b"IDAT", rows), _chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def _in_few_bytes(width: int, height: int, format: str, mode: str = "RGB", **options) -> Callable[[], bytes]:
    return lambda: _image(width, height, format, mode, 0, **options)


# What is the largest that is taken, and what is refused; how much each takes is not for its own decoder to say.
LARGE = {
    "a photo of 24 million pixels": (lambda: _png(6000, 3990, 8, 2), True),
    "with a palette and transparency": (lambda: _png(8000, 5000, 8, 3, _chunk(b"tRNS", bytes(256))), True),
    "just not halved": (lambda: _png(3199, 3199, 8, 6), True),
    "a JPEG of 40 million pixels": (_in_few_bytes(6399, 6399, "JPEG"), True),
    "a JPEG that comes in layers": (_in_few_bytes(4800, 4800, "JPEG", progressive=True), True),
    "a WebP image": (_in_few_bytes(2440, 2440, "WEBP", lossless=True), True),
    "a GIF": (_in_few_bytes(5600, 5600, "GIF", "L"), True),
    "50 million pixels": (lambda: _png(7071, 7071, 8, 6), False),
    "one long row": (lambda: _png(20_000_000, 1, 8, 2), False),
    "too large a JPEG in layers": (_in_few_bytes(6000, 6000, "JPEG", progressive=True), False),
    "too large a WebP image": (_in_few_bytes(3000, 3000, "WEBP"), False),
    "a text that unpacks": (
        lambda: _png(400, 400, 8, 6, *[_chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(10**6)))] * 60),
        False,
    ),
}
CHILD = """
import sys
from PIL import GifImagePlugin, Image, ImageCms, JpegImagePlugin, PngImagePlugin, WebPImagePlugin
from tasks.engine import Upload
from tasks.lib.pictures import Refused, open_picture
from tasks.resize_images import _resized

def memory(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name)) * 1024

for path in sys.argv[1:]:
    open("/proc/self/clear_refs", "w").write("5")
    before, words = memory("VmRSS:"), ""
    try:
        _resized(open_picture(Upload(path, open(path, "rb")), 1600))
    except Refused as error:
        words = str(error)
    print(memory("VmHWM:") - before, words, sep=";")
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux says how much a process has had")
def test_no_image_takes_more_than_128_megabytes_whatever_it_is(tmp_path):
    """Before, one of 194 kB took 700 MB, in each worker."""
    for number, (data, _) in enumerate(LARGE.values()):
        (tmp_path / f"{number:02}").write_bytes(data())
    paths = sorted(map(str, tmp_path.iterdir()))
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CHILD, *paths], cwd=ROOT, capture_output=True, text=True
    )
    lines = [line.partition(";") for line in run.stdout.splitlines()]
    assert len(lines) == len(LARGE), run.stderr
    for (name, (_, is_taken)), (taken, _, words) in zip(LARGE.items(), lines, strict=True):
        assert int(taken) < 128_000_000, name
        assert (words == "") == is_taken, f"{name}: {words}"


def test_an_image_that_needs_too_much_memory_is_refused_before_it_is_decoded(resize):
    task = resize(("bomb.png", _png(7071, 7071, 8, 6)), ("good.jpg", _image()))
    assert _made(task)["not-resized.txt"].decode() == (
        "bomb.png: It has 7,071 × 7,071 pixels. Opening it would take 200 MB of memory; the limit is 96 MB.\n"
    )


@pytest.mark.parametrize("where", ["open_picture", "_saved"])
def test_a_lack_of_memory_is_not_told_as_damage(resize, monkeypatch, where):
    def lacking(*_):
        raise MemoryError

    owner, name = (pictures, "_open") if where == "open_picture" else (module, "_saved")
    monkeypatch.setattr(owner, name, lacking)
    task = resize(("a.jpg", _image()))
    assert "There isn’t enough memory" in task.error


# What cannot be resized


def test_an_empty_file_or_one_of_another_kind_is_named_and_loses_no_other(ann, run_tasks):
    """A browser keeps no files of a form that was refused: all of them would have to be chosen again."""
    files = [("good.jpg", _image()), ("empty.png", b""), ("photo.heic", b"\0\0\0\x18ftypheic")]
    answer = ann.submit("/tasks/new/resize_images", files=[(io.BytesIO(data), name) for name, data in files])
    assert answer.status_code == 303
    run_tasks()
    task = Task.get()
    assert {name.split("-")[0] for name in _zip(task)} == {"good"}
    refused = _made(task)["not-resized.txt"].decode().splitlines()
    assert refused == [
        "empty.png: The file is empty.",
        "photo.heic: Not a JPEG, PNG, WebP or GIF, despite its name.",
    ]


def test_files_of_which_none_is_right_are_refused_and_named(ann):
    answer = ann.submit("/tasks/new/resize_images", files=[(io.BytesIO(b"x"), "photo.heic")])
    assert (answer.status_code, "photo.heic has the wrong file type" in answer.one("#files-error").text) == (422, True)


def _bomb() -> bytes:
    """A small file of a PNG that says that it has 30,000 by 30,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = (30_000).to_bytes(4, "big")
    head = chunk(b"IHDR", size + size + bytes([8, 0, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


BAD = {
    "bomb.png": (_bomb(), "It has too many pixels."),
    "half.jpg": (_image(600, 600, quality=95)[:-400], "The file is damaged or incomplete"),
    "half.png": (_image(600, 600, "PNG")[:-60], "The file is damaged or incomplete"),
    "half.gif": (_image(format="GIF")[:30], "Not a JPEG, PNG, WebP or GIF"),
    "page.jpg": (b"<html><script>alert(1)</script>", "Not a JPEG, PNG, WebP or GIF"),
    "drawing.gif": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "Not a JPEG, PNG, WebP or GIF"),
    "bitmap.png": (_image(format="BMP"), "Not a JPEG, PNG, WebP or GIF"),
    "scan.jpg": (_image(format="TIFF"), "Not a JPEG, PNG, WebP or GIF"),
    "begun.webp": (b"RIFF\x10\0\0\0WEBPVP8 ", "The file is damaged or incomplete"),
}


def test_what_cannot_be_resized_is_listed_and_the_others_are_done(resize):
    task = resize(("good.jpg", _image()), *((name, data) for name, (data, _) in BAD.items()), ("last.png", _image()))
    assert task.state == State.SUCCEEDED
    assert {name.split("-")[0] for name in _zip(task)} == {"good", "last"}
    lines = _made(task)["not-resized.txt"].decode().splitlines()
    assert [line.partition(": ")[0] for line in lines] == list(BAD)
    for line, (_, words) in zip(lines, BAD.values(), strict=True):
        assert words in line
    assert "2 of 11 images resized" in [event.text for event in task.timeline()]


@pytest.mark.parametrize("name", BAD)
def test_if_none_can_be_resized_the_task_fails_in_words(resize, name):
    task = resize((name, BAD[name][0]))
    assert task.state == State.FAILED
    assert f"No images could be resized. {name}: {BAD[name][1]}" in task.error
    assert task.error_phrase["first"]["reason"]["phrase"].startswith("pictures.")
    assert list(_made(task)) == ["not-resized.txt"]


@pytest.mark.parametrize("names", [[], ["a.bmp"], ["a.jpg"] * 51])
def test_only_one_to_fifty_images_are_taken(app, names):
    with pytest.raises(InvalidArguments, match="files: "):
        resize_images.launch(make_user(), files=[Upload(name, _image()) for name in names])


# Runs that are cut off


@pytest.mark.usefixtures("no_heartbeat")
@pytest.mark.parametrize("hold", [0.0, 60.0], ids=["a checkpoint after each step", "one at the end"])
@pytest.mark.parametrize("where", ["before", "within", "at the end"])
def test_the_zip_file_has_each_image_once_when_runs_are_killed(app, live_on, monkeypatch, hold, where, checkpoints):
    checkpoints(hold=hold, every=hold)
    known = set()

    def dying(function, when=lambda _: True):
        def call(*arguments):
            result = function(*arguments)
            key = str(arguments[0])
            if when(arguments) and key not in known and len(known) < 4:
                known.add(key)
                raise Killed
            return result

        return call

    if where == "before":
        monkeypatch.setattr(module, "_resized", dying(module._resized))
    elif where == "within":
        monkeypatch.setattr(module.resumable_zip, "head", dying(module.resumable_zip.head))
    else:
        monkeypatch.setattr(module.resumable_zip, "directory", dying(module.resumable_zip.directory))
        monkeypatch.setattr(run.Run, "finish", dying(run.Run.finish))
    noise = Image.effect_noise((480, 320), 90).convert("RGB")
    data = io.BytesIO()
    noise.save(data, "PNG")
    files = [Upload(f"{n}.png", data.getvalue() if n % 3 else b"not an image") for n in range(7)]
    task = live_on(resize_images.launch(make_user(), files=files))
    assert known
    images = _zip(task)
    assert list(images) == [f"{n}-{size}.png" for n in (1, 2, 4, 5) for size in module.SIZES]
    for image in images.values():
        image.load()
    assert len(_made(task)["not-resized.txt"].splitlines()) == 3
    assert (task.state, task.done, task.total) == (State.SUCCEEDED, 7, 7)
    assert Artifact.select().where(Artifact.name == "images.zip").count() == 1


def test_a_canceled_and_retried_task_makes_the_same_file(app, run_tasks, monkeypatch):
    task = resize_images.launch(make_user(), files=[Upload(f"{n}.jpg", _image()) for n in range(4)])
    resized = module._resized

    def broken(file):
        if file.name == "2.jpg":
            raise module.TaskError("Not now.")
        return resized(file)

    monkeypatch.setattr(module, "_resized", broken)
    run_tasks()
    assert task.reload().state == State.FAILED
    monkeypatch.setattr(module, "_resized", resized)
    task.retry()
    run_tasks()
    assert len(_zip(task.reload())) == 12
