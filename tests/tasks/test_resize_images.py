"""Images made smaller: three sizes of each in one ZIP file, and in words what could not be."""

import io
import zipfile
import zlib

import pytest
from PIL import Image, ImageCms

from tasks import resize_images as module
from tasks.engine import InvalidArguments, Upload, run
from tasks.resize_images import resize_images
from tests.tasks.conftest import Killed
from webapp.factories import make_user
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


# What cannot be resized


def _bomb() -> bytes:
    """A small file of a PNG that says that it has 30,000 by 30,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    size = (30_000).to_bytes(4, "big")
    head = chunk(b"IHDR", size + size + bytes([8, 0, 0, 0, 0]))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


BAD = {
    "bomb.png": (_bomb(), "It has far too many pixels."),
    "half.jpg": (_image(600, 600, quality=95)[:-400], "It is damaged"),
    "half.png": (_image(600, 600, "PNG")[:-60], "It is damaged"),
    "half.gif": (_image(format="GIF")[:30], "It is"),
    "page.jpg": (b"<html><script>alert(1)</script>", "It is no JPEG, PNG, WebP or GIF"),
    "drawing.gif": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "It is no JPEG, PNG, WebP or GIF"),
    "bitmap.png": (_image(format="BMP"), "It is no JPEG, PNG, WebP or GIF"),
    "scan.jpg": (_image(format="TIFF"), "It is no JPEG, PNG, WebP or GIF"),
    "begun.webp": (b"RIFF\x10\0\0\0WEBPVP8 ", "It is"),
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
    assert f"No image could be resized. {name}: {BAD[name][1]}" in task.error
    assert list(_made(task)) == ["not-resized.txt"]


def test_an_image_of_more_pixels_than_memory_has_room_for_is_refused_before_it_is_decoded(resize, monkeypatch):
    monkeypatch.setattr(module, "MOST_PIXELS", 1_000_000)
    task = resize(("large.png", _image(1001, 1000, "PNG", "1", 0)))
    assert "It has 1,001 × 1,000 pixels; at most 1 million are taken." in task.error


@pytest.mark.parametrize("names", [[], ["a.bmp"], ["a.jpg"] * 51])
def test_only_one_to_fifty_images_are_taken(app, names):
    with pytest.raises(InvalidArguments, match="files: "):
        resize_images.launch(make_user(), files=[Upload(name, _image()) for name in names])


# Runs that are cut off


@pytest.mark.usefixtures("no_reports")
@pytest.mark.parametrize("hold", [0.0, 60.0], ids=["a checkpoint after each step", "one at the end"])
@pytest.mark.parametrize("where", ["before", "within", "at the end"])
def test_the_zip_file_has_each_image_once_when_runs_are_killed(app, live_on, monkeypatch, hold, where):
    monkeypatch.setattr(run, "HOLD_AT_MOST", hold)
    monkeypatch.setattr(run, "CHECKPOINT_EVERY", hold)
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
        monkeypatch.setattr(module.zips, "head", dying(module.zips.head))
    else:
        monkeypatch.setattr(module.zips, "directory", dying(module.zips.directory))
        monkeypatch.setattr(run.Run, "finish", dying(run.Run.finish))
    noise = Image.effect_noise((900, 600), 90).convert("RGB")
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
