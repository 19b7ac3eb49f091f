"""Profile pictures as workers make them: square, small, stripped, and never by what a hostile file would like."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from tasks import prepare_picture as module
from tasks.engine import executor
from tasks.prepare_picture import line_up_pictures, prepare_picture
from tests.tasks.conftest import Killed
from webapp.dev.account_factories import make_picture
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.models import Picture, PictureUpload, Task, User
from webapp.models.picture import KEPT, MOST_ATTEMPTS

pytestmark = pytest.mark.usefixtures("no_heartbeat")
RED, BLUE = (220, 20, 20), (20, 20, 220)


def _file(image: Image.Image, format: str = "PNG", **options) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def _plain(format: str = "PNG", mode: str = "RGB", size=(40, 20), color=RED, **options) -> bytes:
    return _file(Image.new(mode, size, color), format, **options)


def _stripes() -> Image.Image:
    """Red in the middle third, blue at both sides."""
    image = Image.new("RGB", (900, 300), BLUE)
    image.paste(RED, (300, 0, 600, 300))
    return image


@pytest.fixture
def ann(app) -> User:
    return make_user("ann")


@pytest.fixture
def prepare(ann, run_tasks):
    """A function that has a file made Ann's picture; returns that in both sizes, or what was wrong."""

    def prepare(data: bytes) -> tuple[Image.Image, Image.Image] | str:
        PictureUpload.put(ann, data)
        line_up_pictures(10)
        run_tasks()
        if upload := PictureUpload.of(ann):
            assert PictureUpload.get().data is None, "the file is gone in any case"
            return str(upload)
        picture = Picture.get(Picture.user == ann)
        assert User.get_by_id(ann.id).picture_version == picture.version
        large, small = (Image.open(io.BytesIO(data)) for data in (picture.large, picture.small))
        return large, small

    return prepare


def test_the_middle_of_an_image_is_made_square_in_two_sizes_as_webp(prepare):
    large, small = prepare(_file(_stripes()))
    assert (large.format, large.size, small.format, small.size) == ("WEBP", (256, 256), "WEBP", (64, 64))
    for x in (8, 128, 248):
        red, _, blue = large.convert("RGB").getpixel((x, 128))
        assert red > 150 > blue, "nothing of the sides"


def test_it_is_turned_upright_and_says_nothing_about_where_it_was_taken(prepare):
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 3, "a camera"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    image = Image.new("RGB", (300, 300), RED)
    image.paste(BLUE, (0, 150, 300, 300))
    for format in ("JPEG", "PNG", "WEBP"):
        large, small = prepare(_file(image, format, exif=exif, icc_profile=profile))
        red, _, blue = large.convert("RGB").getpixel((128, 40))
        assert blue > red, "what was below is above"
        for made in (large, small):
            assert not {"exif", "icc_profile", "xmp"} & made.info.keys()
            assert not made.getexif()


@pytest.mark.parametrize(
    "data",
    [
        _plain("JPEG", "CMYK", color=(0, 200, 200, 0)),
        _plain("JPEG", "L", color=90),
        _plain("PNG", "I;16", color=40000),
        _plain("PNG", "P", color=1),
        _plain("PNG", "RGBA", color=(*RED, 90)),
        _plain("PNG", "LA", color=(90, 90)),
        _plain("GIF", "P", color=1),
        _plain("WEBP"),
        _plain(size=(1, 1)),
        _plain(size=(4000, 2)),
    ],
    ids=lambda data: repr(data[:4]),
)
def test_every_kind_of_image_becomes_one(prepare, data):
    large, small = prepare(data)
    assert (large.size, small.size) == ((256, 256), (64, 64))


