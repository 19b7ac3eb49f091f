"""The files that go with a mail."""

import pytest

from tests.browsing import browse
from tests.webapp.web.routes.mail.desk import HTMX, send, upload
from webapp.models import MailingFile


@pytest.mark.parametrize(
    "name", ["posts.json", "Übersicht 👋.csv", "名前.json", "with space.txt", "..", "x" * 300 + ".pdf"]
)
def test_a_file_goes_with_it_under_its_name(ann, mailserver, run_tasks, name):
    data = bytes(range(256)) * 30
    assert send(ann, recipients="bea@example.com", attachment=[upload(name, data), upload("b", b"")]).status_code == 303
    run_tasks()
    [first, second] = mailserver.mails[0].iter_attachments()
    assert first.get_payload(decode=True) == data
    assert first.get_filename() == (name if len(name) < 200 else "x" * 196 + ".pdf")
    assert (second.get_filename(), second.get_payload(decode=True)) == ("b", b"")


def test_a_file_has_no_folder_and_no_odd_type(ann):
    send(ann, attachment=[upload("docs/../a.eml", b"From: x")])
    [file] = MailingFile.select()
    assert (file.name, file.content_type) == ("a.eml", "application/octet-stream")


def test_files_that_are_too_large_together_are_named_and_what_was_typed_is_kept(make_app, ann):
    browser = browse(make_app(max_upload=1000), ann.user)
    answer = send(browser, attachment=[upload("a.bin", b"x" * 600), upload("b.bin", b"x" * 600)])
    assert answer.status_code == 422
    assert "b.bin" in answer.one("#attachment-error").text
    assert "a.bin" in answer.one("#mail-files ul").text
    assert answer.one("#subject")["value"] == "Hello"
    again = send(browser, "/mail/draft", attachment=[upload("b.bin", b"x" * 600)])
    assert (again.status_code, "b.bin" in again.one("#attachment-error").text) == (422, True)


def test_far_too_large_a_request_leads_back_to_the_draft(ann):
    send(ann, "/mail/draft", subject="Kept")
    answer = send(ann, body="x" * 12 * 1024 * 1024)
    assert answer.status_code == 413, "a browser that is still sending does not hear of a redirect"
    assert "10 MB" in answer.one("#attachment-error").text
    assert answer.one("#subject")["value"] == "Kept"
    answer = send(ann, subject="Typed since", body="Now", attachment=[upload("a.bin", b"x" * 12 * 1024 * 1024)])
    assert answer.status_code == 413
    assert answer.one("#subject")["value"] == "Typed since"
    assert answer.one("#body").text.strip() == "Now"
    answer = send(ann, "/mail/draft", headers=HTMX, body="x" * 12 * 1024 * 1024)
    assert (answer.status_code, "HX-Redirect" in answer.headers) == (413, False)
    field = answer.one("hx-partial[hx-target='#mail-files']")
    assert "10 MB" in field.select_one("#attachment-error").text


def test_a_file_is_removed_and_the_rest_is_kept(ann):
    send(ann, "/mail/draft", attachment=[upload("a.txt", b"a"), upload("b.txt", b"b")])
    button = ann.get("/mail").page.select("#mail-files button")[0]
    answer = send(ann, button["formaction"], subject="Typed since")
    assert (answer.status_code, answer.location) == (303, "/mail#mail-files")
    page = ann.get("/mail")
    assert [span.text for span in page.page.select("#mail-files li > bdi")] == ["b.txt"]
    assert page.one("#subject")["value"] == "Typed since"
    answer = send(ann, page.page.select("#mail-files button")[0]["formaction"], headers=HTMX)
    assert answer.one("#attachment").has_attr("autofocus"), "the button that had the focus is gone"
    assert not answer.page.select("#mail-files li")
