"""A page that is cut off from its server: it says so, loses no press without a word, and goes on by itself."""

import pytest
from playwright.sync_api import expect

from tests.browser.axe import violations
from tests.browser.people import SOON, alert, focused, see, see_gone
from tests.browser.rows import put
from tests.network import Network

PATIENCE = 30_000  # a poll begins after 5 s, may take 4 s, and is followed by others for 10 s
LOST, UNSENT = "We can’t reach the server right now", "That didn’t go through"
PLACE = "e => e.getBoundingClientRect().top - document.querySelector('#timeline').getBoundingClientRect().top"
WAYS = ("hanging", "refusing", "answering 502", "offline")


@pytest.fixture
def ways(new_person, still_site):
    """Each way to be cut off: somebody's Home with a task that waits, what cuts it off, and what mends that."""
    person = new_person(still_site)
    person.come_as_guest()
    person.post("Something old")
    put(still_site, person.name, *["pending"] * len(WAYS))
    with Network(still_site.port) as hanging, Network(still_site.port) as refusing:
        phone = new_person(
            still_site,
            storage_state=person.context.storage_state(),
            viewport={"width": 320, "height": 640},
            reduced_motion="reduce",
        )
        tabs = [person.new_tab(), person.new_tab(), person.new_tab(), phone.page]
        proxied = tabs[2]

        def answer_502() -> None:
            proxied.route(
                "**/*", lambda route: route.fulfill(status=502, content_type="text/html", body="<h1>Bad</h1>")
            )

        yield (
            {
                "hanging": (tabs[0], f"http://127.0.0.1:{hanging.port}", hanging.swallow, hanging.heal),
                "refusing": (tabs[1], f"http://127.0.0.1:{refusing.port}", refusing.refuse, refusing.heal),
                "answering 502": (proxied, still_site.url, answer_502, lambda: proxied.unroute("**/*")),
                "offline": (
                    tabs[3],
                    still_site.url,
                    lambda: phone.context.set_offline(True),
                    lambda: phone.context.set_offline(False),
                ),
            },
            person,
        )


def _cancel(page, task: str):
    """The button of one task, pressed by the keyboard."""
    button = page.locator(f"#{task}").get_by_role("button", name="Cancel")
    button.focus()
    page.keyboard.press("Enter")
    return button


def test_a_page_that_is_cut_off_says_so_and_goes_on_by_itself(ways):
    """However it is cut off: all ways at once, as each takes its time, and with a page beside them that is not."""
    ways, person = ways
    for page, address, _, _ in ways.values():
        page.goto(f"{address}/")
        see(alert(page, "pending"))
    tasks = [element.get_attribute("id") for element in alert(person.visit("/"), "pending").all()]
    assert len(tasks) == len(WAYS)
    phone = ways["offline"][0]
    phone.get_by_label("Write something").fill("Half a thought")

    for _, _, cut, _ in ways.values():
        cut()

    buttons = {way: _cancel(page, task) for (way, (page, *_)), task in zip(ways.items(), tasks, strict=True)}
    for way, (page, *_) in ways.items():
        expect(page.get_by_role("alert").filter(has_text=UNSENT), way).to_be_visible(timeout=PATIENCE)
        assert focused(page).startswith("Cancel"), way
        expect(buttons[way], way).to_be_enabled()
        expect(buttons[way], way).not_to_have_class("htmx-request")
    for way, (page, *_) in ways.items():
        expect(page.get_by_role("status").get_by_text(LOST), way).to_be_visible(timeout=PATIENCE)
    boxes = [phone.get_by_text(words).bounding_box() for words in (LOST, UNSENT)]
    for words in (LOST, UNSENT):
        expect(person.page.get_by_text(words)).not_to_be_visible()

    assert all(0 <= box["x"] < box["x"] + box["width"] <= 320 for box in boxes)
    assert violations(phone) == []
    phone.emulate_media(forced_colors="active")
    expect(phone.get_by_text(LOST)).to_be_visible()
    phone.emulate_media(media="print", forced_colors="none")
    expect(phone.get_by_text(LOST)).not_to_be_visible()
    phone.emulate_media(media="screen")

    person.post("Something new")
    for _, _, _, mend in ways.values():
        mend()

    for way, (page, *_) in ways.items():
        expect(page.get_by_text(LOST), way).not_to_be_visible(timeout=SOON)
    old = phone.locator("article.post").get_by_text("Something old")
    place = old.evaluate(PLACE)
    for task, (way, (page, *_)) in zip(tasks, ways.items(), strict=True):
        expect(page.get_by_text(UNSENT), way).to_be_visible()
        _cancel(page, task)
        see(page.locator(f"#{task}[data-state=canceled]"))
        expect(page.get_by_text(UNSENT), way).not_to_be_visible()

    link = phone.get_by_role("status").get_by_role("link", name="1 new post")
    see(link)  # as whoever presses a button asks for all that is new
    assert old.evaluate(PLACE) == place, "it moves nothing of what one reads"
    link.click()
    see(phone.locator("article.post").get_by_text("Something new"))
    see_gone(link)
    assert phone.get_by_label("Write something").input_value() == "Half a thought"
