"""One mail to many people: what is written, whom it goes to, what goes with it, and how many people one may mail."""
