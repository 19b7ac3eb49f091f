"""The pages that several routes of mail answer with."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from webapp.lib.times import utcnow
from webapp.mail.recipients import MOST_REJECTED
from webapp.mail.senders import refusal_for
from webapp.mail.templates import template_of
from webapp.mail.words import standing_of
from webapp.models import Delivery, Mailing
from webapp.web import htmx, paging
from webapp.web.auth import signed_in_user
from webapp.web.forms.mail import MailForm
from webapp.web.idempotency import new_key
from webapp.web.presenters.mail_preview import Preview
from webapp.web.routes.mail.draft import Draft

MAX_UNDELIVERED_SHOWN = 100  # addresses


def form_page(
    draft: Draft,
    form: MailForm,
    status: int = 200,
    headers: dict[str, str] | None = None,
    *,
    preview: Preview | None = None,
    focus: str = "",
) -> ResponseReturnValue:
    """The form of a draft; with a `preview` of it, and the name of the field that gets the focus, if any."""
    if not form.form_key.data:
        form.form_key.data = new_key()
    page = render_template(
        "mail/show.html",
        form=form,
        files=draft.files,
        original=draft.original,
        preview=preview,
        refusal=refusal_for(draft.user, utcnow()),
        focus=focus,
        saved=False,
        unsaved="",
        **recipients_context(draft, form),
        **({"mailings": None} if draft.original else mailing_list()),
    )
    return page, status, headers or {}


def recipients_context(draft: Draft, form: MailForm) -> dict[str, Any]:
    """What the list of recipients below the field needs."""
    return {
        "found": form.parsed_recipients,
        "most": MOST_REJECTED,
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
        task=mailing.current_task(),
        files=mailing.files(),
        lost=list(Delivery.not_delivered(mailing).limit(MAX_UNDELIVERED_SHOWN)),
        template=template_of(mailing),
        draft=draft,
    )


def mailing_list() -> dict[str, Any]:
    """What the list of this person's mails needs."""
    before = request.args.get("before")
    mailings = paging.page(Mailing.of(signed_in_user()), before)
    counts = Delivery.counts_of(mailings.items)
    standings = {mailing: standing_of(mailing, counts[mailing.id]) for mailing in mailings.items}
    return {"mailings": mailings, "standings": standings, "before": before}
