"""User names: which there can be, which are alike, which nobody may have, and what guests are called."""

import re
import secrets

from webapp.lib.normalization import compatible

USERNAME_LENGTH = (2, 30)
USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_SEPARATORS = str.maketrans("", "", "._-")
# Names that people would take for the site's own, or that stand for something else in addresses; without separators.
RESERVED = frozenset(
    "abuse account accounts admin administrator administrators anonymous api billing bot contact daemon desk errand "
    "everybody everyone help helpdesk hostmaster info legal login logout mail mailerdaemon me moderator moderators "
    "news nobody none noreply notifications null official operator operators owner password people postmaster privacy "
    "register root security settings signin signup staff status superuser support sysadmin system tasks team undefined "
    "unsubscribe webmaster".split()
)
DELETED_PREFIX = "deleted-"  # of what the row of a deleted account is called, which nobody is shown
_reserved_here = set[str]()  # what this site is called
# What a guest is called until they choose; two words and a number are easy to say and seldom taken.
MOODS = (
    "amber bold brave bright calm clever cosy eager early fair gentle glad happy keen kind lively lucky merry "
    "nimble patient proud quick quiet ready sunny swift tidy warm wise witty"
).split()
ANIMALS = (
    "badger bear crane deer dolphin falcon finch fox heron ibis lark lynx magpie marten moose otter owl panda "
    "puffin raven robin seal sparrow stork swallow swan tern turtle wolf wren"
).split()


class UsernameTaken(ValueError):
    """Another account has that user name, or one that looks like it, or nobody may have it; its text says which."""


def username_key(text: str) -> str:
    """What is the same for all ways to type a user name, as ann is for Ann and ａｎｎ; "" for what cannot be one."""
    low, high = USERNAME_LENGTH
    name = text.replace("\0", "").strip()
    # No way to type one is longer; and to make a million characters compatible takes seconds.
    name = compatible(name).strip() if len(name) <= high else ""
    return name.lower() if low <= len(name) <= high and USERNAME.fullmatch(name) else ""


def reserve(name: str) -> None:
    """Let nobody be called what the site is called; the latest call counts. One who has the name keeps it."""
    _reserved_here.clear()
    _reserved_here.add(re.sub(r"[^a-z0-9]", "", compatible(name).casefold()))


def skeleton(key: str) -> str:
    """What a name's key has in common with all that people would take for it: ann. and a-n-n are like ann."""
    return key.translate(_SEPARATORS)


def is_reserved(key: str) -> bool:
    """Whether people would take somebody of that name for the site itself."""
    return skeleton(key) in RESERVED | _reserved_here or key.startswith(DELETED_PREFIX)


def guest_name() -> str:
    """A random name for a guest; seldom one that somebody has."""
    return f"{secrets.choice(MOODS)}-{secrets.choice(ANIMALS)}-{secrets.randbelow(9000) + 1000}"


def deleted_name() -> str:
    """A random name for the row of a deleted account, which nobody is shown and nobody can take."""
    return f"{DELETED_PREFIX}{secrets.token_hex(8)}"
