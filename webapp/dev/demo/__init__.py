"""`make demo`: a small believable world, for whoever looks at Errand for the first time.

Its people, posts and messages are rows that the factories make. Its tasks are real: they are started as people start
them and carried out by the engine, in no time, and then put where they belong in the past. So nothing in it is a
picture of a task, and a worker can go on with whatever is under way.
"""
