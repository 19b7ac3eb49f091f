"""An operator comes because something fails: finds out what and why, mends it, and leaves a trace of all that."""

import re
import time

import pyotp

from tests.browser.people import Person, focused, see, tab_to
from tests.browser.rows import change, put
from tests.processes import Site

STEP = 30  # seconds, of a code


def _become_operator(person: Person, site: Site) -> None:
    """With a second factor, and the role that needs it; then sign in with both."""
    person.register("olga")
    page = person.page
    page.wait_for_url(lambda url: not url.endswith("/register"))
    person.visit("/settings/security/second-factor")
    phone = pyotp.TOTP(page.locator(".letters").inner_text().replace(" ", ""))
    begun = int(time.time())
    page.get_by_label("Code from the app").fill(phone.at(begun))
    page.get_by_role("button", name="Turn on").click()
    see(page.get_by_role("heading", name="recovery codes"))
    site.run("flask", "--app", "webapp.wsgi", "people", "role", "olga", "operator")
    person.context.clear_cookies()
    person.visit("/login?next=/desk")
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill("correct horse")
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.get_by_label("Code", exact=True).fill(phone.at(begun + STEP))  # each is good once, and the next already
    page.get_by_role("button", name="Sign in").click()
    see(page.get_by_role("heading", name="Desk", exact=True))


def _press(page, name: str, key: str = "Enter") -> None:
    """As whoever has no pointer does."""
    tab_to(page, name)
    page.keyboard.press(key)


def _type_reason(page, words: str) -> None:
    tab_to(page, "Reason")
    page.keyboard.type(words)


def _retry_what_failed(operator: Person) -> None:
    page = operator.page
    _press(page, "Failures")
    row = page.get_by_role("row", name=re.compile("Countdown"))
    see(row.get_by_text("ConnectionError"))
    _press(page, "The server is down")
    see(page.get_by_text("tasks/countdown.py:20"))
    _press(page, "Retry these tasks…")
    see(page.get_by_label("Reason"))
    _type_reason(page, "The server is back.")
    _press(page, "Retry 2 tasks")
    see(page.locator("article[data-state=succeeded]"))
    see(page.get_by_role("row", name="Done 2"))


def _pause_countdowns(operator: Person) -> None:
    page = operator.visit("/desk")
    _press(page, "Kinds")
    see(page.get_by_role("region", name="Kinds of tasks"))
    _press(page, "Countdown")
    see(page.get_by_role("form", name="Pause"))
    _type_reason(page, "The server gets a new disk.")
    _press(page, "Pause")
    see(page.get_by_text("Countdown is paused until"))
    assert focused(page).startswith("Countdown is paused until"), "it is heard, and Tab goes on from there"
    assert page.evaluate("scrollY") == 0


def _quiet_the_worker(operator: Person) -> None:
    page = operator.page
    _press(page, "Workers")
    page.wait_for_url("**/desk/workers")
    _press(page, "Quiet")
    see(page.get_by_text("and takes no more tasks"))
    assert "takes no more tasks" in focused(page)
    see(page.get_by_role("cell", name="Quiet, and empty"))


def test_an_operator_finds_out_what_fails_mends_it_and_leaves_a_trace(new_person, own_site):
    operator, owner = new_person(own_site), new_person(own_site)
    _become_operator(operator, own_site)
    owner.register("otto")
    owner.page.wait_for_url(lambda url: not url.endswith("/register"))
    failed = put(own_site, "otto", "failures")
    _retry_what_failed(operator)
    for path in failed.values():
        owner.visit(path)
        see(owner.page.get_by_text("Retried by an operator: The server is back."))
    _pause_countdowns(operator)
    owner.count_down(1)
    see(owner.page.get_by_text(re.compile("all “Countdown” tasks are paused until .*The server gets a new disk")))
    _quiet_the_worker(operator)
    audit = operator.visit("/desk/audit").get_by_role("region", name="Audit")
    for words in ("The server is back.", "The server gets a new disk."):
        see(audit.get_by_role("row", name=words).filter(has_text="olga"))
    assert audit.get_by_role("row").filter(has_text="olga").count() >= 3


def test_a_reason_that_is_being_typed_stays_while_the_task_goes_on(new_person, still_site):
    """It stands below the facts, which are asked for every few seconds, and above what can be done by then."""
    operator = new_person(still_site, viewport={"width": 320, "height": 800})
    operator.register("ottilie")
    operator.page.wait_for_url(lambda url: not url.endswith("/register"))
    page = operator.visit(put(still_site, "ottilie", "desk")["a task"])
    reason = page.locator("#reason")
    assert reason.bounding_box()["y"] < 800, "in sight on a phone"
    reason.focus()
    page.keyboard.type("It does not")
    change(still_site, page.url.rpartition("/")[2], "fail")
    see(page.locator("article[data-state=failed]"))
    page.keyboard.type(" end.")
    assert reason.input_value() == "It does not end."
    page.get_by_role("button", name="Retry").click()
    see(page.get_by_text("Retried by an operator: It does not end."))
