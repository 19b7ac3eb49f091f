"""`make demo`: fills the database of `make run` with a small world, or exits with one line that says why it cannot."""

from webapp.db.startup import or_one_line

if __name__ == "__main__":
    with or_one_line():
        from webapp.dev.demo.fill import fill  # and with it every task: a wrong one is told as anything else

        fill()
