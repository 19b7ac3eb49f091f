"""DigestPart: what a digest says of one kind of news."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DigestPart:
    """`template`, in templates/email/ as text and as HTML, shows the `news` by this `name`."""

    name: str
    news: object
    template: str
    about: str  # what its reader asked to be emailed about
    counted: str  # as in '3 tasks ended', for the subject of a digest of several parts
    subject: str  # of a digest of this part alone
