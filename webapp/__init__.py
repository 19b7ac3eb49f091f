"""All of Errand but its tasks: settings, database, models, mail, web pages and commands.

Importing this package loads nothing, so a worker can load `webapp.models` without Flask.
"""
