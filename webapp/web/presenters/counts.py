"""Counts as people read them."""

from webapp.lib.i18n import number
from webapp.models.counting import MOST_COUNTED


def counted(found: int) -> str:
    """A number that was counted no further than MOST_COUNTED: '12', and '1,000+' for whatever is more."""
    return f"{number(MOST_COUNTED)}+" if found > MOST_COUNTED else number(found)
