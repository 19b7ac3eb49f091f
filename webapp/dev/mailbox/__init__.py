"""The development mailbox: an SMTP server that keeps every mail as a file, and pages at /mailbox that show them."""
