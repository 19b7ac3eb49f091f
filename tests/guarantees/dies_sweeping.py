"""A real worker that is killed as it sweeps, once for the file $DIES, at the place that this file names."""

import os
import signal
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

from tests.guarantees import worker
from webapp.models import SiteAlert, Task
from webapp.models.statistics import rollup

_calls: list[str] = []


def _die_at(place: str, number: int = 1) -> None:
    """At the n-th call there, if the file is still there and names this place."""
    path = Path(os.environ["DIES"])
    if path.exists() and path.read_text() == place:
        _calls.append(place)
        if _calls.count(place) == number:
            path.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


def _dying(function: Callable[..., Any], place: str, number: int = 1) -> Callable[..., Any]:
    @wraps(function)
    def dying(*args: Any, **named: Any) -> Any:
        _die_at(place, number)
        return function(*args, **named)

    return dying


def main() -> None:
    """Patch what the sweeper calls, and be a worker."""
    # The first minute is final and committed; the second is recomputed, and not.
    vars(rollup)["_finalize"] = _dying(vars(rollup)["_finalize"], "rollup", 2)
    Task.pause = _dying(Task.pause, "stop", 2)  # type: ignore[method-assign]
    SiteAlert.claim_due = _dying(SiteAlert.claim_due, "mail")  # type: ignore[method-assign]
    worker.main()


if __name__ == "__main__":
    main()
