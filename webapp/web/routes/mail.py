"""Mail to many: writing it, looking at it before it goes, sending it now or later, changing it until then."""

from typing import Any

from flask import Blueprint, Response, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user, login_required
from werkzeug.exceptions import RequestEntityTooLarge

from tasks.send_mail import change, submit
from webapp.db import database
from webapp.lib.i18n import ngettext, number
from webapp.mail.mailings import render_mailing
from webapp.mail.recipients import MOST_REJECTED
from webapp.mail.rendering import html_for_browser
from webapp.mail.templates import template_of
from webapp.mail.words import standing_of
from webapp.models import Delivery, DraftGone, IllegalTransition, Mailing, MailingFile, OverLimit, State, Task, User
from webapp.models.mailing.quota import daily_limit
from webapp.web import htmx
from webapp.web.forms.mail import MailForm
from webapp.web.idempotency import new_key
from webapp.web.paging import page
from webapp.web.polling import Heir, if_changed
from webapp.web.presenters.task_messages import changed_words, started_words
from webapp.web.request_guard import beginning, too_large_words

bp = Blueprint("mail", __name__, url_prefix="/mail")

MOST_SHOWN = 100  # undelivered addresses on a page
# A frame's own policy: nothing runs, nothing is loaded but the logo, which is in the page.
FRAME = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"


@bp.before_request
@login_required
def _signed_in_only() -> None:
    """Every page of this blueprint belongs to somebody."""


@bp.get("")
@bp.get("/<int:mailing_id>")
def show(mailing_id: int | None = None) -> ResponseReturnValue:
    """The form with the draft in it; of a mail that was sent, what it says and whom it reached."""
    original = _original(mailing_id)
    if original and _task(original).state != State.SCHEDULED:
        return _sent(original)
    shown = Mailing.draft_of(_me(), original) or original
    return _page(MailForm(current_user.time_zone, shown), shown, original)


@bp.get("/_list")
def list_fragment() -> ResponseReturnValue:
    """The list of this person's mails alone, as the page includes it."""
    return if_changed(lambda: render_template("mail/_list.html", **_list()), Heir("mailings", "Your emails", level=2))


@bp.post("/<int:mailing_id>/copy")
def copy(mailing_id: int) -> ResponseReturnValue:
    """Begin another mail like this one, for the same time if the address says so.

    Where a draft has something in it, nothing is changed without asking.
    """
    mailing = _original(mailing_id) or abort(404)
    but = "" if "at" in request.args else "send_at"
    if not mailing.copy(replacing="replace" in request.form, but=but):
        return _sent(mailing, Mailing.draft_of(_me())), 409
    return redirect(url_for("mail.show"), 303)


@bp.post("")
@bp.post("/<int:mailing_id>")
def send(mailing_id: int | None = None) -> ResponseReturnValue:
    """Send it, or change what is to be sent; or show the form again with what is wrong, line by line."""
    original = _original(mailing_id)
    form = MailForm(current_user.time_zone)
    if not original and (sent := _sent_from(form)):
        return _sent_already(form, sent)
    draft = _keep(form, original)
    if not form.validate_on_submit():
        _offer_subject(form)
        return _page(form, draft, original, 422)
    found = form.found
    limit = daily_limit(_me(), current_app.config["SETTINGS"].mail_daily_limit)
    try:
        task = change(original, draft, found.addresses, limit) if original else submit(draft, found.addresses, limit)
    except OverLimit as error:
        form.recipients.errors = [_in_words(error)]
        return _page(form, draft, original, 422)
    except DraftGone:
        return _again(form, original, "This draft was sent or replaced in another tab. Check it and send again.")
    words = [changed_words(task) if original else started_words(task), form.left_out_words]
    if found.duplicate_count and not original:
        words.append(ngettext("Skipped %(num)s duplicate.", "Skipped %(num)s duplicates.", found.duplicate_count))
    return htmx.answer(url_for("tasks.show", task_id=task.id), " ".join(filter(None, words)))


@bp.post("/draft")
@bp.post("/<int:mailing_id>/draft")
def save(mailing_id: int | None = None) -> ResponseReturnValue:
    """Keep what was typed and uploaded. While somebody types, the answer is only how many it would go to."""
    original = _original(mailing_id)
    form = MailForm(current_user.time_zone)
    is_typing = htmx.is_htmx() and not request.files
    is_late = is_typing and _is_late(form, original)
    draft = None if is_late else _keep(form, original)
    if is_typing:
        context = {"most": MOST_REJECTED, "at": _at(original), "is_begun": _is_begun(draft, original)}
        return render_template("mail/_found.html", found=form.found, saved=not is_late, **context)
    if not form.check_files() or htmx.is_htmx():
        return _page(form, draft, original, 200 if htmx.is_htmx() else 422)  # htmx swaps no error
    flash(" ".join(filter(None, [_kept_words(original), form.left_out_words])))
    return redirect(url_for("mail.show", mailing_id=mailing_id), 303)


