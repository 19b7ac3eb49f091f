"""What every response says about security, and who may be trusted about where a request came from."""

import logging

from flask import Flask, Response, abort, current_app, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.settings import LOOPBACK, Settings, hostname

log = logging.getLogger(__name__)

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "frame-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# For a frame that shows HTML out of a mail: nothing runs, and nothing is loaded but images inside it.
HTML_FRAME_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
CSP_HEADER = "Content-Security-Policy"
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
PROBES = {"health.healthz", "health.readyz"}  # whoever watches a process asks it by whatever name
MAX_FIELDS_SIZE = 1024 * 1024  # bytes: 5,000 addresses with their names
YEAR = 365 * 24 * 3600


def init_app(app: Flask, settings: Settings) -> None:
    """Set cookies, limits and headers up. A view may set a Content-Security-Policy of its own; it then stands."""
    app.config.update(
        # Browsers take a cookie of this name only over HTTPS, for this host alone and all of it: no other can set it.
        SESSION_COOKIE_NAME="__Host-errand" if settings.secure else "errand",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure,
        # A session lasts from its sign-in. Refreshing it would write a cookie with every poll.
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=YEAR,
        MAX_CONTENT_LENGTH=settings.max_upload + MAX_FIELDS_SIZE,  # files and the fields around them
        MAX_FORM_MEMORY_SIZE=MAX_FIELDS_SIZE,
        WTF_CSRF_TIME_LIMIT=None,  # as long as its session: a form left open overnight still works
        WTF_CSRF_SSL_STRICT=False,  # the token and SameSite protect; a missing Referer is no attack
        HSTS=f"max-age={YEAR}" + ("; includeSubDomains" if settings.hsts_subdomains else ""),
        HOSTS=_hosts(settings),
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    else:
        app.before_request(_warn_of_proxy)
    app.before_request(_refuse_other_hosts)
    app.before_request(_redirect_to_https)
    app.after_request(_add_headers)


def _hosts(settings: Settings) -> list[str]:
    """The names by which people reach this site; none where nobody has said."""
    host = hostname(settings.base_url)
    return list(LOOPBACK) if host in LOOPBACK else [host] if host else []


def _refuse_other_hosts() -> None:
    """A page that another name leads to is in that name's hands: so a foreign page reads a site on loopback."""
    base_url, hosts = current_app.config["BASE_URL"], current_app.config["HOSTS"]
    if not hosts or request.endpoint in PROBES or request.host_url == f"{base_url}/":
        return
    try:
        host = hostname(f"//{request.host}")
    except ValueError:
        abort(400)
    if host not in hosts and not (hosts[0] in LOOPBACK and host.endswith(".localhost")):
        abort(421, f"This site is at {base_url}.")


def _redirect_to_https() -> ResponseReturnValue | None:
    """Lead who comes by HTTP to HTTPS. A form that was sent so is refused without its cookie in any case.

    Who has come by HTTPS to a proxy that is not trusted is there: to lead them would never end.
    """
    is_there = request.is_secure or request.headers.get("X-Forwarded-Proto") == "https"
    plain = current_app.config["SESSION_COOKIE_SECURE"] and not is_there
    if plain and request.endpoint not in PROBES and request.method in {"GET", "HEAD"}:
        return redirect(request.url.replace("http://", "https://", 1), 308)
    return None


def _warn_of_proxy() -> None:
    if "X-Forwarded-For" in request.headers and not current_app.extensions.get("proxy warned"):
        current_app.extensions["proxy warned"] = True
        log.warning(
            "A proxy passes requests on, and TRUSTED_PROXIES is 0: everybody seems to come from %s, and shares limits",
            request.remote_addr,
        )


def _add_headers(response: Response) -> Response:
    headers = response.headers
    if CSP_HEADER not in headers:
        headers.add(CSP_HEADER, CONTENT_SECURITY_POLICY)
    headers.extend(SECURITY_HEADERS)
    if request.is_secure:
        headers.add("Strict-Transport-Security", current_app.config["HSTS"])
    return response
