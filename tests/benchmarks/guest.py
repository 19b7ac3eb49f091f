"""A browser that comes as a guest, for loads that send what it would."""

import re
from http.cookiejar import CookieJar
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener


def arrive(port: int) -> str:
    """Continue as a guest at a site; returns the cookies of that session, as a header has them."""
    jar = CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))
    site = f"http://127.0.0.1:{port}"
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.open(site).read().decode())
    assert token
    browser.open(f"{site}/guest", urlencode({"csrf_token": token[1]}).encode())
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


def unchanged_poll(port: int) -> dict[str, str]:
    """The headers of the poll of a browser that came as a guest and has seen the present state."""
    cookies = {"Cookie": arrive(port)}
    with build_opener().open(Request(f"http://127.0.0.1:{port}/live", headers=cookies)) as answer:
        return cookies | {"If-None-Match": answer.headers["ETag"], "HX-Request": "true"}
