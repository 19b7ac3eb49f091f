"""Profile pictures: uploading one, seeing it everywhere, removing it; and who may keep it."""

import io

import pytest

from tests.browsing import browse, words
from webapp.dev.account_factories import make_picture
from webapp.dev.factories import make_message, make_post
from webapp.models import Picture, PictureUpload, State, Task, User
from webapp.web.forms import profile
from webapp.web.routes.settings import picture as route

HTMX = {"HX-Request": "true"}
PNG = b"\x89PNG\r\n\x1a\n and no more"


def _upload(browser, data: bytes, name: str = "me.png"):
    return browser.submit("/settings/picture", picture=(io.BytesIO(data), name))


def test_what_is_uploaded_is_kept_unopened_and_its_state_is_seen_live(ann, run_tasks):
    answer = _upload(ann, PNG)
    assert (answer.status_code, answer.location) == (303, "/settings/picture")
    assert bytes(PictureUpload.get().data) == PNG
    page = ann.get("/settings/picture")
    assert "Preparing your picture…" in page.one("#profile-picture").text
    assert "every" in page.one("#profile-picture")["hx-trigger"]
    tag = ann.get("/settings/picture/_picture", headers=HTMX).headers["ETag"]
    run_tasks()
    fragment = ann.get("/settings/picture/_picture", headers=HTMX | {"If-None-Match": tag})
    assert "That picture can’t be used. Not a JPEG, PNG, WebP or GIF, despite its name." in fragment.words
    assert "every" not in fragment.one("#profile-picture")["hx-trigger"]
    assert not Task.visible_to(ann.user).exists(), "it is no task of theirs"
    assert Task.get().state == State.SUCCEEDED


def test_a_second_upload_before_the_first_is_made_takes_its_place(ann):
    assert _upload(ann, PNG + b"1").status_code == 303
    assert _upload(ann, PNG + b"2").status_code == 303
    assert bytes(PictureUpload.get().data) == PNG + b"2"
    assert Task.select().count() == 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "That file is empty."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "Choose a JPEG, PNG, WebP, or GIF file."),
        (b"<!doctype html><script>", "Choose a JPEG, PNG, WebP, or GIF file."),
        (PNG + b"x" * 1024 * 1024, "That file is too large. The limit is 1 MB."),
    ],
)
def test_what_cannot_be_one_is_refused_at_the_field(ann, monkeypatch, data, said):
    monkeypatch.setattr(profile, "MOST_BYTES", 1024 * 1024)
    answer = _upload(ann, data)
    assert answer.status_code == 422
    assert said in answer.one("#picture-error").text
    assert not PictureUpload.select().exists()


def test_who_chooses_nothing_is_told(ann):
    assert ann.submit("/settings/picture").one("#picture-error").text.strip() == "Choose a picture."


def test_a_site_that_takes_small_files_takes_no_larger_pictures(make_app, ann):
    browser = browse(make_app(max_upload=1024 * 1024), ann.user)
    assert "up to 1 MB" in browser.get("/settings/picture").words
    assert _upload(browser, PNG + b"x" * 1024 * 1024).status_code == 422
    answer = _upload(browser, b"x" * 3_000_000)
    assert answer.status_code == 413
    assert "Files can total" in answer.one("#picture-error").text


def test_uploads_are_limited_as_each_takes_a_worker_some_time(ann, monkeypatch):
    monkeypatch.setattr(route, "PER_HOUR", route.Limit(1, 3600))
    assert _upload(ann, PNG).status_code == 303
    answer = _upload(ann, PNG)
    assert (answer.status_code, int(answer.headers["Retry-After"]) > 3000) == (429, True)
    assert "1 pictures within an hour. Try again in " in answer.one("#picture-error").text


def test_a_picture_stands_wherever_a_person_does_without_a_query_more(ann, bob, visitor, queries):
    make_post(bob.user)
    make_message(bob.user, ann.user, "words")
    pages = ("/", "/people/bob", "/messages", "/messages?q=words", "/messages/bob", "/messages/_inbox")

    def costs() -> dict[str, int]:
        found = {}
        for page in pages:
            with queries() as seen:
                ann.get(page, headers=HTMX)
            found[page] = seen.count
        return found

    costs()
    before = costs()
    picture = make_picture(bob.user)
    for page in pages:
        image = ann.get(page, headers=HTMX).page.select(f"img[src*='{picture.version}']")[0]
        size = "256" if page == "/people/bob" else "64"
        source = f"/pictures/{picture.version}/{size}"
        assert image.attrs == {"class": ["avatar"], "src": source, "width": size, "height": size, "alt": ""}
    assert costs() == before
    assert visitor.get("/").one("img.avatar")


def test_those_one_writes_with_see_a_new_picture_on_their_open_pages(ann, bob):
    make_message(bob.user, ann.user)
    tag = ann.get("/messages/_inbox", headers=HTMX).headers["ETag"]
    make_picture(bob.user)
    assert "img" in ann.get("/messages/_inbox", headers=HTMX | {"If-None-Match": tag}).text


def test_a_picture_may_be_seen_by_everybody_and_kept_by_their_browsers_alone(visitor, ann, queries):
    picture = make_picture(ann.user)
    for browser in (visitor, ann):
        browser.get("/login")  # its session has been written before
        with queries() as seen:
            answer = browser.get(f"/pictures/{picture.version}/64")
        assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/webp", bytes(picture.small))
        assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers
        assert seen.count == 1
    again = visitor.get(f"/pictures/{picture.version}/64", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    for path in (f"{picture.version}/65", "nothing/64", f"{picture.version}/99999999999"):
        assert visitor.get(f"/pictures/{path}").status_code == 404


def test_a_new_picture_has_a_new_address_and_the_old_one_is_gone(visitor, ann):
    old = make_picture(ann.user)
    new = make_picture(ann.user)
    assert visitor.get(f"/pictures/{old.version}/64").status_code == 404
    assert visitor.get(f"/pictures/{new.version}/64").status_code == 200


def test_a_picture_is_removed_by_one_button_and_so_is_what_is_being_prepared(ann, visitor, run_tasks):
    picture = make_picture(ann.user)
    _upload(ann, PNG)
    button = ann.get("/settings/picture").one("#remove-picture")
    answer = ann.submit(button["formaction"])
    assert (answer.status_code, answer.location) == (303, "/settings/picture")
    page = ann.get("/settings/picture")
    assert "Your picture has been removed." in page.words
    assert not page.page.select("img.avatar")
    assert page.one("#profile-picture .avatar").text == "A"
    assert page.one("#remove-picture")["aria-disabled"] == "true", "it keeps the focus"
    run_tasks()
    assert not PictureUpload.select().exists()
    assert not Picture.select().exists()
    assert User.get_by_id(ann.user.id).picture_version is None
    assert visitor.get(f"/pictures/{picture.version}/256").status_code == 404


def test_settings_lead_to_the_picture_and_the_name(ann):
    links = {words(link): link["href"] for link in ann.get("/settings").page.select("a.button")}
    assert (links["Add a picture"], links["Change username"]) == ("/settings/picture", "/settings/username")
    for path in ("/settings/picture", "/settings/username"):
        assert ann.get(path).one(".subpages [aria-current]")["href"] == "/settings"
