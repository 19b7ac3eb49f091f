"""Threads that stay in a bulkhead for as long as a test wants."""

import threading

from webapp.db.bulkhead import Bulkhead


def hold_places(bulkhead: Bulkhead, number: int, until: threading.Event) -> list[threading.Thread]:
    """Let so many threads be inside until an event, or for ten seconds; they are inside when this returns."""
    inside = threading.Barrier(number + 1)

    def stay() -> None:
        with bulkhead.place():
            inside.wait()
            until.wait(10)

    threads = [threading.Thread(target=stay) for _ in range(number)]
    for thread in threads:
        thread.start()
    inside.wait()
    return threads
