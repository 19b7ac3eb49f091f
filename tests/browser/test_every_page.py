"""Every page in light and dark, on the narrowest phone too, which is a wide window at 400 %: nothing for axe to find,
nothing wider than the screen."""

import io
import json
from collections.abc import Callable
from urllib.request import Request, urlopen

import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.axe import SPILLING, assert_accessible, violations
from tests.browser.people import Person, see
from tests.browser.rows import put
from tests.surfing import Surfer
from webapp.models import State


def _signed_out(person: Person) -> None:
    pass


def _guest(person: Person) -> None:
    person.come_as_guest()


def _busy(person: Person) -> None:
    """Somebody with posts, an address, and a task in each state that does not pass by."""
    person.register(f"busy-{id(person)}", email="busy@example.com")
    person.post("A post with a\nline break and averyveryverylongword" + "g" * 80)
    person.post_page = person.page.locator("article.post a[href^='/posts/']").first.get_attribute("href")
    person.visit("/tasks/new/export_posts").get_by_role("button", name="Start").click()
    see(person.page.locator("article[data-state=succeeded]"))
    for _ in range(2):
        path = person.count_down(600)
        see(person.page.locator("article[data-state=in_progress], article[data-state=succeeded]"))
    person.page.locator("#main").get_by_role("button", name="Cancel").click()
    see(person.page.locator("article[data-state=canceled]"))
    person.task = path
    tokens = person.visit("/settings/tokens")
    tokens.get_by_label("Name").fill("A name with averyveryverylongword" + "g" * 20)
    tokens.get_by_label("See tasks").check()
    tokens.get_by_label("Emails").check()
    tokens.get_by_role("button", name="Make token").click()
    see(tokens.get_by_label("Token", exact=True))
    token = tokens.get_by_label("Token", exact=True).input_value()
    assert violations(tokens) == [], "a token that is shown once"
    person.come_of_age("busy@example.com")
    person.programs_mail = _written_by_program(person.site, token)
    person.send_mail("bea@example.com", "A subject with averyveryverylongword" + "g" * 80)
    see(person.page.locator("article[data-state=succeeded]"))
    person.mail = person.page.locator("main a[href^='/mail/']").get_attribute("href")


