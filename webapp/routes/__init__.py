"""One blueprint per noun. This page lists them."""

from webapp.routes import (
    accounts,
    artifacts,
    errors,
    health,
    home,
    live,
    mail,
    mailbox,
    messages,
    notifications,
    people,
    posts,
    settings,
    tasks,
)

_MODULES = (
    home, accounts, settings, people, posts, messages, notifications, tasks, artifacts, mail, live, mailbox, health,
    errors,
)  # fmt: skip
BLUEPRINTS = tuple(module.bp for module in _MODULES)
