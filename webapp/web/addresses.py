"""Addresses in templates: `url_for`, which builds each address once and not for every row of every page."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from flask import Flask, has_request_context, request

MOST_KEPT = 8192  # addresses in a process; a page has some thirty of all, and four more for each of its tasks
# What an address depends on besides its endpoint, its arguments and the path below which the site is served.
OF_ONE_REQUEST = frozenset({"_external", "_scheme"})


def url_builder(app: Flask) -> Callable[..., str]:
    """Flask's `url_for` of an app, for templates.

    An address says nothing about who asks. Where it depends on more than the path below which the site is served, as
    outside of a request, it is built anew. Raises as Flask's does.
    """

    @lru_cache(MOST_KEPT, typed=True)
    def kept(root: str, endpoint: str, /, **values: Any) -> str:
        return app.url_for(endpoint, **values)

    def url_for(endpoint: str, /, **values: Any) -> str:
        if not has_request_context() or endpoint.startswith(".") or not OF_ONE_REQUEST.isdisjoint(values):
            return app.url_for(endpoint, **values)
        try:
            return kept(request.script_root, endpoint, **values)
        except TypeError:  # a list of values, which cannot be looked up
            return app.url_for(endpoint, **values)

    return url_for
