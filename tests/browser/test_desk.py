"""An operator comes because something fails: finds out what and why, mends it, and leaves a trace of all that."""

import re
import time

import pyotp

from tests.browser.people import Person, see
from tests.browser.rows import put
from tests.processes import Site

STEP = 30  # seconds, of a code


def _become_operator(person: Person, site: Site) -> None:
    """With a second factor, and the role that needs it; then sign in with both."""
    person.register("olga")
    page = person.page
    page.wait_for_url(lambda url: not url.endswith("/register"))
    person.visit("/settings/security/second-factor")
    phone = pyotp.TOTP(page.locator(".letters").inner_text().replace(" ", ""))
    page.get_by_label("Code from the app").fill(phone.at(int(time.time()) - STEP))  # each is good once
    page.get_by_role("button", name="Turn on").click()
    see(page.get_by_role("heading", name="recovery codes"))
    site.run("flask", "--app", "webapp.wsgi", "people", "role", "olga", "operator")
    person.context.clear_cookies()
    person.visit("/login?next=/desk")
    page.get_by_label("Username").fill("olga")
    page.get_by_label("Password").fill("correct horse")
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.get_by_label("Code", exact=True).fill(phone.now())
    page.get_by_role("button", name="Sign in").click()
    see(page.get_by_role("heading", name="Desk", exact=True))


def _retry_what_failed(operator: Person) -> None:
    page = operator.page
    desk = page.get_by_role("navigation", name="Desk")
    desk.get_by_role("link", name="Failures").click()
    row = page.get_by_role("row", name=re.compile("Countdown"))
    see(row.get_by_text("ConnectionError"))
    row.get_by_role("link", name="The server is down").click()
    see(page.get_by_text("tasks/countdown.py:20"))
    page.get_by_role("link", name="Retry these tasks…").click()
    page.get_by_label("Reason").fill("The server is back.")
    page.get_by_role("button", name="Retry 2 tasks").click()
    see(page.locator("article[data-state=succeeded]"))


def _pause_countdowns(operator: Person) -> None:
    page = operator.visit("/desk/kinds")
    page.get_by_role("region", name="Kinds of tasks").get_by_role("link", name="Countdown").click()
    pausing = page.get_by_role("form", name="Pause")
    pausing.get_by_label("Reason").fill("The server gets a new disk.")
    pausing.get_by_role("button", name="Pause").click()
    see(page.get_by_text("Countdown is paused until"))


def _quiet_the_worker(operator: Person) -> None:
    page = operator.visit("/desk/workers")
    page.get_by_role("button", name="Quiet").click()
    see(page.get_by_text("and takes no more tasks"))
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
