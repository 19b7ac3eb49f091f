"""What people are told who block somebody."""

from webapp.lib.i18n import number
from webapp.models.block import MOST_BLOCKED

TOO_MANY = f"You can block {number(MOST_BLOCKED)} people. Unblock somebody first."
