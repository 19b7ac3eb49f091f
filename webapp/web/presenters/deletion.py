"""What goes with an account, in words."""

from webapp.lib.i18n import LOCALE
from webapp.models.account_contents import Contents
from webapp.web.presenters.counts import counted

# By the number in Contents, what is said of one and of several.
_AT_ONCE = {
    "sessions": ("browser is signed out", "browsers are signed out"),
    "active": ("task under way is canceled", "tasks under way are canceled"),
    "scheduled": ("scheduled task or email is canceled", "scheduled tasks and emails are canceled"),
}
_LATER = {
    "posts": ("post", "posts"),
    "tasks": ("task that has ended", "tasks that have ended"),
    "files": ("file", "files"),
    "mails": ("email or draft", "emails and drafts"),
    "notifications": ("notification", "notifications"),
}
_STAYING: dict[str, tuple[str, str]] = {
    "messages": ("message", "messages"),
}


def at_once(contents: Contents) -> str:
    """What ends with the press of the button, like '1 browser is signed out, 2 tasks under way are canceled'."""
    return ", ".join(_said(contents, _AT_ONCE))


def later(contents: Contents) -> str:
    """What is deleted for good, like '1,000+ posts, 2 files, and 1 notification'; empty if there is nothing."""
    said = _said(contents, _LATER)
    return " and ".join(said) if len(said) < 3 else f"{', '.join(said[:-1])}, and {said[-1]}"


def staying(contents: Contents) -> str:
    """The messages that stay with those who got them, like '12 messages you wrote, …'; empty if there are none."""
    return "".join(_said(contents, _STAYING))


def _said(contents: Contents, rows: dict[str, tuple[str, str]]) -> list[str]:
    """The number of each with its words; nothing of what there is none of."""
    numbers = [(getattr(contents, name), words) for name, words in rows.items()]
    return [
        f"{counted(each)} {one if LOCALE.plural_form(each) == 'one' else many}" for each, (one, many) in numbers if each
    ]
