"""`python -m webapp.dev.mailbox`: runs the SMTP server until TERM or INT."""

from webapp.dev.mailbox.server import main

if __name__ == "__main__":
    main()
