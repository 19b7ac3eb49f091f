"""The API: one file a noun, whose operations are in the table once it is imported. This file lists them.

They are documented in this order.
"""

from importlib import import_module

from flask import Blueprint

from webapp.web.api import errors, feed
from webapp.web.api.call import add_routes
from webapp.web.api_paths import ROOT
from webapp.web.auth import csrf

NAMES = (
    "tasks",
    "tasks_new",
    "task_actions",
    "task_changes",
    "bulk",
    "kinds",
    "artifacts",
    "notifications",
    "posts",
    "messages",
    "mailings",
    "mailing_sending",
    "attachments",
    "user",
    "tokens",
    "openapi",
)

for _name in NAMES:
    import_module(f"{__name__}.{_name}")
bp = Blueprint("api", __name__, url_prefix=ROOT)
errors.register(bp)
bp.before_request(feed.answer_not_modified)
add_routes(bp)
csrf.exempt(bp)  # no cookie counts here
