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
    people,
    posts,
    settings,
    tasks,
)

BLUEPRINTS = tuple(
    module.bp
    for module in (home, accounts, settings, people, posts, messages, tasks, artifacts, live, mailbox, health, errors)
)
