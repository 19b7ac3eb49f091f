"""What people do, from the first click to the last."""

import json

from tests.browser.people import alert, download, focused, mutations, see, see_gone, tab_to


def test_an_export_is_seen_on_two_pages_downloaded_and_found_in_the_mailbox(person):
    person.register("ann-exports", email="ann-exports@example.com")
    person.confirm("ann-exports@example.com")
    for text in ("first", "second", "third"):
        person.post(text)
    home = person.page
    catalogue = person.visit("/tasks/new", person.new_tab())
    profile = person.visit("/people/ann-exports", person.new_tab())

    profile.get_by_role("button", name="Export my posts").click()

    for page in (profile, catalogue, home):
        see(alert(page, "succeeded"))
    name, text = download(home, alert(home, "succeeded").locator("a[href^='/artifacts/']"))
    assert name == "posts.json"
    assert [post["body"] for post in json.loads(text)["posts"]] == ["first", "second", "third"]
    person.visit("/mailbox").get_by_text("Your post export is ready").first.click()
    attached_name, attached = download(person.page, person.page.locator("#main").get_by_role("link", name="posts.json"))
    assert (attached_name, attached) == (name, text)


def test_a_countdown_moves_on_every_page_and_stops_when_canceled(new_person, site):
    person = new_person(site, reduced_motion="no-preference")
    person.come_as_guest()
    path = person.count_down(60)
    home = person.visit("/", person.new_tab())
    see(alert(home, "in_progress"))
    first = home.locator("#task-alerts progress").get_attribute("value")
    home.wait_for_function(
        "first => document.querySelector('#task-alerts progress').getAttribute('value') != first", arg=first
    )

    alert(home, "in_progress").get_by_role("button", name="Cancel").click()

    see(alert(home, "canceled"))
    panel = person.page.locator("article.task")
    see(panel.get_by_text("Canceled by you; stopping after the current step"))
    see(person.page.locator("article[data-state=canceled]"))
    assert "every" not in panel.get_attribute("hx-trigger"), "a page on which nothing moves asks no more"
    assert person.site + path == person.page.url


def test_an_alert_closed_in_one_tab_is_gone_in_the_other_and_after_a_reload(person):
    person.come_as_guest()
    person.count_down(1)
    one, other = person.visit("/"), person.visit("/tasks/new", person.new_tab())
    for page in (one, other):
        see(alert(page, "succeeded"))

    alert(one, "succeeded").get_by_role("button", name="Close").click()

    for page in (one, other):
        see_gone(alert(page, "succeeded"))
    one.reload()
    see_gone(alert(one, "succeeded"))


def test_typing_in_the_composer_survives_polls_and_buttons(person):
    person.come_as_guest()
    person.count_down(60)
    home = person.visit("/")
    box = home.get_by_label("Write something")
    box.fill("half a thou")
    box.evaluate("box => box.setSelectionRange(4, 6)")
    with home.expect_response(lambda answer: "/live" in answer.url and answer.status == 200):
        pass
    assert box.evaluate("box => [box.value, box.selectionStart, box.selectionEnd]") == ["half a thou", 4, 6]
    assert box.evaluate("box => document.activeElement == box")

    alert(home, "in_progress").get_by_role("button", name="Cancel").click()

    see(alert(home, "canceled"))
    assert box.input_value() == "half a thou"


def test_the_composer_counts_and_refuses_at_the_field_and_keeps_the_text(person):
    person.come_as_guest()
    home = person.visit("/")
    box = home.get_by_label("Write something")
    box.press_sequentially("twelve chars")
    see(home.get_by_text("12 of 500"))
    box.fill("x" * 501)
    home.get_by_role("button", name="Post", exact=True).click()
    see(home.get_by_text("Your post has 501 characters"))
    assert home.get_by_label("Write something").input_value() == "x" * 501
    assert home.get_by_label("Write something").evaluate("box => document.activeElement == box")


def test_a_second_press_says_so_and_starts_nothing(own_site, new_person):
    own_site.stop("worker")
    person = new_person(own_site)
    person.come_as_guest()
    page = person.visit(person.profile)
    page.get_by_role("button", name="Export my posts").click()
    see(alert(page, "pending"))

    page.get_by_role("button", name="Export my posts").click()

    see(page.locator("#flashes").get_by_text("hasn’t finished yet"))
    assert page.locator("#task-alerts [data-state]").count() == 1
    own_site.start_worker()
    see(alert(page, "succeeded"))


def test_idle_polls_change_nothing_on_the_page(person):
    person.come_as_guest()
    person.count_down(1)
    home = person.visit("/")
    see(alert(home, "succeeded"))
    with home.expect_response(lambda answer: "/live" in answer.url):
        pass
    with mutations(home, "body") as changed:
        for _ in range(2):
            with home.expect_response(lambda answer: "/live" in answer.url):
                pass
    assert changed == []


def test_a_guest_keeps_the_account_by_setting_a_password(person):
    name = person.come_as_guest()
    page = person.visit("/settings")
    page.get_by_label("New password").fill("correct horse")
    page.get_by_role("button", name="Set password").click()
    page.get_by_role("button", name="Sign out").click()
    person.visit("/login")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Sign in").click()
    assert person.name == name


def test_the_keyboard_alone_starts_and_cancels_a_task(person):
    person.come_as_guest()
    page = person.visit("/tasks/new/countdown")
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to content"
    page.keyboard.press("Enter")
    tab_to(page, "Seconds")
    page.keyboard.type("60")
    page.keyboard.press("Enter")
    page.wait_for_url("**/tasks/*-*")
    see(page.locator("article[data-state=in_progress]"))
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    tab_to(page, "Cancel")
    page.keyboard.press("Enter")
    see(page.locator("article[data-state=canceled]"))


def test_the_keyboard_reaches_what_a_page_is_for(person):
    page = person.visit("/")
    tab_to(page, "Continue as a guest")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live", state="attached")
    person.visit("/")
    tab_to(page, "Write something")


def test_the_focus_stays_on_a_task_while_its_button_changes(person):
    person.come_as_guest()
    person.count_down(60)
    home = person.visit("/")
    see(alert(home, "in_progress"))
    alert(home, "in_progress").get_by_role("button", name="Cancel").focus()
    home.keyboard.press("Enter")
    see(alert(home, "canceled"))
    assert focused(home).startswith("Canceled"), "where another press does nothing"
