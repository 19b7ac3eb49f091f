"""What the templates of the desk call."""
