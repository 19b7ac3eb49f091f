"""A mail to many in a browser: written, looked at, scheduled, changed and watched, with JavaScript and without."""

from datetime import timedelta

from tests.browser.axe import assert_accessible
from tests.browser.people import Person, download, reload_until, see, see_gone, tab_to
from tests.browser.rows import put
from webapp.lib.times import utcnow

PHONE = {"width": 360, "height": 740}
FILES = {'ü "q" ; 100%.txt': "first", "日本語.tar.gz": "second"}


def _files(*names: str) -> list[dict[str, object]]:
    return [{"name": name, "mimeType": "text/plain", "buffer": FILES[name].encode()} for name in names]


def _see_focus(page, name: str) -> None:
    page.wait_for_function("name => document.activeElement.id == name", arg=name)


def _schedule_and_change(person: Person, subject: str) -> None:
    """From the written form on: send it tomorrow, then give it another subject, then send it now."""
    page = person.page
    page.get_by_label("Send at").fill(f"{utcnow() + timedelta(days=1):%Y-%m-%dT%H:%M:%S}")
    page.get_by_role("button", name="Send", exact=True).click()
    see(page.locator("article[data-state=scheduled]"))
    page.get_by_role("link", name="Edit email").click()
    page.get_by_label("Subject", exact=True).fill(subject)
    page.get_by_role("button", name="Save changes").click()
    see(page.locator("article[data-state=scheduled]").get_by_text(f"people: {subject}"))
    page.locator("article").get_by_role("button", name="Send now").click()


def _see_it_arrive(person: Person, subject: str, number: int) -> None:
    """Read whom it reached, and find each mail and its files in the mailbox."""
    page = person.page
    see(page.locator(".timeline").get_by_text(f"{number} sent"))
    page.get_by_role("link", name="View email and deliveries").click()
    see(page.get_by_role("heading", name=subject))
    person.visit("/mailbox")
    assert page.locator("#main").get_by_text(subject).count() == number
    page.get_by_text(subject).first.click()
    for name, text in FILES.items():
        assert download(page, page.get_by_role("link", name=name)) == (name.replace('"', "_"), text)


def test_a_mail_to_many_is_written_scheduled_changed_and_watched(new_person, site):
    person = new_person(site, viewport=PHONE)
    person.register("desk-clerk", email="clerk@example.com")
    person.confirm("clerk@example.com")
    person.come_of_age("clerk@example.com")
    page = person.visit("/mail")
    people = "\n".join(f"clerk-{number}@example.com" for number in range(50))
    page.get_by_label("To", exact=True).fill(f"{people}\nnobody\nClerk-7@example.com")
    see(page.locator("#mail-found").get_by_text("50 recipients, 1 duplicate skipped · Draft saved"))
    see(page.locator(".slips .bad").get_by_text("Line 51"))
    page.get_by_label("Template").select_option("All my tasks")
    page.wait_for_function("() => document.getElementById('subject').value == 'desk-clerk’s tasks'")
    page.get_by_label("Subject", exact=True).fill("Soon")
    page.get_by_label("Template").select_option("My own text")
    page.get_by_label("Text", exact=True).fill("Hello,\n\nall.")
    for name in FILES:
        page.get_by_label("Attachments").set_input_files(_files(name))
        see(page.locator("#mail-files li").get_by_text(name))
    tab_to(page, "Preview")
    page.keyboard.press("Enter")
    see(page.frame_locator("iframe.mail").get_by_text("all."))
    _see_focus(page, "preview-title")
    header, title = page.locator(".top").bounding_box(), page.locator("#preview-title").bounding_box()
    assert header["height"] <= title["y"] < page.viewport_size["height"] / 2, "and what it is the title of is in sight"

    page.get_by_role("button", name="Send", exact=True).click()
    see(page.get_by_text("1 address isn’t valid"))
    _see_focus(page, "recipients")
    page.get_by_role("button", name="Remove the invalid address").click()
    see_gone(page.locator(".slips .bad"))
    _see_focus(page, "recipients")
    assert page.get_by_label("Subject", exact=True).input_value() == "Soon"
    _schedule_and_change(person, "The clerk says hello")
    see(page.locator("article[data-state=in_progress] progress[value]"))
    see(page.locator("article[data-state=succeeded]"))
    _see_it_arrive(person, "The clerk says hello", 50)


