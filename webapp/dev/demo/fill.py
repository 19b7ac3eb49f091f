"""Filling a database with the small world, and saying how to come in."""

import sys
from dataclasses import replace

import pyotp

from webapp.app import create_app
from webapp.db import without_deadlines
from webapp.dev import __main__ as dev
from webapp.dev.demo import people, town, world
from webapp.dev.demo.code import code_words
from webapp.dev.demo.fake_smtp import FakeSmtp
from webapp.dev.factories import PASSWORD
from webapp.lib.i18n import ngettext
from webapp.lib.quota_variables import UNLIMITED
from webapp.models import Task
from webapp.settings import Settings, SettingsError

DONE = """
  {people} people live here now, with posts, messages, mails and tasks in every state.
  Sign in as {main}, with the password "{password}". So can everybody but the guests, as {others}.
  The desk is for {roles}: the same password, and a code.
  {code}. make demo-code says the next one; or open, in an authenticator app,
  {link}
  {left} tasks were left halfway, as if their workers had died: make run warns of each once, and sees to them.
  Call make run, unless it runs already, and open http://127.0.0.1:{port}; sign in there, then open /desk
"""
OCCUPIED = "errand: {number} here already, so nothing was changed. A demonstration needs an empty place: {place}"
OWN_FOLDER = "DATA_DIR=instance/demo make demo, and then DATA_DIR=instance/demo make run"
OWN_DATABASE = "name another DATABASE_URL"


def fill() -> None:
    """Prepare everything as `make run` does, and fill it. Exits with one line, having changed nothing, if people are
    here. Raises what `or_one_line` tells.
    """
    settings = Settings.from_env(dev.environment())
    if not settings.mailbox:
        raise SettingsError(
            f"mail of a demonstration must not leave this machine, as by {settings.mail_server}: unset MAIL_SERVER"
            if settings.mail_server
            else "a demonstration needs the development mailbox: unset BASE_URL and DEV_MAILBOX"
        )
    dev.make_ready(settings)
    smtp = FakeSmtp(dev.free_port())
    try:
        left = _fill(settings, smtp)
    except world.NotEmpty as error:
        persons = ngettext("%(num)s person is", "%(num)s people are", error.number)
        place = OWN_FOLDER if settings.database_url.startswith("sqlite") else OWN_DATABASE
        sys.exit(OCCUPIED.format(number=persons, place=place))
    smtp.deliver(settings.mail_dir)
    number = len(people.PEOPLE) + len(town.TOWN) + len(people.GUESTS) + 1
    others = ", ".join([*list(people.PEOPLE)[1:], people.NEWCOMER])
    facts = {"people": number, "main": people.MAIN, "password": PASSWORD, "others": others}
    facts |= {"left": left, "roles": _roles(), "code": code_words(), "link": _link(settings)}
    print(DONE.format(port=settings.port, **facts))


def _roles() -> str:
    *others, last = (f"{name} ({role})" for name, role in people.ROLES.items())
    return f"{', '.join(others)} and {last}"


def _link(settings: Settings) -> str:
    """What an authenticator app opens, for whoever has the first role."""
    [name, *_] = people.ROLES
    return pyotp.TOTP(people.TOTP_SECRET).provisioning_uri(name=name, issuer_name=settings.app_name)


def _fill(settings: Settings, smtp: FakeSmtp) -> int:
    """Fill the world; returns how many of its tasks are held by workers that do not exist."""
    mailing = replace(settings, mail_server="127.0.0.1", mail_port=smtp.port, mail_username=None, quotas=UNLIMITED)
    app = create_app(replace(mailing, mail_use_tls=False, mail_use_ssl=False, log_level="WARNING"), patient=True)
    # All of it is one transaction, for which nobody waits.
    with smtp.serving(), app.app_context(), without_deadlines():
        world.fill(smtp)
        return Task.select().where(Task.lease_until.is_null(False)).count()
