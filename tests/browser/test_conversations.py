"""Two people, two windows: what one writes, the other sees without asking."""

from tests.browser.people import see
from tests.processes import until

BADGE = "#message-badge:not([hidden])"


def test_two_people_write_to_each_other_and_see_it_come(new_person, site):
    cleo, dora = new_person(site), new_person(site)
    cleo.register("cleo-writes")
    dora.register("dora-reads")
    elsewhere = dora.visit("/tasks/new", dora.new_tab())
    cleo.visit("/people/dora-reads").get_by_role("link", name="Write a message").click()
    cleo.page.get_by_label("Your message").fill("Are you coming?")
    cleo.page.get_by_role("button", name="Send").click()

    see(dora.page.locator(BADGE))
    see(elsewhere.locator(BADGE))
    until(lambda: elsewhere.title() == "(1) New task · Errand")

    dora.visit("/messages").get_by_role("link", name="cleo-writes").click()
    see(dora.page.get_by_text("Are you coming?"))
    until(lambda: elsewhere.title() == "New task · Errand")
    assert not elsewhere.locator(BADGE).count(), "reading it here has read it there"

    cleo.page.get_by_label("Your message").fill("I am still typ")
    dora.page.get_by_label("Your message").fill("Yes, with cake")
    dora.page.get_by_role("button", name="Send").click()
    see(cleo.page.locator("#thread").get_by_text("Yes, with cake"))
    assert cleo.page.get_by_label("Your message").input_value() == "I am still typ"
    see(dora.page.locator("#thread").get_by_text("· Read"))


def test_what_happened_is_in_the_notification_centre_and_leads_there(person):
    person.register("eve-is-told")
    task = person.count_down(1)
    see(person.page.locator("article[data-state=succeeded]"))
    person.page.get_by_role("link", name="Notifications").click()
    see(person.page.locator("#notices [data-unread]"))
    person.page.get_by_role("link", name="Count down from 1 finished").click()
    person.page.wait_for_url(f"**{task}")
    see(person.page.locator("#notice-badge[hidden]").locator("xpath=.."))
    assert not person.visit("/notifications").locator("[data-unread]").count()
