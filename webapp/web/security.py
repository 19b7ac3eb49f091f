"""What every response says about security, and who may be trusted about where a request came from."""

import logging
from collections.abc import Mapping
from typing import Any

from flask import Config, Flask, Response, abort, current_app, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug import Response as BaseResponse
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.settings import LOOPBACK, Settings, hostname
from webapp.web.api.problems import INSECURE, Problem
from webapp.web.api_paths import is_api_path

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
PICTURE_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"  # opened by itself, it can run and load nothing
CSP_HEADER = "Content-Security-Policy"
REFERRER_HEADER = "Referrer-Policy"
VIEWS_MAY_SAY = {CSP_HEADER, REFERRER_HEADER}  # for themselves
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    REFERRER_HEADER: "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
SCHEMES = ("http", "https")
SECURE_SCHEMES = {"https", "wss"}
PROBES = {"health.healthz", "health.readyz"}  # whoever watches a process asks it by whatever name
MAX_FIELDS_SIZE = 1024 * 1024  # bytes: 5,000 addresses with their names
YEAR = 365 * 24 * 3600


def init_app(app: Flask, settings: Settings) -> None:
    """Set cookies, limits and headers up. What a view says of VIEWS_MAY_SAY stands."""
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


# What Flask's requests are asked, and those that never get there


def scheme_behind(hops: int, environ: Mapping[str, Any]) -> str | None:
    """By which of SCHEMES a request came to the first of so many trusted proxies; None where ProxyFix has to say."""
    scheme: str = environ["wsgi.url_scheme"]
    if hops and (forwarded := environ.get("HTTP_X_FORWARDED_PROTO")):
        found = [part.strip() for part in forwarded.split(",")]
        if not set(found).issubset(SCHEMES):
            return None
        scheme = found[-hops] if len(found) >= hops else scheme
    return scheme if scheme in SCHEMES else None


def is_plain(config: Config, scheme: str, forwarded: str | None) -> bool:
    """Whether a request came by HTTP to a site that is only for HTTPS; `forwarded` is its X-Forwarded-Proto.

    Who has come by HTTPS to a proxy that is not trusted is there: to lead them would never end.
    """
    return config["SESSION_COOKIE_SECURE"] and scheme not in SECURE_SCHEMES and forwarded != "https"


def is_host_of(config: Config, host: str) -> bool:
    """Whether the site is to be reached under a host, as in `Request.host`. Raises ValueError if that is malformed."""
    hosts = config["HOSTS"]
    if not hosts:
        return True
    name = hostname(f"//{host}")
    return name in hosts or (hosts[0] in LOOPBACK and name.endswith(".localhost"))


def is_warned_of(app: Flask, environ: Mapping[str, Any]) -> bool:
    """Whether the log has still to say that this request came by a proxy, where none is trusted."""
    return "HTTP_X_FORWARDED_FOR" in environ and not app.extensions.get("proxy warned")


def keep_secret(response: BaseResponse) -> BaseResponse:
    """Have nobody learn the address of a page that lets in whoever knows it; returns the response."""
    response.headers[REFERRER_HEADER] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


def headers_by(config: Config, scheme: str) -> list[tuple[str, str]]:
    """The headers of an answer to a request that came by this scheme."""
    hsts = [("Strict-Transport-Security", config["HSTS"])] if scheme in SECURE_SCHEMES else []
    return [(CSP_HEADER, CONTENT_SECURITY_POLICY), *SECURITY_HEADERS.items(), *hsts]


# What sees every request of Flask's


def _refuse_other_hosts() -> None:
    """A page that another name leads to is in that name's hands: so a foreign page reads a site on loopback."""
    config = current_app.config
    if request.endpoint in PROBES:
        return
    try:
        is_ours = is_host_of(config, request.host)
    except ValueError:
        abort(400)
    if not is_ours:
        abort(421, f"This site is at {config['BASE_URL']}.")


def _redirect_to_https() -> ResponseReturnValue | None:
    """Lead who comes by HTTP to HTTPS. A form that was sent so is refused without its cookie in any case.

    A program is refused: being led, it would go on to send its token over HTTP first.
    """
    plain = is_plain(current_app.config, request.scheme, request.headers.get("X-Forwarded-Proto"))
    if plain and is_api_path(request.path):
        raise Problem(INSECURE, f"Send this to {current_app.config['BASE_URL'] or 'an address with https'}.")
    if plain and request.endpoint not in PROBES and request.method in {"GET", "HEAD"}:
        return redirect(request.url.replace("http://", "https://", 1), 308)
    return None


def _warn_of_proxy() -> None:
    if is_warned_of(current_app, request.environ):
        current_app.extensions["proxy warned"] = True
        log.warning(
            "A proxy passes requests on, and TRUSTED_PROXIES is 0: everybody seems to come from %s, and shares limits",
            request.remote_addr,
        )


def _add_headers(response: Response) -> Response:
    said = {name for name in VIEWS_MAY_SAY if name in response.headers}
    response.headers.extend(
        header for header in headers_by(current_app.config, request.scheme) if header[0] not in said
    )
    return response
