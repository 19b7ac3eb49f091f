"""The second factor: which codes count, that each counts once, and that only the site can read its secret."""

import hmac
from base64 import b32decode, b32encode
from hashlib import sha1
from struct import pack

import pytest

from tasks.engine import config
from tests.racing import race
from webapp.dev.factories import make_user
from webapp.lib.sealing import CannotUnseal
from webapp.models import AccountMail, RecoveryCode, SecondFactor, User
from webapp.models import second_factor as module
from webapp.models.recovery_code import LETTERS, NUMBER, as_typed, new_codes
from webapp.models.second_factor import AlreadyOn, Demanded, Proof, Sealed, WrongCode, seal_for, unseal_for

SECRET = b32encode(b"12345678901234567890").decode()  # of RFC 6238
STEP = 30
# RFC 6238, appendix B, for SHA-1: of its eight digits the last six.
VECTORS = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}


@pytest.fixture
def clock(monkeypatch):
    """Sets what time it is for codes, in seconds since 1970; `clock.code(at)` is what an app shows then."""

    class Clock:
        now = 1111111111

        @staticmethod
        def code(at: int, secret: str = SECRET) -> str:
            """By RFC 4226, written down here anew."""
            digest = hmac.digest(b32decode(secret), pack(">Q", at // STEP), sha1)
            at = digest[-1] & 15
            return f"{(int.from_bytes(digest[at : at + 4]) & 0x7FFFFFFF) % 10**6:06}"

    monkeypatch.setattr(module, "time", lambda: Clock.now)
    return Clock


@pytest.fixture
def ann(app, clock):
    """An account with a second factor, of which no code has been used."""
    return _with_factor(make_user("ann", email="ann@example.com"), clock)


def _with_factor(user, clock) -> User:
    user.codes = SecondFactor(user).turn_on(SECRET, clock.code(clock.now))
    User.update(totp_last_step=None).execute()
    return user


@pytest.mark.parametrize(("moment", "code"), VECTORS.items())
def test_the_codes_are_those_of_the_standard(ann, clock, moment, code):
    clock.now = moment
    assert SecondFactor(ann).accept(code) is Proof.APP
    assert clock.code(moment) == code


def test_a_code_counts_one_step_early_or_late_and_no_more(ann, clock):
    for steps, counts in ((-2, False), (-1, True), (0, True), (1, True), (2, False)):
        User.update(totp_last_step=None).execute()
        assert (SecondFactor(ann).accept(clock.code(clock.now + steps * STEP)) is Proof.APP) == counts, steps


def test_a_code_counts_once_and_none_before_it_any_more(each_database, clock):
    user = _with_factor(make_user(), clock)
    code = clock.code(clock.now)
    assert [SecondFactor(User.get_by_id(user.id)).accept(code) for _ in range(2)] == [Proof.APP, None]
    assert SecondFactor(user).accept(clock.code(clock.now - STEP)) is None, "an earlier one was seen over a shoulder"
    assert SecondFactor(user).accept(clock.code(clock.now + STEP)) is Proof.APP


def test_of_one_code_that_comes_twice_at_once_one_counts(each_database, clock):
    user = _with_factor(make_user(), clock)
    for code in (clock.code(clock.now), user.codes[0]):
        people = [User.get_by_id(user.id) for _ in range(2)]  # each has read the row before the other writes
        accepted = race(2, lambda code=code, people=people: SecondFactor(people.pop()).accept(code))
        assert accepted.count(None) == 1, accepted


@pytest.mark.parametrize("typed", ["{} {}", " {}-{}\n", "{}\u00a0{}"])
def test_a_code_is_read_however_it_is_typed(ann, clock, typed):
    code = clock.code(clock.now)
    assert SecondFactor(ann).accept(typed.format(code[:3], code[3:])) is Proof.APP
    assert module._digits("１２３ ٤٥٦") == "123456"


@pytest.mark.parametrize("typed", ["", " ", "28708", "2870822", "abcdef", "0x1234", "²³¹²³¹", "\ud800", "1" * 64])
def test_what_is_no_code_proves_nothing(ann, typed):
    assert SecondFactor(ann).accept(typed) is None


def test_a_wrong_code_turns_nothing_on(app, clock):
    user = make_user()
    with pytest.raises(WrongCode):
        SecondFactor(user).turn_on(SECRET, clock.code(clock.now + 10 * STEP))
    assert not User.get_by_id(user.id).has_second_factor
    assert not RecoveryCode.select().exists()


def test_of_two_tabs_that_turn_it_on_the_second_changes_nothing(each_database, clock):
    user = make_user()
    first, second = User.get_by_id(user.id), User.get_by_id(user.id)
    other = b32encode(b"another secret of it").decode()
    codes = SecondFactor(first).turn_on(SECRET, clock.code(clock.now))
    with pytest.raises(AlreadyOn):
        SecondFactor(second).turn_on(other, clock.code(clock.now, other))
    assert SecondFactor(User.get_by_id(user.id)).accept(codes[3]) is Proof.RECOVERY_CODE
    assert SecondFactor(User.get_by_id(user.id)).accept(clock.code(clock.now + STEP)) is Proof.APP


def test_a_guest_has_no_second_factor(app, clock):
    with pytest.raises(AlreadyOn):
        SecondFactor(make_user(guest=True)).turn_on(SECRET, clock.code(clock.now))
    assert not User.get().has_second_factor


# The secret at rest


def test_the_secret_is_encrypted_and_worth_nothing_in_another_row(ann, clock):
    bob = make_user("bob")
    kept = User.get_by_id(ann.id).totp_secret
    assert SECRET not in kept
    assert unseal_for(ann, Sealed.SECRET, kept) == SECRET
    assert seal_for(ann, Sealed.SECRET, SECRET) != kept, "of the same secret no two rows are alike"
    for user, what in ((bob, Sealed.SECRET), (ann, Sealed.SETUP)):
        with pytest.raises(CannotUnseal):
            unseal_for(user, what, kept)
    bob.totp_secret = kept
    assert SecondFactor(bob).accept(clock.code(clock.now)) is None


def test_recovery_codes_sign_in_where_the_key_of_the_site_was_lost(ann, clock, caplog):
    config.configure(secret_key="another key")
    assert SecondFactor(ann).accept(clock.code(clock.now)) is None
    assert "SECRET_KEY is not the one" in caplog.text
    assert SECRET not in caplog.text
    assert SecondFactor(ann).accept(ann.codes[0]) is Proof.RECOVERY_CODE


# Recovery codes


def test_recovery_codes_count_once_each_however_they_are_typed(ann):
    assert len(set(ann.codes)) == SecondFactor(ann).codes_left == NUMBER
    for code, typed in zip(ann.codes, ("{}", " {} ", "{}"), strict=False):
        typed = typed.format(code).upper().replace("1", "l").replace("0", "O").replace("-", " ")
        assert SecondFactor(ann).accept(typed) is Proof.RECOVERY_CODE
        assert SecondFactor(ann).accept(code) is None
    assert SecondFactor(ann).codes_left == NUMBER - 3
    assert AccountMail.select().where(AccountMail.kind == "recovery_code_used").count() == 3


def test_a_recovery_code_cannot_be_guessed_and_no_row_tells_it(ann):
    rows = str(list(RecoveryCode.select().dicts()))
    assert not any(code in rows or as_typed(code) in rows for code in ann.codes)
    assert len({code for _ in range(50) for code in new_codes()}) == 500
    assert {letter for code in new_codes() for letter in code} <= set(LETTERS + "-")
    assert as_typed("xxxxx-xxxx") is None


def test_new_recovery_codes_replace_the_others_and_are_one_persons(ann, clock):
    bob = _with_factor(make_user("bob"), clock)
    new = SecondFactor(ann).renew_codes()
    assert SecondFactor(ann).accept(ann.codes[0]) is None
    assert SecondFactor(bob).accept(new[0]) is None
    assert SecondFactor(ann).accept(new[0]) is Proof.RECOVERY_CODE
    assert SecondFactor(bob).accept(bob.codes[0]) is Proof.RECOVERY_CODE


# Off


def test_turned_off_nothing_is_left_of_it(ann, clock):
    assert SecondFactor(ann).turn_off()
    row = User.get_by_id(ann.id)
    assert (row.totp_secret, row.totp_last_step, RecoveryCode.select().count()) == (None, None, 0)
    assert not SecondFactor(row).turn_off(), "twice is once"
    assert SecondFactor(row).renew_codes() == [], "which another tab had asked for"
    told = [mail.kind for mail in AccountMail.select().order_by(AccountMail.id)]
    assert told == ["second_factor_on", "second_factor_off"]


def test_a_role_keeps_it_on_unless_an_operator_says_so(ann):
    User.update(role="operator").execute()
    with pytest.raises(Demanded):
        SecondFactor(ann).turn_off()
    assert User.get_by_id(ann.id).has_second_factor
    assert SecondFactor(ann).codes_left == NUMBER
    assert SecondFactor(ann).turn_off(despite_role=True)
    assert not User.get_by_id(ann.id).has_second_factor
