"""A person with a browser: does what people do, by what they see."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from playwright.sync_api import BrowserContext, Download, Locator, Page, expect

from tests.processes import Site

# A poll comes every five seconds; two of them, and the time of what they show.
SOON = 15_000


class Person:
    """Somebody with one browser and one or more tabs. Every complaint of the browser's console is kept."""

    def __init__(self, context: BrowserContext, site: Site) -> None:
        self.context = context
        self.site = site.url
        self._database = site.folder / "data" / "errand.db"
        self.complaints: list[str] = []
        self.task = self.mail = self.programs_mail = self.post_page = self.message = self.report = ""
        self.page = self.new_tab()

    @property
    def profile(self) -> str:
        """The path of this person's own profile, by the link in the header."""
        return self.page.locator("nav[aria-label=Main] a[href^='/people/']").get_attribute("href") or ""

    @property
    def name(self) -> str:
        """What this person is called here."""
        return self.profile.rpartition("/")[2]

    def new_tab(self) -> Page:
        """Open another tab, not yet on any page."""
        page = self.context.new_page()
        page.set_default_timeout(SOON)
        page.on("console", lambda message: self._hear(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self._hear(str(error)))
        return page

    def _hear(self, complaint: str) -> None:
        # That an answer failed is what some stories are about; a broken script or a breach of the policy never is.
        if not any(
            words in complaint for words in ("Failed to load resource", "Failed to fetch", "htmx:error: timeout")
        ):
            self.complaints.append(complaint)

    def visit(self, path: str, page: Page | None = None) -> Page:
        """Go to a page of the site."""
        page = page or self.page
        page.goto(self.site + path)
        return page

    def come_as_guest(self) -> str:
        """Continue as a guest; returns the name given."""
        self.visit("/").get_by_role("button", name="Continue as a guest").click()
        return self.name

    def register(self, username: str, email: str = "", password: str = "correct horse") -> None:
        """Make an account."""
        self.visit("/register")
        self.page.get_by_label("Username").fill(username)
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.page.get_by_role("button", name="Create account").click()

    def come_of_age(self, address: str) -> None:
        """Have an account that may mail others: older than a day, with this as its confirmed address."""
        self.page.wait_for_url(lambda url: not url.endswith("/register"))
        known = "created_at = '2020-01-01 00:00:00', email = ?, email_confirmed_at = seen_at"
        with closing(sqlite3.connect(self._database, timeout=30)) as database, database:
            assert database.execute(f"UPDATE users SET {known} WHERE username = ?", (address, self.name)).rowcount == 1

    def confirm(self, address: str) -> None:
        """Confirm an address by the link in the mailbox."""
        mail = self.page.locator("main li", has_text=address).filter(has_text="Confirm your email address")
        self.visit("/mailbox")
        while not mail.count():
            self.page.wait_for_timeout(200)
            self.page.reload()
        mail.first.get_by_role("link").click()
        link = re.search(r"/email/confirmation/\S+", self.page.inner_text("main"))
        assert link
        self.visit(link[0]).get_by_role("button", name="Confirm this address").click()
        see(self.page.get_by_role("heading", name="Your email address is confirmed"))

    def post(self, text: str) -> None:
        """Write a post on the home page."""
        self.visit("/").get_by_label("Write something").fill(text)
        self.page.get_by_role("button", name="Post", exact=True).click()

    def count_down(self, seconds: int, page: Page | None = None) -> str:
        """Start a countdown by its form; returns its task's path."""
        page = self.visit("/tasks/new/countdown", page)
        page.get_by_label("Seconds").fill(str(seconds))
        page.get_by_role("button", name="Start").click()
        page.wait_for_url("**/tasks/*-*")
        return page.url.removeprefix(self.site)

    def send_mail(self, recipients: str, subject: str) -> None:
        """Send a mail to many by its form, at once; the page is then that of its task."""
        page = self.visit("/mail")
        page.get_by_label("To", exact=True).fill(recipients)
        page.get_by_label("Subject").fill(subject)
        page.get_by_label("Text", exact=True).fill("Hello,\n\nall.")
        page.get_by_role("button", name="Send", exact=True).click()
        page.wait_for_url("**/tasks/*-*")


def alert(page: Page, state: str) -> Locator:
    """The alert of a task in that state."""
    return page.locator(f'#task-alerts [data-state="{state}"]')


def focused(page: Page) -> str:
    """The words of what has the focus."""
    return str(page.evaluate("document.activeElement.textContent")).strip()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called that, as people do."""
    for _ in range(40):
        page.keyboard.press("Tab")
        words = page.evaluate(
            "(e => e.ariaLabel ?? (e.labels && e.labels.length ? e.labels[0] : e).textContent)(document.activeElement)"
        )
        if name in words:
            return
    raise AssertionError(f"the keyboard does not reach {name}")


def see(locator: Locator) -> None:
    """Wait until it is there to be seen."""
    expect(locator.first).to_be_visible(timeout=SOON)


def see_gone(locator: Locator) -> None:
    """Wait until nothing of it is there."""
    expect(locator).to_have_count(0, timeout=SOON)


def reload_until(page: Page, state: str) -> None:
    """Ask again without waiting for a task's page to do so by itself, which takes five seconds each time."""
    while not page.locator(f"article[data-state={state}]").count():
        page.wait_for_timeout(200)
        page.reload()


def download(page: Page, link: Locator) -> tuple[str, str]:
    """Click a link that downloads; returns the file's name and its text."""
    with page.expect_download() as started:
        link.click()
    file: Download = started.value
    return file.suggested_filename, file.path().read_text()


@contextmanager
def mutations(page: Page, selector: str) -> Iterator[list[Any]]:
    """What changes below an element while the block lasts: nodes and texts that are shown, not classes."""
    found: list[Any] = []
    page.evaluate(
        """selector => {
            window.seen = [];
            const isShown = node => !(node.closest ? node : node.parentElement)?.closest('[hidden]');
            const keep = r => isShown(r.target) && window.seen.push(r.type + ' ' + r.target.nodeName);
            new MutationObserver(records => records.forEach(keep))
                .observe(document.querySelector(selector), {subtree: true, childList: true, characterData: true});
        }""",
        selector,
    )
    yield found
    found.extend(page.evaluate("window.seen"))
