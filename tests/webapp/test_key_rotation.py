"""SECRET_KEY is changed, and nobody loses anything: what the key of before has signed and sealed counts on."""

import pytest
from huey.registry import Message
from itsdangerous import BadSignature, URLSafeSerializer

from tasks.queue import SignedJson
from tests.browsing import browse
from tests.webapp.models.test_second_factor import SECRET
from webapp.dev.account_factories import make_email_change
from webapp.dev.factories import make_user
from webapp.mail.confirmation_links import Purpose, change_of, token_of
from webapp.models import User
from webapp.models.password_reset import PasswordReset, reset_token
from webapp.models.second_factor import Sealed, seal_for, unseal_for

OLD, NEW = "the key of before", "the key from now on"


@pytest.fixture
def before(make_app):
    """The app before the change."""
    return make_app(secret_key=OLD)


@pytest.fixture
def rotate(make_app):
    """A function that makes the app with the new key; and without the old one once it is `thrown_away`."""
    return lambda thrown_away=False: make_app(secret_key=NEW, secret_key_fallbacks=() if thrown_away else (OLD,))


def test_a_session_and_an_open_form_outlive_the_change_and_no_more(before, rotate):
    ann = browse(before, make_user("ann"))
    token = ann.token()
    cookie = ann.get_cookie("errand")

    for thrown_away, status in ((False, 303), (True, 400)):
        other = browse(rotate(thrown_away))
        other.set_cookie(cookie.key, cookie.value)
        assert other.post("/posts", data={"csrf_token": token, "body": "Still me"}).status_code == status


def test_links_that_were_mailed_outlive_the_change(before, rotate):
    with before.app_context():
        user = make_user("ann", email="ann@example.com")
        reset = reset_token(user, before.config["SECRET_KEYS"])
        change = make_email_change(user, "new@example.com")
        confirmation = token_of(change, Purpose.CONFIRM)
    for thrown_away in (False, True):
        app = rotate(thrown_away)
        with app.app_context():
            found = PasswordReset.by_token(reset, app.config["SECRET_KEYS"]), change_of(confirmation, Purpose.CONFIRM)
            assert [each is None for each in found] == [thrown_away, thrown_away]


def test_what_the_new_key_signs_is_nothing_to_the_old_one(before, rotate):
    signed = URLSafeSerializer(rotate().config["SECRET_KEYS"]).dumps(1)
    assert URLSafeSerializer(NEW).loads(signed) == 1
    with pytest.raises(BadSignature):
        URLSafeSerializer(OLD).loads(signed)


def test_a_message_in_the_queue_outlives_the_change(app):
    message = SignedJson(OLD).serialize(Message("id", "wake", 0, 0, 1, (), {}))
    assert SignedJson([OLD, NEW]).deserialize(message).id == "id"
    with pytest.raises(ValueError, match="signature"):
        SignedJson(NEW).deserialize(message)


def test_an_operator_seals_second_factors_anew_and_the_old_key_can_go(before, rotate):
    user = make_user("ann", totp_secret="x")
    User.update(totp_secret=seal_for(user, Sealed.SECRET, SECRET)).execute()
    lost = make_user("bob", totp_secret="1.of-a-key-that-nobody-has")
    run = rotate().test_cli_runner().invoke
    assert unseal_for(user, Sealed.SECRET, User.get_by_id(user.id).totp_secret) == SECRET

    said = run(args=["keys", "reseal"])

    assert said.exit_code == 1
    assert "1 second factors encrypted with SECRET_KEY" in said.output
    assert "1 can be read by no key" in said.output
    User.update(totp_secret=None).where(User.id == lost.id).execute()
    assert run(args=["keys", "reseal"]).exit_code == 0, "twice is once"
    rotate(thrown_away=True)
    assert unseal_for(user, Sealed.SECRET, User.get_by_id(user.id).totp_secret) == SECRET
