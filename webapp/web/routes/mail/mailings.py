"""Sending a mail, or changing one that is scheduled; the mails that were sent, and whom they reached."""

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webapp.lib.i18n import ngettext
from webapp.mail.mailings import render_mailing, without_mark
from webapp.mail.rendering import html_for_browser
from webapp.mail.senders import MayNotMail
from webapp.models import DraftGone, Mailing, OverLimit, OverQuota, Task
from webapp.web import htmx, over_quota
from webapp.web.forms.mail import MailForm
from webapp.web.polling import FocusFallback, conditional_fragment
from webapp.web.presenters.mail_limits import over_limit_message
from webapp.web.presenters.task_messages import changed_message, started_message
from webapp.web.routes.mail.blueprint import bp
from webapp.web.routes.mail.draft import Draft, find_sent
from webapp.web.routes.mail.pages import form_page, mailing_list, sent_page
from webapp.web.security import HTML_FRAME_POLICY

GONE = "This draft was sent or replaced in another tab. Check it and send again."
SENT_BEFORE = "This email was already sent. To send it as a new one, press Send again."


@bp.get("")
@bp.get("/<int:mailing_id>")
def show(mailing_id: int | None = None) -> ResponseReturnValue:
    """The form with its draft; for a mail that was sent, what it says and whom it reached."""
    draft = Draft.find(mailing_id)
    if draft.original and not draft.original.current_task().is_scheduled:
        return sent_page(draft.original)
    return form_page(draft.load(), MailForm(current_user.time_zone, draft.shown))


@bp.get("/_list")
def list_fragment() -> ResponseReturnValue:
    """The list of this person's mails, as the page includes it."""
    return conditional_fragment(
        lambda: render_template("mail/_list.html", **mailing_list()), FocusFallback("mailings", "Your emails", level=2)
    )


@bp.post("/<int:mailing_id>/copy")
def copy(mailing_id: int) -> ResponseReturnValue:
    """Begin another mail like this one; with `?at=`, for the same time. Asks before it replaces a draft."""
    mailing = find_sent(mailing_id)
    but = "" if "at" in request.args else "send_at"
    if not mailing.copy(replacing="replace" in request.form, but=but):
        return sent_page(mailing, Draft.find(None).load().row), 409
    return redirect(url_for("mail.show"), 303)


@bp.post("")
@bp.post("/<int:mailing_id>")
def send(mailing_id: int | None = None) -> ResponseReturnValue:
    """Send it, or save the changes to a scheduled one; or show the form again with what is wrong."""
    draft, form = Draft.find(mailing_id), MailForm(current_user.time_zone)
    if not draft.original and (sent := draft.sent_from(form)):
        return _already_sent(draft, form, sent)
    draft.keep(form)
    if not form.validate_on_submit():
        return _invalid(draft, form)
    try:
        return _sent(draft, form, draft.submit(form))
    except MayNotMail as error:
        form.recipients.errors = [str(error)]
        return form_page(draft, form, 422)
    except OverLimit as error:
        form.recipients.errors = [over_limit_message(error)]
        return form_page(draft, form, 422)
    except OverQuota as error:
        form.form_errors = [error.words()]
        return over_quota.page(error, form_page(draft.load(), form))
    except DraftGone:
        return _as_new_form(draft, form, GONE)


@bp.get("/html")
@bp.get("/<int:mailing_id>/html")
def html(mailing_id: int | None = None) -> ResponseReturnValue:
    """The HTML alone, for the frame that shows it: of the draft, or of what was sent."""
    draft = Draft.find(mailing_id)
    is_sent = draft.original and not draft.original.current_task().is_scheduled
    mailing = (draft.original if is_sent else draft.load().shown) or abort(404)
    source = without_mark(mailing.html or render_mailing(mailing, draft.user)[1], "#")
    response = Response(html_for_browser(source), mimetype="text/html")
    response.headers["Content-Security-Policy"] = HTML_FRAME_POLICY
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _sent(draft: Draft, form: MailForm, task: Task) -> ResponseReturnValue:
    words = [changed_message(task) if draft.original else started_message(task), form.skipped_rows_message]
    if (count := form.parsed_recipients.duplicate_count) and not draft.original:
        words.append(ngettext("Skipped %(num)s duplicate.", "Skipped %(num)s duplicates.", count))
    return htmx.respond(url_for("tasks.show", task_id=task.id), " ".join(filter(None, words)))


def _invalid(draft: Draft, form: MailForm) -> ResponseReturnValue:
    """The form with its errors. A subject that was forgotten is filled in, if the template brings one."""
    if not form.subject.data:
        form.fill_in_subject(draft.user)
        if form.subject.data:
            form.subject.errors = ["There was no subject. Send it with this one?"]
    return form_page(draft, form, 422)


def _already_sent(draft: Draft, form: MailForm, sent: Mailing) -> ResponseReturnValue:
    """A second press; or another tab in which the draft went on, which must be neither lost nor sent unasked."""
    if form.has_content_of(sent):
        return redirect(url_for("tasks.show", task_id=sent.task_id), 303)
    return _as_new_form(draft, form, SENT_BEFORE)


def _as_new_form(draft: Draft, form: MailForm, message: str) -> ResponseReturnValue:
    """Keep what was typed in a form and a draft of its own, and ask for another press."""
    form.forget_key()
    draft.keep(form)
    flash(message)
    return form_page(draft, form, 422)
