"""Quotas: how much one person may have or do, and how much all people together. The one table is `QUOTAS`.

Each is a variable of the environment, and one more for guests, where 0 is unlimited. What counts, and the words in
which somebody is refused, are in `webapp/models/quotas.py` and `quota_words.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from webapp.lib.complete import complete
from webapp.lib.environment import Reader

MINUTE, DAY = 60, 24 * 3600  # seconds
GUEST = "GUEST_"  # before the name of the variable for guests
LARGEST = 1_000_000_000


class Quota(StrEnum):
    """What there is a quota for."""

    ACTIVE_TASKS = "active_tasks"
    LAUNCHES = "launches"
    STORAGE = "storage"
    IMPORT_ROWS = "import_rows"
    EXPORTS = "exports"
    POSTS = "posts"
    MESSAGES = "messages"
    PEOPLE_MESSAGED = "people_messaged"
    REPORTS = "reports"
    TOKENS = "tokens"
    API_READS = "api_reads"
    API_WRITES = "api_writes"
    API_LAUNCHES = "api_launches"
    API_WITHOUT_TOKEN = "api_without_token"  # noqa: S105 - no password
    NETWORK_ACCOUNTS = "network_accounts"
    SITE_ACCOUNTS = "site_accounts"
    SITE_MAILS = "site_mails"


@dataclass(frozen=True, slots=True)
class Row:
    """A quota: the variable that sets it, its default, that of guests, and the window that it counts in.

    `guests` is None where several people share one, or guests have none. `seconds` is None for what they have, in place
    of what they do. A variable may be in a `unit` of so many.
    """

    variable: str
    most: int
    guests: int | None = None
    seconds: int | None = None
    unit: int = 1


QUOTAS: Mapping[Quota, Row] = complete(
    "QUOTAS",
    Quota,
    {
        Quota.ACTIVE_TASKS: Row("QUOTA_ACTIVE_TASKS", 100, 10),
        Quota.LAUNCHES: Row("QUOTA_LAUNCHES_PER_MINUTE", 60, 20, MINUTE),
        Quota.STORAGE: Row("QUOTA_STORAGE_MB", 500, 20, unit=1_000_000),
        Quota.IMPORT_ROWS: Row("QUOTA_IMPORT_ROWS", 50_000, 5_000),
        Quota.EXPORTS: Row("QUOTA_EXPORTS_PER_DAY", 5, 2, DAY),
        Quota.POSTS: Row("QUOTA_POSTS_PER_MINUTE", 20, 5, MINUTE),
        Quota.MESSAGES: Row("QUOTA_MESSAGES_PER_MINUTE", 60, 10, MINUTE),
        Quota.PEOPLE_MESSAGED: Row("QUOTA_PEOPLE_MESSAGED_PER_DAY", 100, 10, DAY),
        Quota.REPORTS: Row("QUOTA_REPORTS_PER_DAY", 20, 5, DAY),
        Quota.TOKENS: Row("QUOTA_TOKENS", 25),
        Quota.API_READS: Row("QUOTA_API_READS_PER_MINUTE", 600, None, MINUTE),
        Quota.API_WRITES: Row("QUOTA_API_WRITES_PER_MINUTE", 120, None, MINUTE),
        Quota.API_LAUNCHES: Row("QUOTA_API_LAUNCHES_PER_MINUTE", 60, None, MINUTE),
        Quota.API_WITHOUT_TOKEN: Row("QUOTA_API_WITHOUT_TOKEN_PER_MINUTE", 60, None, MINUTE),
        Quota.NETWORK_ACCOUNTS: Row("QUOTA_NETWORK_ACCOUNTS_PER_DAY", 1_000, None, DAY),
        Quota.SITE_ACCOUNTS: Row("QUOTA_SITE_ACCOUNTS_PER_DAY", 10_000, None, DAY),
        Quota.SITE_MAILS: Row("QUOTA_SITE_MAILS_PER_DAY", 50_000, None, DAY),
    },
)

# Whose quotas an operator can change for one person: those that are counted by person.
_SHARED = frozenset({Quota.API_WITHOUT_TOKEN, Quota.NETWORK_ACCOUNTS, Quota.SITE_ACCOUNTS, Quota.SITE_MAILS})
PERSONAL = tuple(quota for quota in Quota if quota not in _SHARED)


@dataclass(frozen=True, slots=True)
class Most:
    """How much an account may have, and a guest; None is unlimited."""

    accounts: int | None
    guests: int | None


Quotas = Mapping[Quota, Most]

DEFAULTS: Quotas = MappingProxyType(
    {quota: Most(row.most * row.unit, (row.guests or row.most) * row.unit) for quota, row in QUOTAS.items()}
)
UNLIMITED: Quotas = MappingProxyType(dict.fromkeys(Quota, Most(None, None)))


def read_quotas(read: Reader) -> Quotas:
    """Each quota as the environment sets it."""
    return MappingProxyType({quota: _read(read, row) for quota, row in QUOTAS.items()})


def _read(read: Reader, row: Row) -> Most:
    accounts = read.integer(row.variable, row.most, 1, LARGEST, or_zero=True) * row.unit or None
    if row.guests is None:
        return Most(accounts, accounts)
    guests = read.integer(GUEST + row.variable, row.guests, 1, LARGEST, or_zero=True) * row.unit or None
    return Most(accounts, guests)
