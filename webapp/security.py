"""What every response says about security, and who may be trusted about where a request came from."""

from flask import Flask, Response, request
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp.settings import Settings

POLICY = "; ".join(
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
CSP = "Content-Security-Policy"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}
FIELDS = 1024 * 1024  # bytes: 5,000 addresses with their names
YEAR = 365 * 24 * 3600


def init_app(app: Flask, settings: Settings) -> None:
    """Set cookies, limits and headers up. A view may set a Content-Security-Policy of its own; it then stands."""
    app.config.update(
        SESSION_COOKIE_NAME="errand",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure,
        # A session lasts from its sign-in. Refreshing it would write a cookie with every poll.
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=YEAR,
        MAX_CONTENT_LENGTH=settings.max_upload + FIELDS,  # files and the fields around them
        MAX_FORM_MEMORY_SIZE=FIELDS,
        WTF_CSRF_TIME_LIMIT=None,  # as long as its session: a form left open overnight still works
        WTF_CSRF_SSL_STRICT=False,  # the token and SameSite protect; a missing Referer is no attack
    )
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=0)  # type: ignore[method-assign]
    app.after_request(_secure)


def _secure(response: Response) -> Response:
    headers = response.headers
    if CSP not in headers:
        headers.add(CSP, POLICY)
    headers.extend(HEADERS)
    if request.is_secure:
        headers.add("Strict-Transport-Security", f"max-age={YEAR}; includeSubDomains")
    return response