def test_of_an_animation_the_first_frame_is_taken_however_many_there_are(prepare):
    frames = [Image.new("P", (8, 8), number % 200) for number in range(3000)]
    data = _file(Image.new("RGB", (8, 8), RED), "GIF", save_all=True, append_images=frames)
    large, _ = prepare(data)
    assert not getattr(large, "is_animated", False)
    assert large.convert("RGB").getpixel((128, 128))[0] > 150


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _png(width: int, height: int, *chunks: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + b"".join(chunks) + _chunk(b"IEND", b"")


BOMB = zlib.compress(b"\0" * 30_000_000, 9)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "Not a JPEG, PNG, WebP or GIF"),
        (b"\x89PNG\r\n\x1a\n<html><script>alert(1)</script>", "Not a JPEG, PNG, WebP or GIF"),
        (b"GIF89a", "Not a JPEG, PNG, WebP or GIF"),
        (_plain("JPEG", size=(300, 300))[:-400], "damaged"),
        (_png(60000, 60000, _chunk(b"IDAT", BOMB)), "too many pixels"),
        (_png(9000, 9000, _chunk(b"IDAT", BOMB)), "MB of memory"),
        (_png(8, 8, _chunk(b"iCCP", b"x\0\0" + BOMB), _chunk(b"IDAT", BOMB)), "damaged"),
        (_png(8, 8, _chunk(b"zTXt", b"x\0\0" + BOMB), _chunk(b"IDAT", BOMB)), "damaged"),
    ],
    ids=["svg", "html", "cut off at once", "cut off", "bomb", "smaller bomb", "bomb in a profile", "bomb in a text"],
)
def test_what_is_no_image_or_too_large_is_refused_in_words(prepare, ann, data, words):
    before = make_picture(ann)
    assert words in prepare(data)
    assert Picture.get().version == before.version, "the picture of before stays"


def test_another_upload_takes_the_place_of_one_that_is_being_made(prepare, ann, monkeypatch):
    squares, seen = module.squares, []

    def be_overtaken(data, sizes):
        if not seen:
            PictureUpload.put(ann, _plain(color=BLUE))
        seen.append(data)
        return squares(data, sizes)

    monkeypatch.setattr(module, "squares", be_overtaken)
    large, _ = prepare(_plain(color=RED))
    assert large.convert("RGB").getpixel((99, 99))[2] > 150
    assert (len(seen), Picture.select().count()) == (2, 1)


def test_a_picture_that_is_removed_while_it_is_made_stays_removed(ann, run_tasks, monkeypatch):
    squares = module.squares

    def be_removed(data, sizes):
        Picture.remove(ann)
        return squares(data, sizes)

    monkeypatch.setattr(module, "squares", be_removed)
    PictureUpload.put(ann, _plain())
    prepare_picture.launch(ann)
    run_tasks()
    assert not Picture.select().exists()
    assert User.get_by_id(ann.id).picture_version is None


def test_a_run_that_is_killed_is_followed_by_another_that_makes_it(ann, live_on, monkeypatch):
    squares, seen = module.squares, []

    def die_once(data, sizes):
        seen.append(data)
        if len(seen) == 1:
            raise Killed
        return squares(data, sizes)

    monkeypatch.setattr(module, "squares", die_once)
    PictureUpload.put(ann, _plain())
    assert live_on(prepare_picture.launch(ann)).state == "succeeded"
    assert (Picture.select().count(), PictureUpload.select().count(), len(seen)) == (1, 0, 2)


def test_a_file_that_ends_every_run_is_given_up(ann, monkeypatch):
    seen = []

    def fail(data, sizes):
        seen.append(data)
        raise RuntimeError("what nobody has thought of")

    monkeypatch.setattr(module, "squares", fail)
    PictureUpload.put(ann, _plain())
    for _ in range(MOST_ATTEMPTS + 2):
        line_up_pictures(10)
        executor.execute_next()
    assert len(seen) == MOST_ATTEMPTS
    assert str(PictureUpload.of(ann)) == "Something went wrong while we prepared it. Try another one."
    line_up_pictures(10)
    assert not executor.execute_next(), "there is nothing to do any more"
    assert Task.select().count() == MOST_ATTEMPTS + 1


def test_what_went_wrong_is_forgotten_after_a_week(ann):
    PictureUpload.put(ann, b"data")
    old = {"sent_at": utcnow() - 2 * KEPT}
    PictureUpload.update(old).execute()
    assert PictureUpload.purge(10) == 0, "it still waits"
    PictureUpload.update(problem="Damaged").execute()
    assert PictureUpload.purge(10) == 1


def test_pictures_are_kept_and_replaced_on_each_database(each_database):
    user, data = make_user(), bytes(range(256)) * 40
    PictureUpload.put(user, data)
    PictureUpload.put(user, data[::-1])
    upload = PictureUpload.begin(user)
    assert bytes(upload.data) == data[::-1]
    upload.become(b"large", b"small")
    first = Picture.get()
    assert Picture.find(first.version, 64) == b"small"
    make_picture(user)
    assert Picture.find(first.version, 256) is None
    assert Picture.select().count() == 1