def _written_by_program(site: str, token: str) -> str:
    """The page of an email that a program has begun."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    written = json.dumps({"subject": "A subject with averyveryverylongword" + "g" * 80}).encode()
    with urlopen(Request(f"{site}/api/v1/mailings", written, headers)) as answer:
        return f"/mail/{json.load(answer)['id']}"


def _pen_friend(person: Person) -> None:
    """Somebody with a conversation."""
    person.register(f"pen-{id(person) % 10**9}")
    friend = Surfer(person.site)
    friend.submit("/register", username=f"{person.name}-friend", email="", password="correct horse")
    friend.submit(
        f"/messages/{person.name}",
        body="Hello,\nhow are you? averyveryverylongword" + "g" * 80,
    )
    person.visit(f"/messages/{person.name}-friend").get_by_label("Your message").fill("Fine")
    person.page.get_by_role("button", name="Send").click()
    friend.submit(f"/messages/{person.name}", body="Good")
    thread = person.page.locator("#thread")
    person.message = thread.get_by_role("link", name="Edit or delete").get_attribute("href")
    person.report = thread.get_by_role("link", name="Report the message").first.get_attribute("href")


PAGES: dict[str, tuple[Callable[[Person], None], str]] = {
    "welcome": (_signed_out, "/"),
    "register": (_signed_out, "/register"),
    "sign in": (_signed_out, "/login"),
    "a forgotten password": (_signed_out, "/password/forgotten"),
    "a link of no use": (_signed_out, "/password/new"),
    "not found": (_signed_out, "/nowhere"),
    "developers": (_signed_out, "/developers"),
    "all problems": (_signed_out, "/developers/problems"),
    "a problem": (_signed_out, "/developers/problems/invalid"),
    "home, empty": (_guest, "/"),
    "tasks, empty": (_guest, "/tasks"),
    "mail": (_guest, "/mail"),
    "messages, empty": (_guest, "/messages"),
    "notifications, empty": (_guest, "/notifications"),
    "messages": (_pen_friend, "/messages"),
    "messages found": (_pen_friend, "/messages?q=fine"),
    "a conversation": (_pen_friend, "/messages/{name}-friend"),
    "a message of one's own": (_pen_friend, "{message}"),
    "a report": (_pen_friend, "{report}"),
    "notifications": (_busy, "/notifications"),
    "settings of a guest": (_guest, "/settings"),
    "home": (_busy, "/"),
    "a post to be edited": (_busy, "{post}/edit"),
    "profile": (_busy, "{profile}"),
    "tasks": (_busy, "/tasks"),
    "tasks, a wrong filter": (_busy, "/tasks?q=count&state=nonsense&since=2026-11-21&until=2026-01-01"),
    "posts found": (_busy, "/?q=line"),
    "posts not found": (_busy, "{profile}?q=nothing"),
    "task": (_busy, "{task}"),
    "catalogue": (_busy, "/tasks/new"),
    "a task's form": (_busy, "/tasks/new/countdown"),
    "another task's form": (_busy, "/tasks/new/export_posts"),
    "a form with a file": (_busy, "/tasks/new/import_posts"),
    "settings": (_busy, "/settings"),
    "sessions": (_busy, "/settings/sessions"),
    "tokens": (_busy, "/settings/tokens"),
    "tokens of a guest": (_guest, "/settings/tokens"),
    "their data": (_busy, "/settings/data"),
    "security": (_busy, "/settings/security"),
    "a second factor to be set up": (_busy, "/settings/security/second-factor"),
    "re-authentication": (_busy, "/reauthentication"),
    "the email address": (_busy, "/settings/email"),
    "a link that does not work": (_signed_out, "/email/confirmation/x"),
    "a link to unsubscribe that does not work": (_signed_out, "/unsubscribe/x"),
    "the suppressed addresses": (_busy, "/mail/suppressed"),
    "mails": (_busy, "/mail"),
    "a mail that was sent": (_busy, "{mail}"),
    "a mail that a program wrote": (_busy, "{programs_mail}"),
    "mailbox": (_busy, "/mailbox"),
}


def _path(path: str, person: Person) -> str:
    if "{" not in path:
        return path
    parts = {"task": person.task, "mail": person.mail, "message": person.message, "report": person.report}
    parts["programs_mail"] = person.programs_mail
    return path.format(profile=person.profile, name=person.name, post=person.post_page, **parts)


@pytest.mark.parametrize("who", [_signed_out, _guest, _busy, _pen_friend])
def test_axe_finds_nothing_and_nothing_is_wider_than_a_phone(new_person, site, who):
    person = new_person(site, viewport={"width": 320, "height": 740})
    who(person)
    for name, (needs, path) in PAGES.items():
        if needs is not who:
            continue
        page = person.visit(_path(path, person))
        assert_accessible(page, name)
        page.set_viewport_size({"width": 1280, "height": 900})
        assert violations(page, ["light"]) == [], f"{name}, wide"  # whose colors are the same
        page.set_viewport_size({"width": 320, "height": 740})


def test_axe_finds_nothing_at_the_desk_which_fits_a_phone(new_person, still_site):
    person = new_person(still_site, viewport={"width": 320, "height": 740})
    person.register(f"desk-{id(person) % 10**9}")
    person.page.wait_for_url(lambda url: not url.endswith("/register"))
    for name, path in put(still_site, person.name, "desk").items():
        page = person.visit(path)
        assert page.locator("nav[aria-label=Desk] [aria-current]").count() == 1, name
        assert_accessible(page, name)
        page.set_viewport_size({"width": 1280, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280, f"{name} is wider than a window"
        page.set_viewport_size({"width": 320, "height": 740})


# Links of the header that wrap, and pictures in it that were squeezed.
CRAMPED = """() => [
    ...[...document.querySelectorAll('.top nav > a')].filter(e => e.getBoundingClientRect().height > 44),
    ...[...document.querySelectorAll('.top img, .top .avatar')]
        .filter(e => e.checkVisibility() && e.getBoundingClientRect().width < 28),
].map(e => e.outerHTML)"""


def test_the_header_is_one_line_of_whole_words_however_wide_the_window_is(new_person, site):
    person = new_person(site)
    person.register("a-name-of-thirty-letters-12345")
    person.count_down(1)
    see(person.page.locator("article[data-state=succeeded]"))
    person.visit("/")
    for width in (640, 768, 991, 1100):
        person.page.set_viewport_size({"width": width, "height": 740})
        assert person.page.evaluate("document.documentElement.scrollWidth") <= width
        assert person.page.evaluate(CRAMPED) == [], width


def test_on_a_phone_a_menu_has_what_the_line_has_no_room_for(new_person, still_site):
    person = new_person(still_site, viewport={"width": 320, "height": 640}, has_touch=True)
    name = person.come_as_guest()
    page = person.page
    menu = page.get_by_role("button", name="Menu")
    settings = page.get_by_role("link", name="Settings")
    expect(settings).to_be_hidden()
    menu.focus()
    page.keyboard.press("Enter")
    see(page.locator("nav").get_by_role("link", name=name))
    assert_accessible(page, "the menu")
    page.keyboard.press("Escape")
    expect(settings).to_be_hidden()
    expect(menu).to_be_focused()
    menu.tap()
    settings.tap()
    page.wait_for_url("**/settings")
    menu.tap()
    page.get_by_role("button", name="Sign out").tap()
    see(page.get_by_role("heading", name="Sign out?"))


# What is too small to be hit: WCAG 2.2 demands 24 pixels, a finger 40 of what is pressed.
SMALL = """least => [...document.querySelectorAll(
        'button, .button, summary, .check, .artifacts a, .title, .top a, .post header a')]
    .filter(e => least == 24 || !e.matches('.title'))
    .map(e => [e.getBoundingClientRect(), e.textContent.trim()])
    .filter(([box, _]) => box.width && (box.height < least || box.width < least)).map(([_, words]) => words)"""


def _assert_seen_in_forced_colors(page):
    """Where backgrounds are not drawn: how far a task is, what is selected, what has the focus, where one is."""
    page.emulate_media(forced_colors="active")
    bar = page.locator('.row[data-state="in_progress"] progress').first
    colors = Image.open(io.BytesIO(bar.screenshot())).convert("RGB").getcolors(10_000)
    assert len([count for count, _ in colors if count > 100]) >= 2, "what is done is told from what is not"
    for line in (".row:has(> .check :checked)", ".top [aria-current]"):
        assert page.locator(line).first.evaluate("e => getComputedStyle(e).outlineStyle") == "solid", line
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.emulate_media(forced_colors="none")


def _assert_printed_without_what_is_pressed(page):
    page.emulate_media(media="print")
    for gone in (".top", ".tray", ".filter", ".bulk", "#main button", "#main input", ".actions", ".skip"):
        assert not page.locator(gone).filter(visible=True).count(), gone
    assert page.locator(".title").filter(visible=True).count() == page.locator(".title").count()
    page.emulate_media(media="screen")


def test_every_state_of_a_task_is_as_accessible_and_its_buttons_can_be_hit(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    person.post("A post, whose links can be hit as well")
    made = put(still_site, person.name, *State, "family")
    page = person.page
    for name, path in ({"home": "/", "list": "/tasks"} | made).items():
        page.set_viewport_size({"width": 320, "height": 740})
        person.visit(path)
        if name == "list":
            page.locator("#task-list li .check").first.click()  # what can be done with what is checked
        for details in page.locator("main details > summary").all():
            details.click()
        for width, least in ((320, 40), (1280, 24)):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} is wider than {width}"
            assert violations(page) == [], f"{name}, {width}"
            assert page.evaluate(SMALL, least) == [], f"{name}, {width}"
        if name == "list":
            _assert_seen_in_forced_colors(page)
            _assert_printed_without_what_is_pressed(page)


def test_the_reference_of_the_api_is_as_accessible_with_all_of_it_open(new_person, still_site):
    person = new_person(still_site, viewport={"width": 320, "height": 740})
    page = person.visit("/developers")
    nouns = page.locator("main h3 a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert "/developers/tasks" in nouns
    for path in nouns:
        page = person.visit(path)
        page.evaluate("document.querySelectorAll('main details').forEach(each => each.open = true)")
        for width in (1280, 320):
            page.set_viewport_size({"width": width, "height": 740})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{path} is wider than {width}"
            assert page.evaluate(SPILLING) == [], f"{path} has cards that are too narrow for what is in them"
        assert violations(page) == [], path  # pages as long as these are dear, and are the same however wide
    link = person.visit("/developers").get_by_role("link", name="/tasks/{task_id}/cancellation")
    link.click()
    see(page.get_by_role("heading", name="Request").first)  # the link opens what it leads to


def test_forms_with_errors_are_as_accessible(new_person, site):
    person = new_person(site)
    for path, button in (("/register", "Create account"), ("/login", "Sign in")):
        page = person.visit(path)
        page.locator("main").get_by_role("button", name=button).click()
        assert violations(page) == []
        assert page.evaluate("document.activeElement.getAttribute('aria-invalid')") == "true"
