"""The files that go with a mail."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from werkzeug.exceptions import RequestEntityTooLarge

from webapp.web import htmx
from webapp.web.forms.mail import MailForm
from webapp.web.request_guard import partial_form, too_large_message
from webapp.web.routes.mail.blueprint import bp
from webapp.web.routes.mail.draft import Draft
from webapp.web.routes.mail.pages import form_page, saved_page


@bp.post("/files/<int:file_id>/deletion")
def remove_file(file_id: int) -> ResponseReturnValue:
    """Remove a file from a draft, and save whatever else was typed."""
    draft, form = Draft.of_file(file_id), MailForm(current_user.time_zone)
    draft.remove_file(file_id, form)
    return saved_page(draft, form, focus="attachment", anchor="mail-files")


@bp.errorhandler(RequestEntityTooLarge)
def too_large(_: RequestEntityTooLarge) -> ResponseReturnValue:
    """The draft as it was kept before, with the reason.

    No redirect: a browser that is still sending listens to nothing but an error.
    """
    where = request.view_args or {}
    draft = (Draft.of_file(where["file_id"]) if "file_id" in where else Draft.find(where.get("mailing_id"))).load()
    form = MailForm(current_user.time_zone, draft.shown, formdata=partial_form().form or None)
    if htmx.is_htmx():  # the page stays, with what is being typed; the files that were too many are chosen no longer
        form.attachment.errors = [f"{too_large_message()} Nothing was attached."]
        return render_template(
            "mail/too_large.html", form=form, files=draft.files, url_args=draft.url_args, focus=""
        ), 413
    before = " Your draft is as it was before." if draft.shown else ""
    form.attachment.errors = [too_large_message() + before]
    return form_page(draft, form, 413)
