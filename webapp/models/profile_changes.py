"""Changes of a profile that others see where they poll: a new name or picture is in the conversations with them."""

from webapp.models.conversation import Conversation
from webapp.models.user import User

MOST_TOLD = 100  # partners, those of the latest conversations; the pages of others show it once they change anyhow


def count_profile_change(user_id: int) -> None:
    """Let the open pages of somebody, and of those with whom they last wrote, learn that their profile has changed.

    In the transaction that changes it. One query by index, and a write for each of at most MOST_TOLD people.
    """
    User.count_change(user_id)
    theirs = Conversation.select(Conversation.partner).where(Conversation.user == user_id)
    for conversation in theirs.order_by(Conversation.latest_id.desc()).limit(MOST_TOLD):
        User.count_change(conversation.partner_id)
