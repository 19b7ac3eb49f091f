"""How the site is served: gunicorn's processes and parser, around an event loop that slow clients cannot hold.

A process (`worker`) has one loop (`loop`) that owns all of its connections. It reads a request to its end before a
thread gets it, so whoever drips a header or a body costs no thread (`connection`, `framing`). A thread makes the answer
(`exchange`, `threads`), and the loop sends what the client does not take at once. Every stage has a deadline in total
(`limits`), and a process that is renewed or told to stop closes each connection with an answer (`lifetime`).
"""
