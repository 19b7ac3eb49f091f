"""Writing takes a token, at every address of the site."""

import pytest

from tests.browsing import browse
from tests.webapp.web.site import addresses, everything
from webapp.models import Post
from webapp.web.api_paths import is_api_path

BY_LINK = "/unsubscribe/"  # which mail programs press, too: the secret of its address is what it takes


def pages(app, method: str, site: dict) -> list[str]:
    """Every address that browsers are sent to. No cookie counts at the others, so nobody can forge a request there."""
    return [path for path in addresses(app, method, site) if not is_api_path(path)]


def test_nothing_is_changed_without_a_token(app, ann, site):
    before, posted = everything(), [path for path in pages(app, "POST", site) if not path.startswith(BY_LINK)]
    assert len(posted) >= 10
    for address in posted:
        for browser in (ann, browse(app)):
            for data in ({}, {"csrf_token": "forged"}):
                answer = browser.post(address, data=data)
                assert answer.status_code == 400, address
                assert "expired" in answer.words
    assert everything() == before


def test_somebody_elses_token_is_none(app, ann, bob):
    answer = ann.post("/posts", data={"csrf_token": bob.token(), "body": "Hello"})
    assert answer.status_code == 400
    assert not Post.select().exists()


def test_a_token_is_good_for_its_whole_session(ann):
    token = ann.token()
    for _ in range(2):
        assert ann.post("/posts", data={"csrf_token": token, "body": "Hello"}).status_code == 303


def test_every_form_on_every_page_carries_a_token(app, ann, site):
    for browser in (ann, browse(app)):
        for address in addresses(app, "GET", site):
            answer = browser.get(address)
            if answer.mimetype == "text/html":
                for form in answer.page.select("form[method=post]" if not address.startswith(BY_LINK) else "nothing"):
                    assert form.select_one("input[name=csrf_token]"), f"{form.get('action')} on {address}"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(app, ann, site, method):
    for address in pages(app, "GET", site):
        assert ann.open(address, method=method).status_code in {400, 405}, address
