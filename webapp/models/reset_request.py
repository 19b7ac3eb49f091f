"""Reset requests: somebody has forgotten a password and typed an address. Whose it is, only the worker finds out.

So the request of a browser does the same whether the address is known or not: it puts a row without a user into the
outbox of AccountMail. Nobody can tell by an answer, its time or its queries who has an account.
"""

from hashlib import blake2b
from typing import Any

from peewee import fn

from webapp.db import database, locking
from webapp.models.account_mail import AccountMail
from webapp.models.deletion import Deletion
from webapp.models.password_reset import can_be_reset
from webapp.models.rate_count import RateCount
from webapp.models.user import User

HOUR = 3600.0  # seconds
PER_ADDRESS = 3  # an hour; a further request is answered alike, and does nothing
MOST_WAITING = 1000  # requests; the worker finds the accounts of `Config.tasks_per_hook` with each sweep
MOST_OF_NETWORK = 50  # of them: so no single network fills it, and shuts out everybody else
MOST_ACCOUNTS = 5  # of one address that are mailed: those that were used last
REQUESTED = "reset_requested"
RESET_PASSWORD = "reset_password"  # noqa: S105 - no password

_is_request = AccountMail.user.is_null() & (AccountMail.kind == REQUESTED)


class TooManyRequested(Exception):
    """More requests wait than the worker would answer in two minutes."""


def request_reset(address: str, network: str = "", *, is_theirs: bool = False) -> None:
    """Have the accounts with this confirmed address mailed, if there are any. It looks for none.

    At most PER_ADDRESS in an hour are heard, however the address is spelled; and as many where the browser that asks
    `is_theirs`, as it has signed in to such an account, which no stranger can use up. Raises TooManyRequested while
    MOST_OF_NETWORK from that network wait, or MOST_WAITING of all. Five queries, each by index.
    """
    asker = blake2b(network.encode(), digest_size=16).hexdigest() if network else ""
    _demand_fewer(MOST_WAITING, _is_request)
    if asker:
        _demand_fewer(MOST_OF_NETWORK, _is_request & (AccountMail.network == asker))
    name = f"reset {address.lower()}"
    if RateCount.add(f"{name} by its own" if is_theirs else name, HOUR) <= PER_ADDRESS:
        AccountMail.insert(kind=REQUESTED, address=address, network=asker or None).execute()


def _demand_fewer(most: int, which: Any) -> None:
    if AccountMail.select(AccountMail.id).where(which).limit(most).count() >= most:
        raise TooManyRequested


def answer_requests(at_once: int) -> int:
    """Put the mails of the oldest requests, at most so many, into the outbox; returns how many requests those were.

    An account that has such a mail due gets no second one; of one that is to be deleted, its owner is told how to keep
    it, as no password is set for it until then. Each request takes two queries, by index; what is written is one
    transaction.
    """
    requests = list(AccountMail.select().where(_is_request).order_by(AccountMail.id).limit(at_once))
    if not requests:
        return 0
    found = {request.address: _accounts_of(request.address) for request in requests}
    leaving = {request.address: Deletion.of_address(_spellings(request.address), MOST_ACCOUNTS) for request in requests}
    with database.atomic():
        ours = _take(requests)
        mailed: set[int] = set()
        for address in ours:
            are_more = len(found[address]) > MOST_ACCOUNTS
            for user in found[address][:MOST_ACCOUNTS]:
                if user.id not in mailed:
                    AccountMail.put(RESET_PASSWORD, user.email, user, are_more=are_more)
                    mailed.add(user.id)
            for deletion in leaving[address]:
                deletion.remind()
    return len(ours)


def _take(requests: list[AccountMail]) -> list[str]:
    """Delete these requests; returns the addresses of those that no other sweeper has taken meanwhile."""
    ids = [request.id for request in requests]
    free = locking(AccountMail.select(AccountMail.id).where(AccountMail.id.in_(ids)), skip_locked=True)
    deleted: Any = AccountMail.delete().where(AccountMail.id.in_(free)).returning(AccountMail.id).execute()
    taken = {request.id for request in deleted}
    return [request.address for request in requests if request.id in taken]


def _accounts_of(address: str) -> list[User]:
    """The accounts to be mailed, the last used first; one more than MOST_ACCOUNTS where there are more."""
    due = AccountMail.select(AccountMail.id).where(AccountMail.user == User.id, AccountMail.kind == RESET_PASSWORD)
    theirs = fn.LOWER(User.email).in_(_spellings(address)) & can_be_reset() & ~fn.EXISTS(due)
    return list(User.select().where(theirs).order_by(User.seen_at.desc(), User.id).limit(MOST_ACCOUNTS + 1))


def _spellings(address: str) -> list[str]:
    """An address in small letters. SQLite lowers those of ASCII alone, so it is looked for in both ways."""
    return sorted({address.lower(), "".join(c.lower() if c.isascii() else c for c in address)})
