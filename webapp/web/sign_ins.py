"""Sign-ins: what follows once somebody has proved who they are."""

from webapp.db import database
from webapp.models import Session, User
from webapp.models.new_browser import tell_of_new_browser
from webapp.web.auth import sign_in
from webapp.web.known_browsers import knows_account, remember_account
from webapp.web.security_log import Event, record


def complete_sign_in(user: User) -> None:
    """Sign somebody in to their account, to which they have just come back, and tell them if this browser is new.

    Call it once all that the account asks for has been proved; a second factor, too. A new account is signed in to by
    `auth.sign_in`, as there is nobody to tell. In one transaction.
    """
    is_new = not knows_account(user)
    with database.atomic():
        is_new = is_new and Session.began_before(user)
        sign_in(user)
        if is_new and user.session:
            tell_of_new_browser(user, user.session)
    remember_account(user)
    record(Event.SIGNED_IN, user, session_id=user.session and user.session.id, is_new_browser=is_new)
