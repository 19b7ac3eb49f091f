"""The account that a token belongs to."""

from webapp.models import User
from webapp.web.api.call import Call
from webapp.web.api.etags import tagged
from webapp.web.api.operation import Access, Answer, operation
from webapp.web.api.resource import INTEGER, STRING, Field, Resource, nullable

USER = Resource[User](
    "User",
    "An account.",
    (
        Field("id", INTEGER, lambda user: user.id),
        Field("username", STRING, lambda user: user.username),
        Field("email", nullable(STRING), lambda user: user.email or None, "The confirmed address, if there is one."),
        Field("time_zone", STRING, lambda user: user.time_zone),
    ),
)


@operation("GET", "/user", allows=Access.TOKEN, answers={200: USER, 304: None})
def show_user(call: Call) -> Answer:
    """The account that the token belongs to."""
    return tagged(USER, call.user)
