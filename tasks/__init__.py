"""Task functions, one a file, and the engine that executes them.

A new kind of task is one decorated function in a file of its own here, and one line in `catalogue.py`;
docs/writing-a-task.md shows how. Import heavy libraries inside the function: the web process loads its file, too.
"""
