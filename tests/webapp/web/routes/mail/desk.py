"""What tests of the mail pages do again and again."""

import io
from datetime import timedelta

from webapp.lib.times import utcnow
from webapp.models import Delivery

HTMX = {"HX-Request": "true"}
TWO = "bea@example.com, cem@example.com"


def send(browser, path="/mail", **fields):
    return browser.submit(path, **{"recipients": TWO, "subject": "Hello", "template": "welcome"} | fields)


def upload(name: str, data: bytes):
    return (io.BytesIO(data), name)


def addresses() -> list[str]:
    return [delivery.address for delivery in Delivery.select().order_by(Delivery.id)]


def in_future(**delta) -> str:
    return f"{utcnow() + timedelta(**delta):%Y-%m-%dT%H:%M:%S}"
