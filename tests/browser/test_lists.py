"""Lists that people filter, and act on as a whole: with htmx, by the keyboard, and with forms alone."""

from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import expect

from tests.browser.people import SOON, focused, see, see_gone, tab_to
from tests.browser.rows import put


def _rows(page):
    return page.locator("#task-list .row")


def _asked(page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def _check(page, *titles):
    for title in titles:
        page.locator("#task-list .row").filter(has_text=title).locator(".check").click()


def _polled(page):
    """Wait until the list has asked once more and been answered."""
    with page.expect_response(
        lambda answer: "/tasks/_list" in answer.url and answer.status in (200, 304), timeout=SOON
    ):
        pass


def test_a_list_is_filtered_while_one_types_and_goes_on_living(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    put(still_site, person.name, "failed", "in_progress", "succeeded", "paused")
    page = person.visit("/tasks")
    see(page.get_by_text("4 tasks"))

    page.get_by_label("Search", exact=True).press_sequentially("while pau")
    expect(_rows(page)).to_have_count(1)
    assert _asked(page) == {"q": ["while pau"]}, "what is empty is not in the address"
    assert page.evaluate("document.activeElement.id") == "q"
    page.get_by_label("Search", exact=True).fill("")
    expect(_rows(page)).to_have_count(4)
    page.get_by_label("State").select_option("Failed")
    expect(_rows(page)).to_have_count(1)
    assert _asked(page) == {"state": ["failed"]}

    put(still_site, person.name, "failed", "succeeded")
    expect(_rows(page)).to_have_count(2, timeout=SOON)  # by a poll, which still asks for those that failed
    see(page.get_by_text("2 tasks"))
    page.reload()
    expect(_rows(page)).to_have_count(2)
    assert page.get_by_label("State").input_value() == "failed"


def test_what_is_wrong_is_told_at_the_field_while_one_chooses(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    put(still_site, person.name, "failed")
    page = person.visit("/tasks")
    page.get_by_text("More filters").click()
    page.get_by_label("From").fill("2026-02-02")
    expect(page.locator("#clear")).to_be_visible()
    page.get_by_label("To", exact=True).fill("2026-02-01")
    see(page.get_by_text("“To” can’t be before “From”."))
    expect(_rows(page)).to_have_count(0)
    page.get_by_label("To", exact=True).fill("2036-02-01")
    expect(_rows(page)).to_have_count(1)
    see_gone(page.get_by_text("“To” can’t be before “From”."))
    assert page.get_by_label("From").input_value() == "2026-02-02"


def test_what_is_checked_stays_checked_while_the_list_changes_around_it(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    put(still_site, person.name, "failed", "in_progress", "pending")
    page = person.visit("/tasks")
    expect(page.locator(".bulk")).to_be_hidden()
    _check(page, "while failed", "while in progress")
    expect(page.locator(".bulk")).to_be_visible()
    assert "2 selected" in "".join(_heard(page))
    put(still_site, person.name, "succeeded")
    expect(_rows(page)).to_have_count(4, timeout=SOON)
    _polled(page)
    checked = page.locator("#task-list .row:has(:checked)")
    assert [words.split("\n")[0] for words in checked.locator(".title").all_inner_texts()] == [
        "Count down while in progress", "Count down while failed",
    ]  # fmt: skip
    page.locator("#bulk-cancel").click()
    see(page.locator("#flashes").get_by_text("Canceled 1 task, after the current step; 1 had already finished."))
    expect(page.locator("#task-list :checked")).to_have_count(0)
    see(page.locator('#task-list [data-state="canceling"]'))


def test_all_that_the_filter_lets_through_go_by_the_keyboard_alone(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    put(still_site, person.name, *["failed"] * 22, "succeeded")
    page = person.visit("/tasks?state=failed")
    tab_to(page, "Select all 22")
    page.keyboard.press("Enter")  # which would press the first button, if it could
    assert page.url == person.site + "/tasks?state=failed"
    expect(_rows(page)).to_have_count(20)
    page.keyboard.press("Space")
    see(page.get_by_text("All 22 selected"))
    page.locator("#bulk-delete").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused(page).startswith("Delete for good")
    page.keyboard.press("Enter")
    see(page.locator("#flashes").get_by_text("Deleted 22 tasks."))
    see(page.get_by_text("No matching tasks"))
    page.get_by_text("Show all tasks").click()
    expect(_rows(page)).to_have_count(1)


def test_on_a_phone_what_is_checked_can_be_acted_on_from_wherever_one_is(new_person, still_site):
    person = new_person(still_site, viewport={"width": 360, "height": 640}, has_touch=True)
    person.come_as_guest()
    put(still_site, person.name, *["succeeded"] * 12)
    page = person.visit("/tasks")
    _rows(page).first.locator(".check").tap()
    expect(page.locator("#bulk-dismiss")).to_be_in_viewport(ratio=1)
    page.locator("#bulk-dismiss").tap()
    see(page.locator("#flashes").get_by_text("Closed 1 alert."))


def test_filter_and_bulk_need_no_javascript(new_person, still_site):
    person = new_person(still_site, java_script_enabled=False)
    person.come_as_guest()
    put(still_site, person.name, "failed", "pending", "succeeded", "scheduled")
    page = person.visit("/tasks")
    page.get_by_label("State").select_option("Waiting")
    page.get_by_label("Search", exact=True).fill("count")
    page.locator("#filter button").click()
    assert _asked(page)["state"] == ["waiting"]
    expect(_rows(page)).to_have_count(1)
    _check(page, "while waiting")
    page.locator("#bulk-cancel").click()
    see(page.locator("#flashes").get_by_text("Canceled 1 task."))
    see(page.get_by_text("No matching tasks"))
    page.locator("#clear").click()
    page.locator(".tally .check").click()
    page.locator("#bulk-delete").click()
    page.get_by_role("button", name="Delete for good").click()
    see(page.locator("#flashes").get_by_text("Deleted 3 tasks; 1 hasn’t finished yet."))
    expect(_rows(page)).to_have_count(1)


def _heard(page) -> list[str]:
    """What there is for screen readers: all texts, also those that the stylesheet makes."""
    tree = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")
    return [node["name"]["value"] for node in tree["nodes"] if node.get("name")]


def test_posts_and_messages_are_found(new_person, still_site):
    reader, writer = new_person(still_site), new_person(still_site)
    reader.come_as_guest()
    writer.come_as_guest()
    writer.post(f"A needle for {reader.name}")
    for text in (f"A needle, {reader.name}", "Something else"):
        page = writer.visit(f"/messages/{reader.name}")
        page.get_by_label("Your message").fill(text)
        page.get_by_role("button", name="Send").click()
        see(page.locator("#thread").get_by_text(text))

    page = reader.visit("/")
    page.get_by_role("searchbox", name="Search posts").fill(f"NEED {reader.name}")
    page.get_by_role("button", name="Search").click()
    see(page.locator(".post mark").get_by_text("needle"))
    page = reader.visit("/messages")
    page.get_by_role("searchbox", name="Search messages").fill("need")
    page.keyboard.press("Enter")
    page.locator(".found a").click()
    expect(page.locator(".message:target")).to_contain_text(f"A needle, {reader.name}")
    page.get_by_role("link", name="Latest messages").click()
    see(page.locator("#thread").get_by_text("Something else"))
