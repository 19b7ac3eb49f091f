"""The development mailbox's pages. Registered only where mail goes to it."""

from flask import Blueprint, Response, abort, current_app, render_template
from flask.typing import ResponseReturnValue

from webapp.dev.mailbox.message import ReceivedMail, attachment_content, attachment_name
from webapp.dev.mailbox.store import find_mail, list_mails
from webapp.web.downloads import download_as
from webapp.web.security import HTML_FRAME_POLICY

bp = Blueprint("mailbox", __name__, url_prefix="/mailbox")


@bp.get("")
def index() -> ResponseReturnValue:
    """Every mail that was sent, newest first."""
    return render_template("mailbox/index.html", mails=list_mails(current_app.config["SETTINGS"].mail_dir))


@bp.get("/<mail_id>")
def show(mail_id: str) -> ResponseReturnValue:
    """One mail: its head, both bodies, its attachments."""
    return render_template("mailbox/show.html", mail=_find(mail_id), attachment_name=attachment_name)


@bp.get("/<mail_id>/html")
def html(mail_id: str) -> ResponseReturnValue:
    """The HTML body alone, for the frame that shows it; it can run nothing and load nothing."""
    response = Response(_find(mail_id).html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = HTML_FRAME_POLICY
    return response


@bp.get("/<mail_id>/attachments/<int:number>")
def attachment(mail_id: str, number: int) -> ResponseReturnValue:
    """One attached file, to download."""
    attachments = _find(mail_id).attachments
    if number >= len(attachments):
        abort(404)
    content, mimetype = attachment_content(attachments[number])
    response = Response(content, mimetype=mimetype)
    download_as(response, attachment_name(attachments[number]))
    return response


def _find(mail_id: str) -> ReceivedMail:
    return find_mail(current_app.config["SETTINGS"].mail_dir, mail_id) or abort(404)
