"""Timeouts of PostgreSQL: for how long a process waits for it, and what each session asks of the server."""

from dataclasses import dataclass, field

# https://www.postgresql.org/docs/current/libpq-connect.html; DATABASE_URL overrides these.
CONNECT_OPTIONS = {
    "connect_timeout": "5",  # seconds, for each address of its host
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",  # milliseconds
}


@dataclass(frozen=True)
class Timeouts:
    """How long a process waits. A `patient` one waits on for as long as the server says that the statement runs."""

    answer: float | None  # seconds for each answer; None waits forever
    patient: bool = False
    session: dict[str, str] = field(default_factory=dict)  # settings of the server's, for each session


def of_web(idle: int) -> Timeouts:
    """For a process in which people wait. The server times out first, as the connection is then still good."""
    limits = {"statement_timeout": "4500ms", "transaction_timeout": "60s"}
    return Timeouts(5.0, session=limits | _idle(idle))


def of_worker(idle: int) -> Timeouts:
    """For a process whose statements may take long for good reasons."""
    return Timeouts(5.0, patient=True, session={"statement_timeout": "1h"} | _idle(idle))


def _idle(idle: int) -> dict[str, str]:
    """A process that is stopped within a transaction must not hold its locks for long."""
    return {"idle_in_transaction_session_timeout": f"{idle}s"}


NONE = Timeouts(None, session=dict.fromkeys(("statement_timeout", "transaction_timeout"), "0") | _idle(3600))
