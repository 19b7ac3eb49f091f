"""The development mailbox's pages."""

import pytest

from tests.browsing import browse

MAIL = b"""\
From: Errand <errand@localhost>\r
To: ann@example.com\r
Subject: Your <b>posts</b>\r
MIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary=xx\r
\r
--xx\r
Content-Type: multipart/alternative; boundary=yy\r
\r
--yy\r
Content-Type: text/plain; charset=utf-8\r
\r
Hello <Ann>\r
--yy\r
Content-Type: text/html; charset=utf-8\r
\r
<p>Hello</p><script>alert(1)</script>\r
--yy--\r
--xx\r
Content-Type: text/html\r
Content-Disposition: attachment; filename="a.html"\r
\r
<script>alert(2)</script>\r
--xx--\r
"""


@pytest.fixture
def reader(make_app, settings):
    """The browser of whoever develops, at a site that has got one mail."""
    settings.mail_dir.mkdir()
    (settings.mail_dir / "20261121-1.eml").write_bytes(MAIL)
    (settings.data_dir / "secret.eml").write_bytes(MAIL)
    return browse(make_app(mailbox=True))


def test_every_mail_is_listed_and_shown(reader):
    link = reader.get("/mailbox").one('main a[href^="/mailbox/"]')
    assert "Your <b>posts</b>" in link.text
    page = reader.get(link["href"])
    assert "Hello <Ann>" in page.words
    assert "ann@example.com" in page.words
    assert not page.page.select("main b, main script")


def test_the_newest_mail_is_first(reader, settings):
    (settings.mail_dir / "20261121-2.eml").write_bytes(MAIL.replace(b"Your <b>posts</b>", b"The second"))
    links = reader.get("/mailbox").page.select('main a[href^="/mailbox/"]')
    assert ["The second" in link.text for link in links] == [True, False]


def test_an_html_mail_can_run_and_load_nothing(reader):
    answer = reader.get("/mailbox/20261121-1/html")
    assert answer.status_code == 200
    [policy] = answer.headers.getlist("Content-Security-Policy")
    assert policy.startswith("sandbox;")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert reader.get("/mailbox/20261121-1").one("iframe").has_attr("sandbox")


def test_a_picture_that_the_html_names_is_shown_in_it(reader, settings):
    html = b'<img src="cid:logo"><img src="cid:other">'
    inline = b"\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\nContent-Disposition: inline\r\n\r\nPNG\r\n--xx--"
    mail = MAIL.replace(b"<p>Hello</p>", html).replace(b"--xx--", b"--xx" + inline)
    (settings.mail_dir / "20261121-3.eml").write_bytes(mail)
    shown = reader.get("/mailbox/20261121-3/html").page.select("img")
    assert [image["src"].partition(",")[0] for image in shown] == ["data:image/png;base64", "cid:other"]


def test_an_attachment_is_downloaded(reader):
    answer = reader.get("/mailbox/20261121-1/attachments/0")
    assert answer.data.strip() == b"<script>alert(2)</script>"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert reader.get("/mailbox/20261121-1/attachments/1").status_code == 404


@pytest.mark.parametrize("mail_id", ["nothing", "..", "../secret", "..%2fsecret", "%2e%2e%2fsecret", "."])
def test_only_mails_of_the_mailbox_are_read(reader, mail_id):
    for path in (f"/mailbox/{mail_id}", f"/mailbox/{mail_id}/html"):
        assert reader.get(path).status_code == 404


def test_where_mail_is_really_sent_there_is_no_mailbox(make_app):
    visitor = browse(make_app(mailbox=False))
    for path in ("/mailbox", "/mailbox/x", "/mailbox/x/html", "/mailbox/x/attachments/0"):
        assert visitor.get(path).status_code == 404


def test_a_mail_that_is_half_written_is_not_shown(reader, settings):
    (settings.mail_dir / ".draft").write_bytes(MAIL[:40])
    assert len(reader.get("/mailbox").page.select('main a[href^="/mailbox/"]')) == 1
