"""Changes of a profile that others see where they poll: a new name or picture is in the conversations with them."""

from collections.abc import Callable, Iterable

from webapp.models.conversation import Conversation
from webapp.models.user import User

MOST_TOLD = 100  # people of each sort, the latest ones; the pages of others show it once they change anyhow
SEEN_BY: list[Callable[[int, int], Iterable[int]]] = [
    Conversation.latest_partners,
]


def count_profile_change(user_id: int) -> None:
    """Let the open pages of somebody, and of those with whom they last wrote, learn that their profile has changed.

    In the transaction that changes it. One query by index, and a write for each of at most MOST_TOLD people.
    """
    User.count_change(user_id)
    for people in SEEN_BY:
        for other_id in people(user_id, MOST_TOLD):
            User.count_change(other_id)