def test_a_mail_to_many_needs_no_javascript(plain_person):
    person = plain_person
    person.register("plain-clerk", email="plain@example.com")
    person.come_of_age("plain@example.com")
    page = person.visit("/mail")
    page.get_by_label("Add addresses from a file").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": "name;mail\nÄ;plain-0@example.com\n".encode("utf-16")}
    )
    page.get_by_label("To", exact=True).fill("\n".join(f"plain-{number}@example.com" for number in range(1, 50)))
    page.get_by_label("Attachments").set_input_files(_files(*FILES))
    page.get_by_label("Template").select_option("Welcome")
    page.get_by_label("Subject", exact=True).press("Enter")
    see(page.get_by_role("heading", name="Welcome to Errand"))
    see(page.locator("#mail-found").get_by_text("50 recipients"))
    assert page.locator("#mail-files li").count() == 2, "the files stay with the draft"
    page.get_by_label("Subject", exact=True).fill("Soon")
    _schedule_and_change(person, "The plain clerk says hello")
    for state in ("in_progress", "succeeded"):
        reload_until(page, state)
    _see_it_arrive(person, "The plain clerk says hello", 50)


def test_files_come_and_go_and_the_focus_stays_with_them(person):
    person.come_as_guest()
    page = person.visit("/mail")
    page.get_by_label("To", exact=True).fill("bea@example.com")
    for name in FILES:
        page.get_by_label("Attachments").set_input_files(_files(name))
        see(page.locator("#mail-files li").get_by_text(name))
    tab_to(page, "Remove 日本語.tar.gz")
    page.keyboard.press("Enter")
    see_gone(page.locator("#mail-files li").get_by_text("日本語.tar.gz"))
    _see_focus(page, "attachment")
    picture = {"name": "picture.csv", "mimeType": "text/csv", "buffer": bytes(range(256)) * 9}
    page.get_by_label("Add addresses from a file").set_input_files(picture)
    see(page.get_by_text("No addresses found in picture.csv."))
    assert page.get_by_label("To", exact=True).input_value() == "bea@example.com"
    huge = {"name": "huge.bin", "mimeType": "text/plain", "buffer": b"x" * 12 * 1024 * 1024}
    page.get_by_label("Attachments").set_input_files(huge)
    see(page.get_by_text("Nothing was attached."))
    assert not page.get_by_text("That didn’t go through.").is_visible()
    assert page.get_by_label("To", exact=True).input_value() == "bea@example.com"
    see(page.locator("#mail-files li").get_by_text('ü "q" ; 100%.txt'))


def test_a_file_that_is_far_too_large_is_told_without_javascript(plain_person):
    plain_person.come_as_guest()
    page = plain_person.visit("/mail")
    page.get_by_label("Attachments").set_input_files(
        {"name": "huge.bin", "mimeType": "text/plain", "buffer": b"x" * 12 * 1024 * 1024}
    )
    page.get_by_role("button", name="Save draft").click()
    see(page.get_by_text("Files can total 10 MB."))


def test_a_draft_that_was_sent_in_another_tab_is_not_sent_twice_unasked(new_person, still_site):
    person = new_person(still_site)
    person.register("two-tabs")
    person.come_of_age("tabs@example.com")
    tabs = []
    person.visit("/mail").get_by_label("Subject", exact=True).fill("Once")
    person.page.get_by_role("button", name="Save draft").click()
    for _ in range(2):
        tabs.append(person.visit("/mail", person.new_tab()))
        tabs[-1].get_by_label("To", exact=True).fill(f"bea-{len(tabs)}@example.com")
        tabs[-1].get_by_label("Text", exact=True).fill("Hello")
    for tab in tabs:
        tab.get_by_role("button", name="Send", exact=True).click()
    see(tabs[0].locator("article[data-state=pending]"))
    see(tabs[1].get_by_text("This email was already sent."))
    assert tabs[1].get_by_label("To", exact=True).input_value() == "bea-2@example.com"


def test_axe_finds_nothing_at_the_mail_desk(new_person, still_site):
    person = new_person(still_site, viewport=PHONE)
    person.come_as_guest()
    page = person.visit("/mail")
    page.get_by_label("To", exact=True).fill("bea@example.com\nnobody\nBea@example.com\n" + "x" * 90)
    page.get_by_label("Attachments").set_input_files(_files(*FILES))
    see(page.locator("#mail-files li"))
    page.get_by_role("button", name="Preview").last.click()
    see(page.frame_locator("iframe.mail").get_by_text("Errand").first)
    assert_accessible(page, "with a preview")
    page.get_by_label("Subject", exact=True).fill("")
    page.get_by_role("button", name="Send", exact=True).click()
    see(page.locator("#subject-error"))
    assert_accessible(page, "with errors")
    for state in ("scheduled", "in_progress", "succeeded"):
        page = person.visit(put(still_site, person.name, f"mail {state}")[f"mail {state}"])
        assert_accessible(page, f"{state}, its task")
        page.locator("main a[href^='/mail/']").click()
        see(page.get_by_text("the minutes of a meeting"))
        assert_accessible(page, f"{state}, the mail")
