"""The name of the site is a setting."""

from tests.browsing import browse
from tests.webapp.web.site import addresses
from webapp.lib.times import utcnow
from webapp.lib.token_text import PREFIX
from webapp.models import User

NAMED = {"app_name": "Pulse & Co", "mail_default_sender": '"Pulse & Co" <pulse@example.com>'}


def test_a_site_of_another_name_says_ours_nowhere(make_app, site, mailserver, run_tasks):
    """Neither on a page nor in a mail nor in what a page is made of."""
    app = make_app(**NAMED)
    ann, nobody = browse(app, User.by_username("ann")), browse(app)
    for address in addresses(app, "GET", site):
        for somebody in (ann, nobody):
            answer = somebody.get(address)
            if answer.mimetype.startswith("text/"):  # tokens begin alike everywhere, for those who scan for them
                assert "errand" not in answer.words.lower().replace(PREFIX, ""), address
    assert ann.get("/tasks").page.title.text == "(1) Tasks · Pulse & Co"
    assert ann.get("/").page.title.text.endswith("Pulse & Co")
    User.update(email="ann@example.com", email_confirmed_at=utcnow()).execute()
    mail = {"recipients": "bob@example.com", "template": "welcome"}
    brought = ann.submit("/mail", **mail, subject="").one("#subject")["value"]
    sent = ann.submit("/mail", **mail, subject=brought)
    exported = ann.submit("/tasks/new/export_posts", format="json")
    assert (sent.status_code, exported.status_code) == (303, 303)
    run_tasks()
    assert [mail["Subject"] for mail in mailserver.mails] == ["Welcome to Pulse & Co", "Your post export is ready"]
    for mail in mailserver.mails:
        bodies = [mail.get_body((kind,)).get_content() for kind in ("plain", "html")]
        assert "errand" not in " ".join(bodies).lower()
        assert mail["From"].startswith("Pulse & Co <")
