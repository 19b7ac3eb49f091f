"""Places to search: few threads of a process search at a time, so that the others answer polls and pages meanwhile.

A search of an unusual kind may take until its timeout, and on PostgreSQL it holds one of the bulkhead's places.
"""

from webapp.db.bulkhead import PLACES, SPARE_THREADS
from webapp.lib.places import Places

QUEUE_TIMEOUT = 1.0  # seconds; usual searches take some milliseconds


class TooManySearches(Exception):
    """So many threads search that this one did not get a place. In a moment it may."""


search_places = Places(PLACES // 2, SPARE_THREADS - 1, QUEUE_TIMEOUT, TooManySearches)
