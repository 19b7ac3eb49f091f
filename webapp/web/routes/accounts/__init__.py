"""Accounts: registering, signing in and out, forgotten passwords, and coming in as a guest."""

from webapp.web.routes.accounts import (  # noqa: F401 - their routes
    forgotten_password,
    registration,
    returning,
    second_step,
    sign_in,
)
from webapp.web.routes.accounts.blueprint import bp

__all__ = ["bp"]
