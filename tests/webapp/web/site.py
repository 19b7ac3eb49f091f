"""Every address of the site, found in the app's own map of them, and every row behind it."""

from datetime import timedelta

from flask import current_app

from webapp import db
from webapp.dev.account_factories import make_deletion, make_email_change
from webapp.dev.factories import make_user
from webapp.lib.times import utcnow
from webapp.mail.confirmation_links import Purpose, token_of
from webapp.mail.unsubscribing import token_of as unsubscribe_token
from webapp.models import User
from webapp.web.api_paths import is_api_path

HTMX = {"HX-Request": "true"}
OPENED = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}  # as browsers open a page


def addresses(app, method: str, site: dict, *, of_api: bool = False) -> list[str]:
    """Every address of a page that takes a method; or else every one that programs ask for, which no cookie opens."""
    found = [rule for rule in app.url_map.iter_rules() if method in rule.methods]
    rules = [rule for rule in found if is_api_path(rule.rule) is of_api]
    named = [(rule, rule.arguments - (rule.defaults or {}).keys()) for rule in rules]
    with app.test_request_context():
        return sorted({rule.build({name: site[name] for name in names})[1] for rule, names in named})


def is_of_desk(address: str) -> bool:
    """Whether only people with a role find it."""
    return address == "/desk" or address.startswith(("/desk/", "/desk?"))


def tokens_of(user: User) -> dict[str, str]:
    """By which somebody can confirm an address and undo the change before, and somebody else can keep their account.

    Needs an app context.
    """
    now = utcnow()
    before = make_email_change(user, old_address="old@example.com", confirmed_at=now, settled_at=now)
    pending = make_email_change(user)
    return {
        "confirmation_token": token_of(pending, Purpose.CONFIRM),
        "undo_token": token_of(before, Purpose.UNDO),
        "unsubscribe_token": unsubscribe_token(user, "bea@example.com", current_app.config["SECRET_KEY"]),
        "keep_token": token_of(make_deletion(make_user(), due_at=now + timedelta(days=14)), Purpose.KEEP),
    }


VISITS = {"users": {"seen_at"}, "sessions": {"seen_at", "ends_at"}}  # the columns that say when somebody was here


def everything() -> dict[str, list]:
    """Every row of every table, but for when somebody was last seen."""
    found = {}
    for table in db.database.get_tables():
        if table.endswith(("_terms", "_search")):
            continue  # an index of SQLite's, whose content stands in tables of its own
        columns = {column.name for column in db.database.get_columns(table)}
        names = ", ".join(f'"{name}"' for name in sorted(columns - VISITS.get(table, set())))
        found[table] = sorted(map(str, db.database.execute_sql(f"SELECT {names} FROM {table}").fetchall()))
    return found


ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}

STRICTER = {"Referrer-Policy": ["no-referrer"]}  # of pages whose address is a secret


def is_guarded(answer) -> bool:
    policy = answer.headers["Content-Security-Policy"]
    if policy == "sandbox; default-src 'none'; frame-ancestors 'none'":  # a picture, opened by itself
        return all(answer.headers[name] == value for name, value in ALWAYS.items())
    if policy == "default-src 'none'; frame-ancestors 'none'":  # JSON for programs
        said = {name: answer.headers[name] for name in ALWAYS}
        return said == ALWAYS | {"Referrer-Policy": "no-referrer"}
    if policy.startswith("sandbox;"):  # a mail in its frame, which can run and load nothing
        return "default-src 'none'" in policy and "script-src" not in policy and "frame-ancestors 'self'" in policy
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "script-src 'self'" in policy
    return all(answer.headers.getlist(name) in ([value], STRICTER.get(name)) for name, value in ALWAYS.items())
