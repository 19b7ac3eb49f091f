"""`make demo`: a small believable world, for a first look at Errand.

Its people, posts and messages are rows made by the factories. Its tasks are real: they are launched as people launch
them and run by the engine, in no time, and then backdated. So a worker can continue whatever is under way, and what
has failed can be retried. Only the everyday of a crowd are rows that have not run; see `crowd`.
"""
