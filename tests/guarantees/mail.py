"""What tests of tasks that send mail share."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.mailserver import MailServer
from tests.processes import Site
from webapp.models import Artifact, Task


@contextmanager
def mail_server(site: Site, **behaviour: object) -> Iterator[MailServer]:
    """A server where the site's worker looks for one; the behaviour is that of a MailServer."""
    server = MailServer()
    server.port = int(site.env["MAIL_PORT"])
    for name, value in behaviour.items():
        setattr(server, name, value)
    with server.running():
        yield server


def assert_posts_are_ready(task: Task, number: int = 30) -> None:
    """The one file of an export is there, with so many posts."""
    [artifact] = Artifact.completed([task])[task]
    data = artifact.read()
    assert data.count(b'"body"') == number, data[-300:]
