"""Where the keyboard is when what it was on goes: never nowhere, and never on what starts something again."""

from playwright.sync_api import expect

from tests.browser.people import SOON, alert, focused, see, see_gone
from tests.browser.rows import change, put


def _focused_id(page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.tagName"))


def _is_at(page, locator) -> None:
    expect(locator).to_be_focused(timeout=SOON)


def test_a_task_that_ends_keeps_the_focus_wherever_it_is_shown(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    path = put(still_site, person.name, "in_progress")["in_progress"]
    task = path.rpartition("/")[2]
    tray, row, own = (person.visit(where, person.new_tab()) for where in ("/", "/tasks", path))
    for page, place in ((tray, "pause"), (row, "cancel"), (own, "pause")):
        page.locator(f"#task-{task}-{place}").focus()
    change(still_site, task, "fail")
    for page, place in ((tray, "pause"), (row, "cancel"), (own, "pause")):
        see(page.locator(f'#task-{task}[data-state="failed"]'))
        assert _focused_id(page) == f"task-{task}-{place}"
        assert focused(page).startswith("Failed"), "what says how it stands, and starts nothing"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        expect(page.locator(f"#task-{task}-{place}")).to_be_hidden()
        assert page.evaluate("document.activeElement != document.body")


def test_alerts_are_closed_one_after_the_other_by_the_keyboard(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    put(still_site, person.name, "succeeded", "failed", "in_progress", "canceled")
    page = person.visit("/")
    closes = page.locator("#task-alerts").get_by_role("button", name="Close")
    expect(closes).to_have_count(3)
    closes.nth(1).focus()
    for left in (2, 1):
        page.keyboard.press("Enter")
        expect(closes).to_have_count(left)
        _is_at(page, closes.last)
    page.keyboard.press("Enter")
    expect(closes).to_have_count(0)
    _is_at(page, page.locator("#tray-title"))


def test_a_row_that_goes_leaves_the_focus_to_the_title_of_its_list_and_takes_it_from_nothing_else(
    new_person, still_site
):
    person = new_person(still_site)
    person.come_as_guest()
    made = put(still_site, person.name, "failed", "succeeded", "in_progress")
    failed, succeeded = (made[state].rpartition("/")[2] for state in ("failed", "succeeded"))
    on, beside, nowhere = (person.visit("/tasks", person.new_tab()) for _ in range(3))
    home = person.visit("/")
    on.locator(f"#task-{failed}-check").focus()
    home.locator(f"#task-{failed} .title").focus()
    beside.locator(f"#task-{succeeded} .title").focus()
    change(still_site, failed, "remove")
    for page in (on, beside, nowhere, home):
        see_gone(page.locator(f"#task-{failed}"))
    _is_at(on, on.locator("#task-list-title"))
    _is_at(home, home.locator("#tray-title"))
    _is_at(beside, beside.locator(f"#task-{succeeded} .title"))
    assert _focused_id(nowhere) == "BODY", "whoever was nowhere stays there"


def test_what_is_read_leaves_the_focus_where_it_is(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    for state in ("in_progress", "in_progress"):
        change(still_site, put(still_site, person.name, state)[state].rpartition("/")[2], "succeed")
    page = person.visit("/notifications")
    first = page.locator("#notices li button").first
    first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#notices [data-unread]")).to_have_count(1)
    _is_at(page, first)
    page.locator("#read-all").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#notices [data-unread]")).to_have_count(0)
    _is_at(page, page.locator("#read-all"))
    assert alert(page, "succeeded").count() == 2
