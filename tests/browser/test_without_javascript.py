"""The same stories with JavaScript off: forms, links and pages that ask for themselves again."""

import json

import pytest

from tests.browser.people import alert, download, reload_until, see
from tests.browser.rows import put


@pytest.fixture
def person(plain_person):
    return plain_person


def test_everything_works_without_javascript(person):
    person.register("bob-plain", email="bob-plain@example.com")
    person.confirm("bob-plain@example.com")
    for text in ("first", "second", "third"):
        person.post(text)
    page = person.visit("/people/bob-plain")
    page.get_by_label("Format").select_option("json")
    page.get_by_role("button", name="Export my posts").click()
    page.wait_for_url("**/tasks/*-*")
    see(page.locator("article[data-state=succeeded]"))  # the page reloads by itself until then
    _, text = download(page, page.locator("article a[href^='/artifacts/']"))
    assert [post["body"] for post in json.loads(text)["posts"]] == ["first", "second", "third"]

    person.visit("/mailbox").get_by_text("Your post export is ready").first.click()
    assert "posts.json" in page.inner_text("main")

    path = person.count_down(60)
    see(page.locator("article[data-state=in_progress]"))
    page.locator("#main").get_by_role("button", name="Cancel").click()
    see(page.locator("article[data-state=canceled]"))
    assert page.url == person.site + path

    person.visit("/")
    assert alert(page, "succeeded").count() == 1
    alert(page, "canceled").get_by_role("button", name="Close").click()
    assert page.url == person.site + "/", "closing an alert leads back to where one was"
    alert(page, "succeeded").get_by_role("button", name="Close").click()
    assert alert(page, "succeeded").count() == alert(page, "canceled").count() == 0


def test_a_wrong_field_is_told_at_the_field(person):
    person.come_as_guest()
    page = person.visit("/tasks/new/countdown")
    page.get_by_label("Seconds").fill("0")
    page.get_by_role("button", name="Start").click()
    see(page.get_by_text("Enter a number from 1 to 600."))
    assert page.get_by_label("Seconds").input_value() == "0"


def test_second_thoughts_need_no_javascript(person, site):
    person.come_as_guest()
    path = person.count_down(60)
    page, buttons = person.page, person.page.locator("#main")
    for press, state in (("Pause", "paused"), ("Resume", "in_progress"), ("Cancel", "canceled")):
        buttons.get_by_role("button", name=press).click()
        reload_until(page, state)
    stale = person.visit(path, person.new_tab())
    for tab in (page, stale):
        tab.get_by_text("Delete", exact=True).click()
        tab.get_by_role("button", name="Delete for good").click()
    assert page.url == person.site + "/tasks"
    see(page.get_by_text("Deleted “Count down from 60”."))
    see(stale.get_by_text("Page not found"))

    failed = person.visit(put(site, person.name, "failed")["failed"])
    twice = person.visit(failed.url.removeprefix(person.site), person.new_tab())
    failed.locator("#main").get_by_role("button", name="Retry").click()
    reload_until(failed, "succeeded")
    twice.locator("#main").get_by_role("button", name="Retry").click()
    see(twice.locator("#flashes").get_by_text("has already finished"))
