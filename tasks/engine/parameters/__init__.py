"""Parameters: what task functions ask for, as their signatures spell it.

`types` is the one table of parameter types. `reader` makes a `Parameter` of each annotation, `checks` refuses what
could never work, `arguments` checks, stores and reads what a task was given, `schema` tells programs what it may be.
"""
