"""Images in a browser: resized and downloaded, with JavaScript and without."""

import io
import zipfile

import pytest
from PIL import Image

from tests.browser.axe import assert_accessible
from tests.browser.people import see


def _image(name: str, format: str) -> dict[str, object]:
    data = io.BytesIO()
    Image.new("RGB", (1200, 600), "teal").save(data, format)
    return {"name": name, "mimeType": f"image/{format.lower()}", "buffer": data.getvalue()}


@pytest.mark.parametrize("with_javascript", [True, False])
def test_images_are_resized_and_downloaded(new_person, site, with_javascript):
    person = new_person(site, java_script_enabled=with_javascript, viewport={"width": 360, "height": 740})
    person.come_as_guest()
    page = person.visit("/tasks/new/resize_images")
    page.get_by_role("button", name="Start", exact=True).click()
    see(page.get_by_text("Choose at least one file."))
    broken = {"name": "broken.gif", "mimeType": "image/gif", "buffer": b"GIF89a"}
    images = [_image("holiday ü.jpg", "JPEG"), _image("logo.png", "PNG"), _image("logo.webp", "WEBP")]
    page.get_by_label("Files").set_input_files([*images, broken])
    page.get_by_role("button", name="Start", exact=True).click()
    see(page.locator("article[data-state=succeeded]"))
    see(page.get_by_text("3 of 4 images resized"))
    see(page.get_by_role("link", name="not-resized.txt"))
    with page.expect_download() as started:
        page.locator("article").get_by_role("link", name="images.zip").click()
    assert started.value.suggested_filename == "images.zip"
    with zipfile.ZipFile(started.value.path()) as found:
        assert len(found.namelist()) == 9
        assert {"holiday ü-320.jpg", "logo-800.png", "logo (2)-1600.webp"} <= set(found.namelist())
        assert Image.open(found.open("logo-800.png")).size == (800, 400)
        assert Image.open(found.open("logo (2)-1600.webp")).size == (1200, 600), "nothing is enlarged"
    if with_javascript:
        assert_accessible(page, "resized images")
