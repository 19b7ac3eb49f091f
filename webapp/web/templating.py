"""What every template may use: the globals and filters of Jinja2, set up in one place."""

from pathlib import Path

from flask import Flask
from flask_login import current_user
from jinja2 import StrictUndefined

from tasks.engine.models.state import State
from webapp.lib import i18n, times
from webapp.lib.complete import complete
from webapp.lib.language_detection import language_of
from webapp.models.permissions import may, needs_second_factor
from webapp.models.post import POST_LENGTH
from webapp.models.searched_rows import SEARCHED
from webapp.models.site_alert_rules import CHAPTER
from webapp.web import addresses, auth, dom, htmx, idempotency
from webapp.web.presenters import (
    action_words,
    counts,
    excerpts,
    notifications,
    state_words,
    storage,
    task_buttons,
    task_pages,
    task_progress,
    tray,
)
from webapp.web.presenters.desk.paths import sparkline_path


def init_app(app: Flask) -> None:
    """Add the globals and filters to an app. A name that no template knows is an error, not an empty string.

    Raises LookupError where a state has no partial that says how it stands.
    """
    partials = {path.stem for path in Path(str(app.template_folder), "tasks", "status").glob("*.html")}
    complete("templates/tasks/status", [f"_{state}" for state in State], dict.fromkeys(partials))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        url_for=addresses.url_builder(app),
        app_name=app.config["SETTINGS"].app_name,
        current_user=current_user,
        reader=auth.reader,
        page_owner=htmx.PAGE_OWNER_HEADER,
        dom_id=dom.dom_id,
        form_key=idempotency.new_key,
        language_of=language_of,
        ngettext=i18n.ngettext,
        utcnow=times.utcnow,
        POST_LENGTH=POST_LENGTH,
        SEARCHED=SEARCHED,
        ALERTS_CHAPTER=CHAPTER,
        excerpt=excerpts.excerpt,
        pieces=excerpts.pieces,
        address_of=notifications.address_of,
        tray_for=tray.tray_for,
        header_buttons=task_buttons.header_buttons,
        retry_button=task_buttons.retry_button,
        schedule_again_form=task_buttons.schedule_again_form,
        progress_of=task_progress.Progress,
        queue_text=task_progress.queue_text,
        page_of=task_pages.page_of,
        tone_of=state_words.tone_of,
        bulk_actions=action_words.bulk_actions,
        operator_actions=action_words.operator_actions,
        may=may,
        needs_second_factor=needs_second_factor,
        storage_use=storage.storage_use,
    )
    app.jinja_env.filters.update(
        clock=times.clock_words,
        counted=counts.counted,
        day=times.day_words,
        iso=times.iso,
        number=i18n.number,
        size=i18n.size,
        sparkline_path=sparkline_path,
    )
