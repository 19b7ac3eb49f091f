"""What becomes of what somebody wrote to everybody, and to others."""

from webapp.models import Conversation, Message, Post
from webapp.models.fates.fate import GONE, Fate, Fates, of
from webapp.models.hidden_posts import hide
from webapp.models.messages_of_nobody import delete_some, has_messages

ROWS: Fates = {
    Post: Fate(GONE, of(Post.user), hide=hide),
    Message: Fate(
        "kept for the other person, as from a deleted account; deleted once both accounts are",
        last=delete_some,
        keeps=has_messages,
    ),
    Conversation: Fate("as its messages, which keep it by triggers"),
}
