"""Renders the text and the HTML of mails from what is in `templates/email/`, and has the logo that they show."""

import base64
from functools import cache
from pathlib import Path
from typing import Any

from flask import current_app, render_template

from webapp.mail.mime import Attachment

LOGO_FILE = Path(__file__).parent.parent / "static" / "theme" / "logo.png"  # mail programs show no SVG
LOGO = "logo"


def render(template: str, **context: Any) -> tuple[str, str]:
    """The text and the HTML of a mail, from `email/<template>.txt` and `.html`. Needs an app context."""
    context["base_url"] = current_app.config["BASE_URL"]
    return render_template(f"email/{template}.txt", **context), render_template(f"email/{template}.html", **context)


@cache
def logo() -> Attachment:
    """The picture that the HTML of a mail to many names `cid:logo`. Read once."""
    return Attachment(LOGO, "image/png", LOGO_FILE.read_bytes())


def html_for_browser(html: str) -> str:
    """The HTML of a mail with the logo in it, for a page that shows it."""
    data = base64.b64encode(logo().data).decode()
    return html.replace(f"cid:{LOGO}", f"data:image/png;base64,{data}")
