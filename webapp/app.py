"""create_app: wires settings, storage, security, accounts, mail and routes into one Flask app."""

import hashlib
import logging
from pathlib import Path

from flask import Flask
from flask_login import current_user
from jinja2 import StrictUndefined

from tasks.engine import limits
from tasks.queue import huey
from webapp import (
    actions,
    caching,
    cli,
    database,
    dom,
    htmx,
    intake,
    kept,
    live,
    mail_words,
    mailer,
    once,
    polls,
    progress,
    resilience,
    routes,
    security,
    times,
)
from webapp.accounts import csrf, login, refuse_pages_of_others, remember_seen
from webapp.excerpts import excerpt, pieces
from webapp.models.post import POST_LENGTH
from webapp.rate_limits import limiter
from webapp.settings import Settings

log = logging.getLogger(__name__)

ROOT = Path(__file__).parent.parent


def create_app(settings: Settings | None = None, patient: bool = False) -> Flask:
    """Build the app from settings, by default from the environment; `patient` where nobody waits for its answers.

    Raises SettingsError for a setting that cannot work. Points this process's database and queue at the settings'
    storage, so one process serves one app; migrates nothing and opens no connection to the database.
    """
    settings = settings or Settings.from_env()
    logging.basicConfig(level=settings.log_level, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("huey").setLevel(max(logging.WARNING, logging.getLogger().level))
    for warning in settings.warnings:
        log.warning("%s", warning)
    database.configure(settings, patient)
    huey.configure(settings)
    limits.configure(settings)

    app = Flask(__name__, template_folder=str(ROOT / "templates"))
    _configure(app, settings)
    intake.init_app(app)
    security.init_app(app, settings)
    caching.init_app(app)
    mailer.init_app(app, settings)
    cli.init_app(app)
    app.before_request(polls.answer_unchanged)
    app.before_request(kept.bind_token)
    csrf.init_app(app)
    limiter.init_app(app)
    login.init_app(app, add_context_processor=False)  # it would load the user even for a page that needs none
    app.before_request(refuse_pages_of_others)
    app.before_request(remember_seen)
    _set_up_templates(app)
    for blueprint in routes.BLUEPRINTS:
        app.register_blueprint(blueprint)

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
        RELEASE=_release(),
        SEND_FILE_MAX_AGE_DEFAULT=security.YEAR,  # static addresses carry the release
        RATELIMIT_STORAGE_URI="errand://",
    )


def _set_up_templates(app: Flask) -> None:
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        current_user=current_user,
        page_owner=htmx.OWNER,
        dom_id=dom.dom_id,
        live_of=live.live_of,
        progress_of=progress.Progress,
        actions_of=actions.actions_of,
        waiting_words=progress.waiting_words,
        mail_state=mail_words.state_words,
        mail_counts=mail_words.counts_of_task,
        utcnow=times.utcnow,
        form_key=once.new_key,
        pieces=pieces,
        excerpt=excerpt,
        POST_LENGTH=POST_LENGTH,
    )
    app.jinja_env.filters.update(
        iso=times.iso,
        clock=times.clock_words,
        day=times.day_words,
        ago=lambda moment: times.ago_words(moment, times.utcnow(), getattr(current_user, "time_zone", "UTC")),
    )


def _release() -> str:
    """A name for these very templates and static files, the same in every process that has them."""
    digest = hashlib.sha256()
    for folder in (ROOT / "templates", ROOT / "webapp" / "static"):
        for path in sorted(folder.rglob("*.*")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
