"""Writing a mail: the draft is saved while its writer types, and previewed as it would be sent."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.web import htmx
from webapp.web.form_recovery import never_recover
from webapp.web.forms.mail import MailForm
from webapp.web.presenters.mail_preview import preview_of
from webapp.web.routes.mail.blueprint import bp
from webapp.web.routes.mail.draft import Draft
from webapp.web.routes.mail.pages import form_page, recipients_context, saved_page

DRAFT_SAVED = "Draft saved."
CHANGES_KEPT = "Changes kept as a draft. Until you save them, the email goes out as it was."

never_recover("mail.discard")


@bp.post("/draft")
@bp.post("/<int:mailing_id>/draft")
def save(mailing_id: int | None = None) -> ResponseReturnValue:
    """Save what was typed and uploaded."""
    draft, form = Draft.find(mailing_id), MailForm(current_user.time_zone)
    if htmx.is_htmx() and not request.files:
        return _autosave(draft, form)
    draft.keep(form)
    message = CHANGES_KEPT if draft.original else DRAFT_SAVED
    return saved_page(draft, form, f"{message} {form.skipped_rows_message}".strip())


def _autosave(draft: Draft, form: MailForm) -> ResponseReturnValue:
    """Save while somebody types; the answer is only how many people it goes to."""
    is_outdated = draft.is_outdated(form)
    if not is_outdated:
        draft.keep(form)
    saved = not (is_outdated or form.unsaved)
    return render_template("mail/_found.html", saved=saved, unsaved=form.unsaved, **recipients_context(draft, form))


@bp.post("/recipients/correction")
@bp.post("/<int:mailing_id>/recipients/correction")
def remove_invalid_recipients(mailing_id: int | None = None) -> ResponseReturnValue:
    """Save everything but the recipients that are not addresses."""
    draft, form = Draft.find(mailing_id), MailForm(current_user.time_zone)
    form.remove_invalid_recipients()
    draft.keep(form)
    return saved_page(draft, form, focus="recipients", anchor="mail-to")


@bp.post("/preview")
@bp.post("/<int:mailing_id>/preview")
def preview(mailing_id: int | None = None) -> ResponseReturnValue:
    """Save the form and show it with the mail as it would be sent now. Says nothing of what is still missing."""
    draft, form = Draft.find(mailing_id), MailForm(current_user.time_zone)
    form.fill_in_subject(draft.user)
    row = draft.keep(form)
    form.validate_files()
    return form_page(draft, form, preview=preview_of(row, form.parsed_recipients.addresses))


@bp.post("/draft/template")
@bp.post("/<int:mailing_id>/draft/template")
def choose_template(mailing_id: int | None = None) -> ResponseReturnValue:
    """Save the form and show it with the subject of the chosen template."""
    draft, form = Draft.find(mailing_id), MailForm(current_user.time_zone)
    form.fill_in_subject(draft.user)
    draft.keep(form)
    return form_page(draft, form)


@bp.post("/draft/deletion")
@bp.post("/<int:mailing_id>/draft/deletion")
def discard(mailing_id: int | None = None) -> ResponseReturnValue:
    """Delete the draft; a scheduled mail stays as it was. Safe to repeat."""
    draft = Draft.find(mailing_id)
    draft.discard()
    flash("Changes discarded." if draft.original else "Draft deleted.")
    return redirect(url_for("mail.show", **(draft.url_args if draft.original else {})), 303)
