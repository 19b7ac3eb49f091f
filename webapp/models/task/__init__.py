"""The task and all that belongs to it: its states, how it moves, who holds it, what it makes, and in which order."""
