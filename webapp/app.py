"""create_app: wires settings, storage, security, accounts, mail and routes into one Flask app."""

import hashlib
import logging
from functools import cache
from pathlib import Path

from flask import Flask
from flask_login import current_user
from jinja2 import StrictUndefined
from werkzeug.utils import import_string

from tasks.engine import config
from tasks.queue import huey
from webapp import cli, db, mail
from webapp.db import resilience
from webapp.lib import i18n, logs, times
from webapp.lib.language_detection import language_of
from webapp.mail import words as mail_words
from webapp.models.post import POST_LENGTH
from webapp.models.usernames import reserve
from webapp.settings import Settings
from webapp.web import (
    access_log,
    caching,
    dom,
    form_recovery,
    htmx,
    idempotency,
    polling,
    request_guard,
    routes,
    security,
)
from webapp.web.auth import csrf, login, refuse_pages_of_others, remember_seen
from webapp.web.presenters import task_buttons, task_progress, tray
from webapp.web.presenters.excerpts import excerpt, pieces
from webapp.web.rate_limits import limiter

log = logging.getLogger(__name__)

ROOT = Path(__file__).parent.parent


def create_app(settings: Settings | None = None, patient: bool = False) -> Flask:
    """Build the app from settings, by default from the environment; `patient` where nobody waits for its answers.

    Raises SettingsError for a setting that cannot work. Points this process's database and queue at the settings'
    storage, so one process serves one app; migrates nothing and opens no connection to the database.
    """
    settings = settings or Settings.from_env()
    logs.configure(settings)
    for warning in settings.warnings:
        log.warning("%s", warning)
    db.configure(settings, patient)
    huey.configure(settings)
    config.configure(settings)
    reserve(settings.app_name)

    app = Flask(__name__, template_folder=str(ROOT / "templates"))
    _configure(app, settings)
    access_log.init_app(app)
    request_guard.init_app(app)
    security.init_app(app, settings)
    caching.init_app(app)
    mail.init_app(app, settings)
    cli.init_app(app)
    app.before_request(polling.answer_unchanged)
    app.before_request(form_recovery.bind_token)
    csrf.init_app(app)
    limiter.init_app(app)
    login.init_app(app, add_context_processor=False)  # it would load the user even for a page that needs none
    app.before_request(refuse_pages_of_others)
    app.before_request(remember_seen)
    _set_up_templates(app)
    for blueprint in routes.BLUEPRINTS:
        app.register_blueprint(blueprint)
    if settings.mailbox:  # by name, as production loads nothing of `webapp.dev`
        app.register_blueprint(import_string("webapp.dev.mailbox_routes:bp"))

    @app.teardown_request
    def close_if_broken(_: BaseException | None) -> None:
        resilience.close_if_broken()

    @app.url_defaults
    def add_release(endpoint: str, values: dict[str, object]) -> None:
        if endpoint == "static":
            values["v"] = app.config["RELEASE"]

    return app


def _configure(app: Flask, settings: Settings) -> None:
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SETTINGS=settings,
        BASE_URL=settings.base_url,
        RELEASE=_release(settings),
        SEND_FILE_MAX_AGE_DEFAULT=security.YEAR,  # static addresses carry the release
        RATELIMIT_STORAGE_URI="errand://",
    )


def _set_up_templates(app: Flask) -> None:
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        app_name=app.config["SETTINGS"].app_name,
        current_user=current_user,
        page_owner=htmx.OWNER,
        ngettext=i18n.ngettext,
        dom_id=dom.dom_id,
        live_of=tray.live_of,
        progress_of=task_progress.Progress,
        head_of=task_buttons.head_of,
        retry_of=task_buttons.retry_of,
        form_to_schedule_again=task_buttons.form_to_schedule_again,
        language_of=language_of,
        waiting_words=task_progress.waiting_words,
        mail_state=mail_words.state_words,
        mail_counts=mail_words.counts_of_task,
        utcnow=times.utcnow,
        form_key=idempotency.new_key,
        pieces=pieces,
        excerpt=excerpt,
        POST_LENGTH=POST_LENGTH,
    )
    app.jinja_env.filters.update(
        iso=times.iso,
        number=i18n.number,
        clock=times.clock_words,
        day=times.day_words,
        size=i18n.size,
    )


def _release(settings: Settings) -> str:
    """A name for all that pages are made of, the same in every process that has it: words stand in Python, too."""
    return hashlib.sha256(settings.app_name.encode() + _sources()).hexdigest()[:12]


@cache
def _sources() -> bytes:
    """The digest of all source files. A process runs what it has read, so it asks once."""
    digest = hashlib.sha256()
    for folder in ("templates", "webapp", "tasks"):
        for path in sorted((ROOT / folder).rglob("*.*")):
            if "__pycache__" not in path.parts:  # where files come and go while other processes start
                digest.update(path.read_bytes())
    return digest.digest()
