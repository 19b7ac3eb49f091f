"""For developers alone: `make run`, its mailbox, the demo world and its factories. Production loads none of it."""
