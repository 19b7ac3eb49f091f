"""What a form does that waits until who sent it has proved who they are, in words."""

from flask import request

PURPOSES = {
    "desk.give_role": "change that role",
    "desk.reinstate": "reinstate that account",
    "desk.suspend": "suspend that account",
    "settings.delete_account": "delete your account",
    "settings.end_other_sessions": "end all your other sessions",
    "settings.end_session": "end that session",
    "settings.export_data": "download everything",
    "settings.make_token": "make a token",
    "settings.renew_recovery_codes": "get new recovery codes",
    "settings.set_up_second_factor": "turn on two-factor authentication",
    "settings.update_email": "change your email address",
    "settings.update_password": "change your password",
    "settings.update_username": "change your username",
}


def purpose() -> str:
    """What the form of this request is to do, after "Enter your password to"; "continue" if it has no words."""
    return PURPOSES.get(request.endpoint or "", "continue")
