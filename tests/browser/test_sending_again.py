"""What comes twice: Back and Send again, a double press, a button that stays and is pressed again later."""

from playwright.sync_api import expect

from tests.browser.people import SOON, alert, see


def test_who_goes_back_after_sending_a_message_and_sends_again_is_asked(new_person, still_site):
    other = new_person(still_site)
    name = other.come_as_guest()
    person = new_person(still_site)
    person.come_as_guest()
    page = person.visit(f"/messages/{name}")
    thread, send = page.locator(".thread .message"), page.get_by_role("button", name="Send", exact=True)
    page.get_by_label("Your message").fill("Shall we meet?")
    send.click()
    expect(thread).to_have_count(1, timeout=SOON)
    page.go_back()
    expect(page.get_by_label("Your message")).to_have_value("Shall we meet?")
    send.click()
    see(page.get_by_text("You sent exactly this a moment ago."))
    expect(thread).to_have_count(1)
    send.click()
    expect(thread).to_have_count(2, timeout=SOON)


def test_a_post_that_is_pressed_twice_is_there_once(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    page = person.visit("/")
    page.get_by_label("Write something").fill("Only once")
    page.get_by_role("button", name="Post", exact=True).dblclick()
    expect(page.locator(".post").get_by_text("Only once")).to_have_count(1, timeout=SOON)
    page.reload()
    expect(page.locator(".post").get_by_text("Only once")).to_have_count(1)


def test_a_button_that_stays_starts_another_when_it_is_pressed_again_later(person):
    person.come_as_guest()
    person.post("Something to export")
    page = person.visit(person.profile)
    press = page.get_by_role("button", name="Export my posts")
    press.dblclick()
    expect(alert(page, "succeeded")).to_have_count(1, timeout=SOON)
    press.click()
    expect(alert(page, "succeeded")).to_have_count(2, timeout=SOON)


def test_what_is_no_address_is_left_out_while_somebody_writes(new_person, still_site):
    person = new_person(still_site)
    person.come_as_guest()
    page = person.visit("/mail")
    page.get_by_label("Subject", exact=True).fill("Kept")
    page.get_by_label("To", exact=True).fill("bea@example.com\nnobody\ncem@example.com")
    page.get_by_role("button", name="Remove the invalid address").click()
    expect(page.get_by_label("To", exact=True)).to_have_value("bea@example.com\ncem@example.com", timeout=SOON)
    expect(page.get_by_label("To", exact=True)).to_be_focused()
    expect(page.get_by_label("Subject", exact=True)).to_have_value("Kept")
    see(page.locator("#mail-found").get_by_text("2 recipients"))
