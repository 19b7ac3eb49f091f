"""For how long a process waits for PostgreSQL."""

from dataclasses import dataclass, field

# https://www.postgresql.org/docs/current/libpq-connect.html; what DATABASE_URL says goes before these.
CONNECTING = {
    "connect_timeout": "5",  # seconds, for each address that its host has
    "keepalives": "1",
    "keepalives_idle": "5",
    "keepalives_interval": "2",
    "keepalives_count": "3",
    "tcp_user_timeout": "10000",  # milliseconds
}


@dataclass(frozen=True)
class Deadlines:
    """How long a process waits. Whoever is `patient` waits on as long as the server says that it is still at it."""

    wait: float | None  # seconds for each answer
    patient: bool = False
    settings: dict[str, str] = field(default_factory=dict)  # of each session


def of_web(lease: int) -> Deadlines:
    """For a process in which people wait. The server gives up first, as the connection is then still good."""
    limits = {"statement_timeout": "4500ms", "transaction_timeout": "60s"}
    return Deadlines(5.0, settings=limits | _idle(lease))


def of_worker(lease: int) -> Deadlines:
    """For a process whose statements may take long for good reasons."""
    return Deadlines(5.0, patient=True, settings={"statement_timeout": "1h"} | _idle(lease))


def _idle(lease: int) -> dict[str, str]:
    """A process that is stopped while it writes must not keep a row from everybody else for long."""
    return {"idle_in_transaction_session_timeout": f"{lease}s"}


NONE = Deadlines(None, settings=dict.fromkeys(("statement_timeout", "transaction_timeout"), "0") | _idle(3600))
