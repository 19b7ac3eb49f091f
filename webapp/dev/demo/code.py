"""`make demo-code`: the code of this moment for those of the demo who have a role."""

from time import time

import pyotp

from webapp.dev.demo.people import ROLES, STEP, TOTP_SECRET


def code_words() -> str:
    """The code, whose it is, and for how long an app would show it: it is taken for half a minute longer."""
    *others, last = ROLES
    left = STEP - int(time()) % STEP
    return f"{pyotp.TOTP(TOTP_SECRET).now()} is the code of {', '.join(others)} and {last} for {left} seconds"


if __name__ == "__main__":
    print(code_words())
