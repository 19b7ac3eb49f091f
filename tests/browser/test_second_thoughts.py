"""What people do who change their mind: pause and resume, try again, start later, delete, in two tabs, by keyboard."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.people import SOON, alert, focused, see, see_gone, tab_to
from tests.browser.rows import put
from webapp.lib.times import utcnow


def _panel(page, state):
    return page.locator(f'article[data-state="{state}"]')


def _value(page):
    return int(page.locator("article > .state progress").get_attribute("value"))


def test_a_paused_countdown_stands_still_in_both_tabs_until_it_is_resumed(person):
    person.come_as_guest()
    path = person.count_down(60)
    page, home = person.page, person.visit("/", person.new_tab())
    see(_panel(page, "in_progress"))
    page.get_by_role("button", name="Pause").click()
    see(_panel(page, "paused"))
    see(alert(home, "paused"))
    stood_at = _value(page)
    assert f"Paused after {stood_at} of 60" in page.inner_text("article .words")

    alert(home, "paused").get_by_role("button", name="Resume").click()

    see(alert(home, "in_progress"))
    see(_panel(page, "in_progress"))
    page.wait_for_function(
        "stood => Number(document.querySelector('article progress').getAttribute('value')) > stood", arg=stood_at
    )
    assert _value(page) < 60
    for line in ("Paused by you; stopping after the current step", "Resumed by you"):
        see(page.locator(".timeline").get_by_text(line, exact=True))
    assert page.url == person.site + path


def test_a_failed_task_says_why_and_is_tried_again(person, site):
    person.come_as_guest()
    page = person.visit(put(site, person.name, "failed")["failed"])
    see(page.locator("article .words").get_by_text("The mail server refused the address."))

    page.get_by_role("button", name="Retry").click()

    see(_panel(page, "succeeded"))
    see(page.locator(".timeline").get_by_text("Retried by you"))
    see_gone(page.locator("article .words").get_by_text("refused"))


def test_a_task_that_is_to_be_tried_later_is_tried_now(person, site):
    person.come_as_guest()
    page = person.visit("/tasks")
    put(site, person.name, "retrying", "scheduled")
    page.reload()
    see(page.get_by_text("attempt 2 of 4"))
    see(page.get_by_text("The mail server did not answer in time."))
    page.get_by_role("button", name="Retry now").click()
    page.get_by_role("button", name="Start now").click()
    expect(page.locator('#task-list [data-state="succeeded"]')).to_have_count(2, timeout=SOON)


def test_a_task_starts_at_its_time_and_not_before(person):
    person.come_as_guest()
    page = person.visit("/tasks/new/countdown")
    page.get_by_label("Seconds").fill("60")
    page.get_by_text("Start later").click()
    page.get_by_label("Start at").fill(f"{utcnow() + timedelta(seconds=4):%Y-%m-%dT%H:%M:%S}")
    page.get_by_role("button", name="Start", exact=True).click()
    see(_panel(page, "scheduled"))
    assert "Starts on" in page.inner_text("article .words")
    see(_panel(page, "in_progress"))


def test_a_time_that_has_passed_is_told_where_it_was_typed(person):
    person.come_as_guest()
    page = person.visit("/tasks/new/countdown")
    page.get_by_label("Seconds").fill("42")
    page.get_by_text("Start later").click()
    page.get_by_label("Start at").fill("2026-01-02T03:04:05")
    page.get_by_role("button", name="Start", exact=True).click()
    see(page.get_by_text("Choose a time in the future."))
    field = page.get_by_label("Start at")
    assert field.evaluate("field => document.activeElement == field")
    assert (field.input_value(), page.get_by_label("Seconds").input_value()) == ("2026-01-02T03:04:05", "42")


def test_the_keyboard_alone_pauses_resumes_cancels_retries_and_deletes(person):
    person.come_as_guest()
    person.count_down(60)
    page = person.page
    see(_panel(page, "in_progress"))
    tab_to(page, "Pause")
    for press, state, then in (
        ("Enter", "paused", "Resume"),
        ("Space", "in_progress", "Pause"),
        ("Tab", "in_progress", "Cancel"),
        ("Enter", "canceled", "Canceled"),
    ):
        page.keyboard.press(press)
        see(_panel(page, state))
        assert focused(page).startswith(then), "the focus stays on what replaces the button"
    tab_to(page, "Delete")
    page.keyboard.press("Enter")
    tab_to(page, "Delete for good")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks")
    see(page.locator("#flashes").get_by_text("Deleted “Count down from 60”."))
    see(page.get_by_text("No tasks yet"))


# What starts a task, below the points of a box that had been Cancel's, and below the focus.
STARTING = """box => {
    const starts = '[formaction$="/retry"], [formaction$="/resumption"], .offers a, .offers button';
    const at = (x, y) => document.elementFromPoint(box.x + box.width * x, box.y + box.height * y);
    const points = [0.02, 0.25, 0.5, 0.75, 0.98].flatMap(x => [0.05, 0.5, 0.95].map(y => at(x, y)));
    return [...points, document.activeElement].filter(found => found && found.closest(starts)).map(found => found.id);
}"""


@pytest.mark.parametrize("width", [1280, 360])
def test_a_second_press_on_cancel_starts_nothing_wherever_it_stands(new_person, still_site, width):
    person = new_person(still_site, viewport={"width": width, "height": 900})
    person.come_as_guest()
    path = put(still_site, person.name, "scheduled")["scheduled"]
    page, asked = person.page, []
    page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    for where, card in ((path, "article.task"), ("/tasks", "#task-list .row"), ("/", "#task-alerts > li")):
        person.visit(where)
        cancel = page.locator(f"{card} button[formaction$=cancellation]")
        box = cancel.bounding_box()
        cancel.click()
        see(page.locator(f"{card}[data-state=canceled]"))
        assert page.evaluate(STARTING, box) == [], (where, "as long as it has the focus")
        page.keyboard.press("Enter")
        page.keyboard.press("Space")
        page.evaluate("document.activeElement.blur()")  # as where a press gives a button no focus
        assert page.evaluate(STARTING, box) == [], (where, "without the focus")
        page.mouse.dblclick(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
        assert {url.rpartition("/")[2] for url in asked} <= {"cancellation", "dismissal"}
        if where != "/":
            page.locator(f"{card} .offers").get_by_role("button", name="Start now").focus()
            page.keyboard.press("Enter")
            see(page.locator(f"{card}[data-state=pending]"))
            assert focused(page).startswith("Waiting"), "a second press would pause it"
            asked.clear()


def test_two_presses_of_enter_on_cancel_cancel_and_do_no_more(person):
    person.come_as_guest()
    person.count_down(60)
    page = person.page
    see(_panel(page, "in_progress"))
    page.get_by_role("button", name="Cancel").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    see(page.locator("article:is([data-state=canceling], [data-state=canceled])"))
    page.keyboard.press("Enter")
    see(_panel(page, "canceled"))
    page.keyboard.press("Enter")
    assert focused(page).startswith("Canceled")
    assert page.locator(".timeline [data-kind=pending]").count() == 0


def test_the_focus_stays_in_an_alert_and_in_the_list_while_a_task_is_paused_and_resumed(person):
    person.come_as_guest()
    person.count_down(60)
    for path, press, state, then in (("/", "Pause", "paused", "Resume"), ("/tasks", "Resume", "in_progress", "Pause")):
        page = person.visit(path)
        tab_to(page, press)
        page.keyboard.press("Enter")
        see(page.locator(f'li[data-state="{state}"]'))
        assert focused(page).startswith(then)


def test_a_button_that_came_too_late_is_told_the_truth(person):
    person.come_as_guest()
    person.count_down(7)
    page = person.page
    see(_panel(page, "in_progress"))
    page.route("**/_panel", lambda route: route.abort())  # this tab hears nothing more
    other = person.visit(page.url.removeprefix(person.site), person.new_tab())
    see(_panel(other, "succeeded"))
    page.get_by_role("button", name="Pause").click()
    see(page.locator("#flashes").get_by_text("has already finished"))
    page.unroute("**/_panel")
    see(_panel(page, "succeeded"))


def test_a_task_that_was_deleted_in_another_tab_is_gone(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    path = put(still_site, person.name, "failed")["failed"]
    one, other, third = (person.visit(path, person.new_tab()) for _ in range(3))
    home = person.visit("/")
    for tab in (one, other):
        tab.get_by_text("Delete", exact=True).click()
        tab.get_by_role("button", name="Delete for good").click()
    see(one.locator("#flashes").get_by_text("deleted"))
    see(other.get_by_text("Page not found"))

    third.get_by_role("button", name="Retry").click()

    third.wait_for_url("**/tasks")
    see(third.locator("#flashes").get_by_text("That task no longer exists."))
    see_gone(alert(home, "failed"))


def test_a_page_leaves_a_task_that_is_there_no_more(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    page = person.visit(put(still_site, person.name, "in_progress")["in_progress"])
    put(still_site, person.name, "nothing")
    page.wait_for_url("**/tasks", timeout=SOON)  # by its next poll
    see(page.locator("#flashes").get_by_text("That task no longer exists."))
