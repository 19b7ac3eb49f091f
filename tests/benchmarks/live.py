"""How much of a bare Flask view's speed a poll has that finds nothing new."""

import re
from http.cookiejar import CookieJar
from statistics import median
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

from tests.benchmarks.load import Load, run_load
from tests.benchmarks.sites import gunicorn, storage
from tests.benchmarks.table import ROUNDS, show

SECONDS = 3


def main() -> None:
    """Requests a second and p99, /live unchanged beside a bare view that answers 204."""
    with storage() as env, gunicorn("tests.benchmarks.bare:app", env) as bare, gunicorn("webapp.wsgi:app", env) as ours:
        headers = unchanged_poll(ours)
        pairs = [
            (run_load(bare, "/live", {}, 204, SECONDS), run_load(ours, "/live", headers, 304, SECONDS))
            for _ in range(ROUNDS)
        ]
    limit, live = ([pair[side] for pair in pairs] for side in (0, 1))
    ratio = median(ours.rate / bare.rate for bare, ours in pairs)
    show(
        "`/live` unchanged beside a bare Flask view, under the same gunicorn",
        ("", "requests/s", "p99", "of the limit"),
        (("bare view, 204", *_figures(limit), "1"), ("`/live`, 304, one query", *_figures(live), f"{ratio:.2f}")),
    )


def _figures(loads: list[Load]) -> tuple[str, str]:
    return f"{median(load.rate for load in loads):.0f}", f"{median(load.p99 for load in loads) * 1000:.1f} ms"


def unchanged_poll(port: int) -> dict[str, str]:
    """The headers of the poll of a browser that came as a guest and has seen the present state."""
    jar = CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))
    site = f"http://127.0.0.1:{port}"
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.open(site).read().decode())
    assert token
    browser.open(f"{site}/guest", urlencode({"csrf_token": token[1]}).encode())
    version = browser.open(f"{site}/live").headers["ETag"]
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)
    return {"Cookie": cookies, "If-None-Match": version, "HX-Request": "true"}
