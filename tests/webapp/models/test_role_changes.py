"""Roles that are given and taken: what else that changes, and who hears of it."""

import pytest

from tests.racing import race
from webapp.dev.factories import make_user
from webapp.mail.account_mails import content_of
from webapp.models import AccountMail, Session, User
from webapp.models.permissions import Role
from webapp.models.role_changes import CannotHaveRole, change_role


def test_a_new_role_is_told_and_asks_for_a_proof_in_each_session(each_database):
    user, other = make_user(email="ann@example.com"), make_user()
    for each in (user, other):
        Session.begin(each, f"key of {each.id}")
    assert change_role(user, Role.OPERATOR)
    assert User.get_by_id(user.id).role == "operator"
    assert [session.authenticated_at for session in Session.of(user, 9)] == [None]
    assert Session.of(other, 1)[0].authenticated_at
    assert not change_role(user, Role.OPERATOR), "it is the same"
    [mail] = AccountMail.select()
    assert (mail.kind, mail.address, mail.arguments) == ("role_changed", "ann@example.com", {"role": "operator"})
    assert change_role(user, None)
    assert User.get_by_id(user.id).role is None
    assert AccountMail.select().count() == 2


def test_of_several_who_give_the_same_role_one_tells_of_it(each_database):
    user = make_user(email="ann@example.com")
    assert sorted(race(4, lambda: change_role(User.get_by_id(user.id), Role.VIEWER))) == [False] * 3 + [True]
    assert AccountMail.select().count() == 1


def test_a_guest_gets_no_role_and_who_has_no_address_no_mail(app):
    guest, user = make_user(guest=True), make_user()
    with pytest.raises(CannotHaveRole):
        change_role(guest, Role.VIEWER)
    assert User.get_by_id(guest.id).role is None
    assert not change_role(guest, None)
    assert change_role(user, Role.VIEWER)
    assert not AccountMail.select().exists()


def test_the_mail_says_which_role_and_what_is_still_to_be_done(app):
    user, other = make_user("ann", email="ann@example.com"), make_user("bob", email="bob@example.com")
    for role in (Role.ADMIN, None):
        change_role(user, role)
    change_role(other, Role.VIEWER)
    with app.app_context():
        given, taken, lacking = (content_of(mail) for mail in AccountMail.select().order_by(AccountMail.id))
    assert given.subject == taken.subject == "Your Errand role was changed"
    for text in (given.text, given.html):
        assert "the role of admin" in text
        assert "It counts once" not in text, "they have none any more by now"
    for text in (taken.text, taken.html):
        assert "Your role at Errand has been removed" in text
    for text in (lacking.text, lacking.html):
        assert "http://localhost/settings/security" in text
