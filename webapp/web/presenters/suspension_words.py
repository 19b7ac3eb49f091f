"""What the owner of a suspended account reads, having proved that it is theirs."""

from webapp.models import Suspension, User


def suspended_words(user: User) -> str:
    """That the account is suspended, and why. One query."""
    suspension = Suspension.of(user)
    why = f": {suspension.reason}" if suspension and suspension.reason else ""
    end = "" if why.endswith((".", "!", "?")) else "."
    return f"This account is suspended{why}{end}"
