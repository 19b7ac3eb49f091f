"""The list of mails: it follows what is sent while somebody writes the next, and each leads to another like it."""

from playwright.sync_api import expect

from tests.browser.people import SOON, see


def _row(page, words):
    return page.locator("#mailings li").filter(has_text=words)


def test_a_mail_that_is_sent_elsewhere_comes_into_the_list_and_what_is_being_typed_stays(person):
    person.register(f"mail-{id(person) % 10**9}", email="ann@example.com")
    person.come_of_age("ann@example.com")
    writing = person.visit("/mail", person.new_tab())
    see(writing.get_by_text("No emails yet."))
    person.send_mail("bea@example.com, cem@example.com", "First")
    writing.get_by_label("Subject").fill("Second")
    see(_row(writing, "Sent, delivered to 2 of 2 recipients"))
    expect(writing.get_by_label("Subject")).to_have_value("Second")
    expect(writing.get_by_label("Subject")).to_be_focused()
    see(_row(writing, "Draft, no recipients").get_by_text("Second"))


def test_another_is_written_like_an_earlier_one_and_a_draft_is_not_lost_by_that(person):
    person.register(f"copy-{id(person) % 10**9}", email="ann@example.com")
    person.come_of_age("ann@example.com")
    person.send_mail("bea@example.com", "First")
    see(person.page.locator("article[data-state=succeeded]"))
    page = person.visit("/mail")
    page.get_by_label("Subject").fill("My draft")
    see(page.get_by_text("Draft saved"))
    _row(page, "First").get_by_role("link").click()
    page.get_by_role("button", name="Duplicate").click()
    see(page.get_by_text("You already have a draft, “My draft”."))
    page.get_by_role("link", name="Keep my draft").click()
    expect(page.get_by_label("Subject")).to_have_value("My draft", timeout=SOON)
    _row(page, "First").get_by_role("link").click()
    page.get_by_role("button", name="Duplicate").click()
    page.get_by_role("button", name="Replace my draft").click()
    expect(page.get_by_label("Subject")).to_have_value("First", timeout=SOON)
    expect(page.get_by_label("To", exact=True)).to_have_value("bea@example.com")


def test_without_javascript_another_is_written_like_an_earlier_one(plain_person):
    plain_person.register(f"plain-{id(plain_person) % 10**9}", email="ann@example.com")
    plain_person.come_of_age("ann@example.com")
    plain_person.send_mail("bea@example.com", "First")
    page = plain_person.visit("/mail")
    _row(page, "First").get_by_role("link").click()
    page.get_by_role("button", name="Duplicate").click()
    expect(page.get_by_label("Subject")).to_have_value("First")