@bp.post("/recipients/correction")
@bp.post("/<int:mailing_id>/recipients/correction")
def leave_out_bad(mailing_id: int | None = None) -> ResponseReturnValue:
    """Take out of the draft's recipients what is no address, and keep whatever else was typed and uploaded."""
    original = _original(mailing_id)
    form = MailForm(current_user.time_zone)
    form.leave_out_bad()
    draft = _keep(form, original)
    if not form.check_files() or htmx.is_htmx():
        return _page(form, draft, original, 200 if htmx.is_htmx() else 422, focus="recipients")
    return redirect(url_for("mail.show", mailing_id=mailing_id, _anchor="mail-to"), 303)


@bp.post("/preview")
@bp.post("/<int:mailing_id>/preview")
def preview(mailing_id: int | None = None) -> ResponseReturnValue:
    """The form again, with the mail as it would be sent now. What is still missing is not complained of."""
    original = _original(mailing_id)
    form = MailForm(current_user.time_zone)
    form.bring_subject(_me())
    draft = _keep(form, original)
    form.check_files()
    text, _ = render_mailing(draft, _me())
    return _page(form, draft, original, preview=text)


@bp.post("/draft/template")
@bp.post("/<int:mailing_id>/draft/template")
def choose(mailing_id: int | None = None) -> ResponseReturnValue:
    """A template was chosen: the form again, with its subject in the place of none or of another template's."""
    original = _original(mailing_id)
    form = MailForm(current_user.time_zone)
    form.bring_subject(_me())
    return _page(form, _keep(form, original), original)


@bp.post("/draft/deletion")
@bp.post("/<int:mailing_id>/draft/deletion")
def discard(mailing_id: int | None = None) -> ResponseReturnValue:
    """Delete the draft; a scheduled mail stays as it was. Twice is once."""
    original = _original(mailing_id)
    if draft := Mailing.draft_of(_me(), original):
        draft.discard()
    flash("Changes discarded." if original else "Draft deleted.")
    return redirect(url_for("mail.show", mailing_id=mailing_id), 303)


@bp.get("/html")
@bp.get("/<int:mailing_id>/html")
def html(mailing_id: int | None = None) -> ResponseReturnValue:
    """The HTML alone, for the frame that shows it: of the draft, or of what was sent."""
    original = _original(mailing_id)
    is_sent = original and _task(original).state != State.SCHEDULED
    mailing = original if is_sent else Mailing.draft_of(_me(), original) or original
    if mailing is None:
        abort(404)
    response = Response(html_for_browser(mailing.html or render_mailing(mailing, _me())[1]), mimetype="text/html")
    response.headers["Content-Security-Policy"] = FRAME
    response.headers["Cache-Control"] = "private, no-store"
    return response


@bp.post("/files/<int:file_id>/deletion")
def remove_file(file_id: int) -> ResponseReturnValue:
    """Take a file out of a draft, and keep whatever else was typed."""
    found = MailingFile.select(MailingFile.id, Mailing).join(Mailing)
    file = found.where(MailingFile.id == file_id, Mailing.user == current_user.id).get_or_none() or abort(404)
    mailing = file.mailing
    original = _original(mailing.original_id if mailing.is_draft else mailing.id)
    form = MailForm(current_user.time_zone)
    form.found  # noqa: B018 - read now, and not in the transaction, in which everybody else would wait for it
    with database.atomic():
        User.hold(current_user.id)  # a second press waits here, and then finds no such file
        User.count_change(current_user.id)
        before = [other.id for other in mailing.files()]
        if file_id not in before or (not mailing.is_draft and Mailing.draft_of(_me(), original)):
            abort(404)  # it is gone, or the changes have been begun elsewhere
        draft = _keep(form, original)
        draft.files()[before.index(file_id)].delete_instance()
    if htmx.is_htmx():
        return _page(form, draft, original, focus="attachment")
    return redirect(url_for("mail.show", mailing_id=draft.original_id, _anchor="mail-files"), 303)


@bp.errorhandler(RequestEntityTooLarge)
def too_large(_: RequestEntityTooLarge) -> ResponseReturnValue:
    """More than this site reads at once: the draft as it was kept before, with the reason.

    No redirect: a browser that is still sending listens to nothing but an error.
    """
    original = _original((request.view_args or {}).get("mailing_id"))
    shown = Mailing.draft_of(_me(), original) or original
    form = MailForm(current_user.time_zone, shown, formdata=beginning().form or None)
    if htmx.is_htmx():  # the page stays, with what is being typed; the files that were too many are chosen no longer
        form.attachment.errors = [f"{too_large_words()} Nothing was attached."]
        files = shown.files() if shown else []
        return render_template("mail/too_large.html", form=form, files=files, at=_at(original), focus=""), 413
    before = " Your draft is as it was before." if shown else ""
    form.attachment.errors = [too_large_words() + before]
    return _page(form, shown, original, 413)


