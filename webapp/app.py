"""create_app: wires settings, storage, security, accounts, mail and routes into one Flask app."""

import logging
from datetime import timedelta
from pathlib import Path

from flask import Flask
from werkzeug.utils import import_string

from tasks import engine
from webapp import cli, error_reporting, mail
from webapp.db import resilience
from webapp.lib import logs
from webapp.models.personal_storage import PersonalStorage
from webapp.models.usernames import reserve
from webapp.settings import Settings
from webapp.storage import use_storage
from webapp.web import (
    access_log,
    auth,
    caching,
    form_recovery,
    lean_jinja,
    polling,
    rate_limits,
    request_guard,
    routes,
    security,
    session_cookies,
    templating,
    unchanged,
)
from webapp.web.api import authentication, every_answer
from webapp.web.release import release_name

log = logging.getLogger(__name__)

ROOT = Path(__file__).parent.parent


def create_app(settings: Settings | None = None, patient: bool = False) -> Flask:
    """Build the app from settings, by default from the environment; `patient` where nobody waits for its answers.

    Raises SettingsError for a setting that cannot work. Points this process's database and queue at the settings'
    storage, so one process serves one app; migrates nothing and opens no connection to the database.
    """
    settings = settings or Settings.from_env()
    _configure_process(settings, patient)
    app = Flask(__name__, template_folder=str(ROOT / "templates"))
    app.jinja_environment = lean_jinja.LeanEnvironment
    app.jinja_options = {"cache_size": -1}  # all of them: where the oldest go, threads queue for a lock at each look-up
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SECRET_KEY_FALLBACKS=settings.secret_key_fallbacks,  # Flask's own name, for its sessions
        SECRET_KEYS=settings.secret_keys,
        WTF_CSRF_SECRET_KEY=settings.secret_keys,
        SETTINGS=settings,
        BASE_URL=settings.base_url,
        RELEASE=release_name(settings),
        SEND_FILE_MAX_AGE_DEFAULT=security.YEAR,  # static URLs carry the release
        RATELIMIT_STORAGE_URI=rate_limits.STORAGE_URI,
    )
    error_reporting.init_app(app, settings, patient)
    _add_extensions(app, settings)
    for blueprint in routes.BLUEPRINTS:
        app.register_blueprint(blueprint)
    if settings.mailbox:  # by name, as production loads nothing of `webapp.dev`
        app.register_blueprint(import_string("webapp.dev.mailbox.routes:bp"))
    app.teardown_request(lambda _: resilience.close_if_broken())
    unchanged.init_app(app)

    @app.url_defaults
    def add_release(endpoint: str, values: dict[str, object]) -> None:
        if endpoint == "static":
            values["v"] = app.config["RELEASE"]

    return app


def _configure_process(settings: Settings, patient: bool) -> None:
    """Point what a process has one of at the settings."""
    logs.configure(settings)
    for warning in settings.warnings:
        log.warning("%s", warning)
    use_storage(settings, patient)
    engine.configure(
        secret_key=settings.secret_key,
        secret_key_fallbacks=settings.secret_key_fallbacks,
        lease=timedelta(seconds=settings.task_lease),
        sweep=timedelta(seconds=settings.task_sweep),
        timeout=float(settings.task_timeout),
        keep_tasks=timedelta(days=settings.retention_days),
        keep_artifacts=timedelta(days=settings.artifact_days),
        max_upload=settings.max_upload,
        storage=PersonalStorage(),
    )
    reserve(settings.app_name)


def _add_extensions(app: Flask, settings: Settings) -> None:
    """Add everything that looks at requests and answers, in the order in which it does."""
    access_log.init_app(app)
    request_guard.init_app(app)
    security.init_app(app, settings)
    authentication.init_app(app)
    every_answer.init_app(app)
    session_cookies.init_app(app)
    caching.init_app(app)
    mail.init_app(app, settings)
    cli.init_app(app)
    polling.init_app(app)
    form_recovery.init_app(app)
    auth.csrf.init_app(app)
    rate_limits.limiter.init_app(app)
    auth.init_app(app)
    templating.init_app(app)
