"""One blueprint per noun. This page lists them."""

from webapp.routes import accounts, artifacts, errors, health, home, live, mail, mailbox, people, posts, settings, tasks

BLUEPRINTS = tuple(
    module.bp
    for module in (home, accounts, settings, people, posts, tasks, artifacts, mail, live, mailbox, health, errors)
)