def _me() -> User:
    return current_user._get_current_object()


def _original(mailing_id: int | None) -> Mailing | None:
    """This person's mail of that number; somebody else's does not exist, and a draft is no mail yet."""
    if mailing_id is None:
        return None
    mine = Mailing.id == mailing_id, Mailing.user == current_user.id, Mailing.draft_key.is_null()
    return Mailing.get_or_none(*mine) or abort(404)


def _task(mailing: Mailing) -> Task:
    return Task.get_by_id(mailing.task_id)


def _keep(form: MailForm, original: Mailing | None) -> Mailing:
    if original and (task := _task(original)).state != State.SCHEDULED:
        raise IllegalTransition(task, State.SCHEDULED)
    draft = Mailing.begin_draft(_me(), original)
    form.keep(draft)
    return draft


def _sent_from(form: MailForm) -> Mailing | None:
    return Mailing.sent_from(current_user.id, form.form_key.data or "")


def _is_late(form: MailForm, original: Mailing | None) -> bool:
    """Whether what is being saved was still under way when its form was sent, or its changes were saved.

    Other words than those that were sent are another mail's: somebody went back, and typed on.
    """
    sent = _sent_from(form)
    return sent is not None and (sent.change_key == form.form_key.data if original else form.is_as(sent))


def _offer_subject(form: MailForm) -> None:
    """A subject that was forgotten stands in the field, if the template brings one."""
    if not form.subject.data:
        form.bring_subject(_me())
        if form.subject.data:
            form.subject.errors = ["There was no subject. Send it with this one?"]


def _sent_already(form: MailForm, sent: Mailing) -> ResponseReturnValue:
    """A second press; or another tab in which the draft went on, which must neither be lost nor sent unasked."""
    if form.is_as(sent):
        return redirect(url_for("tasks.show", task_id=sent.task_id), 303)
    return _again(form, None, "This email was already sent. To send it as a new one, press Send again.")


def _again(form: MailForm, original: Mailing | None, words: str) -> ResponseReturnValue:
    """The form anew, in a draft of its own: what was typed is neither lost nor sent unasked."""
    form.begin_anew()
    draft = _keep(form, original)
    flash(words)
    return _page(form, draft, original, 422)


def _page(
    form: MailForm,
    shown: Mailing | None,
    original: Mailing | None,
    status: int = 200,
    preview: str = "",
    focus: str = "",
) -> ResponseReturnValue:
    if not form.form_key.data:
        form.form_key.data = new_key()
    context: dict[str, Any] = {"form": form, "found": form.found, "files": shown.files() if shown else []}
    context |= {"original": original, "preview": preview, "most": MOST_REJECTED, "saved": False, "focus": focus}
    context |= {"at": _at(original), "is_begun": _is_begun(shown, original)}
    context |= {"mailings": None} if original else _list()
    return render_template("mail/show.html", **context), status


def _is_begun(shown: Mailing | None, original: Mailing | None) -> bool:
    """Whether there is something to discard: a draft that says anything, or changes to a scheduled mail."""
    return shown is not None and shown.is_draft and (original is not None or not shown.is_blank)


def _at(original: Mailing | None) -> dict[str, int]:
    """Where the form is, for its addresses."""
    return {"mailing_id": original.id} if original else {}


def _list() -> dict[str, Any]:
    before = request.args.get("before")
    mailings = page(Mailing.of(_me()), before)
    counts = Delivery.counts_of(mailings.items)
    return {
        "mailings": mailings,
        "standings": {mailing: standing_of(mailing, counts[mailing.id]) for mailing in mailings.items},
        "before": before,
    }


def _sent(mailing: Mailing, draft: Mailing | None = None) -> str:
    """What was sent, and whom it reached; with a question if that draft is in the way of a copy."""
    lost = list(Delivery.not_delivered(mailing).limit(MOST_SHOWN))
    return render_template(
        "mail/sent.html",
        mailing=mailing,
        task=_task(mailing),
        files=mailing.files(),
        lost=lost,
        template=template_of(mailing),
        draft=draft,
    )


def _kept_words(original: Mailing | None) -> str:
    """What keeping a form has done: a scheduled mail goes as it was until its changes are saved."""
    return "Changes kept as a draft. Until you save them, the email goes out as it was." if original else "Draft saved."


def _in_words(error: OverLimit) -> str:
    left = f" and have {number(max(0, error.limit - error.used))} left" if error.used else ""
    words = ngettext(
        "You can email %(limit)s people in 24 hours%(left)s; this email has %(num)s recipient.",
        "You can email %(limit)s people in 24 hours%(left)s; this email has %(num)s recipients.",
        error.wanted,
        limit=number(error.limit),
        left=left,
    )
    more = current_app.config["SETTINGS"].mail_daily_limit > error.limit
    return f"{words} To email more, set a password and an email address in Settings." if more else words
