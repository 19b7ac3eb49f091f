"""Metrics: the numbers of the site as Prometheus reads them, the same from every process.

They come from the database alone: what a process remembers would be of that process, and die with it. What has ended
is counted by `TaskTotal`, which never goes back, so that `rate()` is right whatever was deleted; it has what ended
until two or three minutes ago, as only that is final. What waits and runs is of now.
"""
