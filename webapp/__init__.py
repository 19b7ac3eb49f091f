"""The web side of Errand: settings, models, mail, routes and the app factory.

Importing this package loads nothing, so a worker can load `webapp.models` without Flask.
"""
