"""What pages of the desk call."""
