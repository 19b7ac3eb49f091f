"""Files in a browser: choosing one, looking at what it would do without losing it, and taking it back."""

from playwright.sync_api import expect

from tests.browser.people import see

POSTS = "body,timestamp\nfrom a file,2026-01-01T00:00:00Z\n,\n"


def _choose(page, posts=POSTS):
    page.get_by_label("File").set_input_files({"name": "posts.csv", "mimeType": "text/csv", "buffer": posts.encode()})


def test_a_file_is_looked_at_imported_and_taken_back(person):
    person.come_as_guest()
    page = person.visit("/tasks/new/import_posts")
    page.get_by_role("button", name="Preview").click()
    see(page.get_by_text("File: Choose a file."))
    _choose(page)
    page.get_by_role("button", name="Preview").click()
    see(page.get_by_role("cell", name="from a file"))
    see(page.get_by_text("1 post ready to import, 1 row has errors."))
    assert page.url.endswith("/tasks/new/import_posts"), "and the file is still chosen"
    _choose(page, POSTS.replace("from a file", "another"))
    see(page.get_by_role("cell", name="another"))
    expect(page.get_by_role("cell", name="from a file")).to_have_count(0)
    _choose(page)
    see(page.get_by_role("cell", name="from a file"))
    page.get_by_role("button", name="Start").click()
    see(page.locator("article[data-state=succeeded]"))
    see(page.get_by_text("1 post imported, 1 row skipped"))
    see(page.get_by_role("link", name="errors.csv").first)
    page.get_by_role("button", name="Undo this import").click()
    see(page.get_by_role("link", name="Undo: Import posts from posts.csv"))
    see(page.locator("#task-alerts [data-state=succeeded]"))
    assert "from a file" not in person.visit("/").inner_text("main")


def test_a_file_is_looked_at_and_imported_without_javascript(plain_person):
    plain_person.come_as_guest()
    page = plain_person.visit("/tasks/new/import_posts")
    _choose(page)
    page.get_by_role("button", name="Preview").click()
    see(page.get_by_role("cell", name="from a file"))
    see(page.get_by_text("Please choose it again."))
    _choose(page)
    page.get_by_role("button", name="Start").click()
    see(page.locator("article[data-state=succeeded]"))
    page.get_by_role("button", name="Undo this import").click()
    see(page.locator("article[data-state=succeeded] .timeline").get_by_text("1 post deleted"))
    assert "from a file" not in plain_person.visit("/").inner_text("main")


def test_a_file_that_holds_no_posts_is_told_at_its_field_and_starts_nothing(person):
    person.come_as_guest()
    page = person.visit("/tasks/new/import_posts")
    page.get_by_label("File").set_input_files(
        {"name": "posts.csv", "mimeType": "text/csv", "buffer": bytes(range(256)) * 9}
    )
    page.get_by_role("button", name="Start").click()
    see(page.locator("#file-error").get_by_text("isn’t a text file. Save it as CSV in UTF-8, then try again."))
    assert page.evaluate("document.activeElement.id") == "file"
