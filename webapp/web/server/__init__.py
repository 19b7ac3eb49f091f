"""How the site is served: gunicorn's processes and parser, around an event loop that slow clients cannot hold.

A process (`worker`) accepts connections (`listeners`), and one loop owns them all (`loop`, `answers`, `connections`).
It reads a request to its end before a thread gets it, so whoever drips a header or a body costs no thread
(`connection`, `framing`). A thread makes the answer (`exchange`, `threads`, `line`), and the loop sends what the client
does not take at once (`outlet`). Every stage has a deadline in total (`limits`), and a process that is renewed or told
to stop closes each connection with an answer (`lifetime`).
"""

from typing import Final

# In the environ of a request: a function that says, to an app which waits before it answers, that it must do so now.
MUST_ANSWER: Final = "errand.must_answer"
