"""Accounts: registering, signing in and out, and coming in as a guest."""

from webapp.web.routes.accounts import registration, second_step, sign_in  # noqa: F401 - their routes
from webapp.web.routes.accounts.blueprint import bp

__all__ = ["bp"]
