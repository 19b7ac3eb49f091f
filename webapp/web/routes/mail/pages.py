"""The pages that several routes of mail answer with."""

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp import letters
from webapp.mail_words import count_words
from webapp.models import Delivery, Mailing, OverLimit
from webapp.models.mailing import Sending
from webapp.recipients import MOST_SLIPS
from webapp.web import htmx, paging
from webapp.web.auth import signed_in_user
from webapp.web.forms.mail import MailForm
from webapp.web.idempotency import new_key
from webapp.web.routes.mail.draft import Draft, task_of

MAX_UNDELIVERED_SHOWN = 100  # addresses


def form_page(
    draft: Draft, form: MailForm, status: int = 200, *, preview: str = "", focus: str = ""
) -> ResponseReturnValue:
    """The form of a draft; with the text of a `preview`, and the name of the field that gets the focus, if any."""
    if not form.form_key.data:
        form.form_key.data = new_key()
    page = render_template(
        "mail/show.html",
        form=form,
        files=draft.files,
        original=draft.original,
        preview=preview,
        focus=focus,
        saved=False,
        **recipients_context(draft, form),
        **({"mailings": None} if draft.original else mailing_list()),
    )
    return page, status


def recipients_context(draft: Draft, form: MailForm) -> dict[str, Any]:
    """What the list of recipients below the field needs."""
    return {
        "found": form.parsed_recipients,
        "most": MOST_SLIPS,
        "is_begun": draft.is_begun,
        "url_args": draft.url_args,
    }


def saved_page(
    draft: Draft, form: MailForm, message: str = "", *, focus: str = "", anchor: str | None = None
) -> ResponseReturnValue:
    """The answer once a form is saved: the form for htmx, or with what is wrong with a file; else a redirect to it."""
    are_files_valid = form.validate_files()
    if htmx.is_htmx():  # which swaps no error
        return form_page(draft, form, focus=focus)
    if not are_files_valid:
        return form_page(draft, form, 422, focus=focus)
    if message:
        flash(message)
    return redirect(url_for("mail.show", **draft.url_args, _anchor=anchor), 303)


def sent_page(mailing: Mailing, draft: Mailing | None = None) -> str:
    """What was sent, and to whom; with a question if that draft is in the way of a copy."""
    return render_template(
        "mail/sent.html",
        mailing=mailing,
        task=task_of(mailing),
        files=mailing.files(),
        lost=list(Delivery.not_delivered(mailing).limit(MAX_UNDELIVERED_SHOWN)),
        template=letters.template_of(mailing),
        draft=draft,
    )


def mailing_list() -> dict[str, Any]:
    """What the list of this person's mails needs."""
    before = request.args.get("before")
    mailings = paging.page(Mailing.of(signed_in_user()), before)
    counts = Delivery.counts_of(mailings.items)
    reach = {mailing: _reach(mailing, counts[mailing.id]) for mailing in mailings.items}
    return {"mailings": mailings, "reach": reach, "before": before}


def _reach(mailing: Mailing, counts: dict[Sending, int]) -> tuple[int | None, int, str]:
    """To how many people it goes (None if unknown), to how many it was delivered, and what became of the others."""
    if mailing.is_draft:
        return mailing.people, 0, ""
    is_over = mailing.task is not None and mailing.task.is_finished
    others = count_words(counts | {Sending.SENT: 0}, is_over) if is_over else ""
    return sum(counts.values()), counts[Sending.SENT], others


def over_limit_message(error: OverLimit) -> str:
    """How many people this person may mail, and how to be allowed more."""
    words = f"You may mail {error.limit:,} people in 24 hours"
    left = max(0, error.limit - error.used)
    words += f", and {left:,} are left; these are {error.wanted:,}." if error.used else f"; these are {error.wanted:,}."
    more = current_app.config["SETTINGS"].mail_daily_limit > error.limit
    return f"{words} With a password and an e-mail address in your settings you may mail more." if more else words
