"""What every answer says about security and caching."""

from itertools import filterfalse

from tests.browsing import browse
from tests.webapp.web.site import HTMX, OPENED, addresses, is_guarded, is_of_desk
from webapp.dev.desk_factories import make_staff
from webapp.models.permissions import Role
from webapp.web.api_paths import is_api_path
from webapp.web.polling import POLLED_FRAGMENTS


def _all(app, method: str, site: dict) -> list[str]:
    return [*addresses(app, method, site), *addresses(app, method, site, of_api=True)]


def test_every_answer_is_guarded(app, ann, site):
    for browser in (ann, browse(app)):
        for address in [*_all(app, "GET", site), "/nowhere", "/?before=x"]:
            for headers in ({}, HTMX):
                assert is_guarded(browser.get(address, headers=headers)), address


def test_every_refusal_is_guarded(app, ann, site):
    for address in _all(app, "POST", site):
        assert is_guarded(ann.post(address))
    assert is_guarded(ann.submit("/posts", body=""))
    assert is_guarded(ann.put("/"))


def test_a_304_has_the_security_headers(ann):
    answer = ann.get("/live", headers=HTMX)
    again = ann.get("/live", headers=HTMX | {"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    assert is_guarded(again)


def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(app, ann, site):
    for address in addresses(app, "GET", site):
        answer = ann.get(address)
        if answer.mimetype != "text/html" or answer.headers["Content-Security-Policy"].startswith("sandbox"):
            continue  # a mail in its frame can do neither
        for tag in answer.page.select("script, link[href], img, use, iframe, source"):
            source = tag.get("src") or tag.get("href")
            assert source, f"{tag} on {address} runs inline"
            assert source.startswith(("/", "data:")), f"{tag} on {address}"
        for tag in answer.page.find_all(True):
            assert not {name for name in tag.attrs if name.startswith("on") or name == "style"}, f"{tag} on {address}"


def test_no_page_of_somebody_is_kept(app, ann, site):
    """But for what is polled, which may be kept for the one question whether it is still right."""
    admin = browse(app, make_staff(Role.ADMIN))
    for address in filterfalse(is_api_path, addresses(app, "GET", site)):
        for headers in (OPENED, HTMX):
            answer = (admin if is_of_desk(address) else ann).get(address, headers=headers)
            kept, endpoint = answer.headers.get("Cache-Control", ""), _endpoint(app, address)
            if endpoint in POLLED_FRAGMENTS and headers == HTMX:
                assert kept == "private, no-cache", address
            elif endpoint not in {*POLLED_FRAGMENTS, "static", "pictures.show", "health.healthz", "health.readyz"}:
                assert "no-store" in kept, address
    assert "no-store" in ann.get("/nowhere").headers["Cache-Control"]
    assert "no-store" in ann.submit("/posts", body="").headers["Cache-Control"]


def _endpoint(app, address: str) -> str:
    return app.url_map.bind("localhost").match(address.partition("?")[0])[0]


def test_a_visitors_page_may_be_kept_for_the_back_button(visitor):
    assert "no-store" not in visitor.get("/").headers.get("Cache-Control", "")


def test_signing_out_clears_what_the_browser_has_kept(ann):
    answer = ann.submit("/logout")
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert "You’re signed out." in ann.get("/").words


def test_static_files_are_kept_for_a_year_and_change_their_address(ann):
    href = ann.get("/").one('link[href*="app.css"]')["href"]
    assert "v=" in href
    answer = ann.get(href)
    assert answer.status_code == 200
    assert "max-age=31536000" in answer.headers["Cache-Control"]
