"""One blueprint per noun. This page lists them."""

from webapp.routes import (
    accounts,
    artifacts,
    errors,
    health,
    home,
    live,
    mailbox,
    messages,
    notifications,
    people,
    posts,
    settings,
    tasks,
)

_MODULES = (
    home, accounts, settings, people, posts, messages, notifications, tasks, artifacts, live, mailbox, health, errors,
)  # fmt: skip
BLUEPRINTS = tuple(module.bp for module in _MODULES)
