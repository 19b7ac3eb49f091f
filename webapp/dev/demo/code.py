"""`make demo-code`: the code of this moment for those of the demo who have a role."""

from time import time

import pyotp

from webapp.dev.demo.people import STEP, TOTP_SECRET


def code_words() -> str:
    """The code, and for how long an app would show it: it is taken for half a minute longer."""
    return f"{pyotp.TOTP(TOTP_SECRET).now()}, for {STEP - int(time()) % STEP} seconds"


if __name__ == "__main__":
    print(code_words())
