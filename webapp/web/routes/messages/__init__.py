"""Private messages: the inbox, the conversation with one person, and each message of it."""

from webapp.web.routes.messages import conversations, one  # noqa: F401 - their routes
from webapp.web.routes.messages.blueprint import bp

__all__ = ["bp"]
