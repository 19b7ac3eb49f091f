"""What gunicorn serves: `webapp.wsgi:app`. Ends the process with one line when a setting or a task is wrong."""

import sys

from webapp.lib.environment import CannotStart

try:
    from webapp.app import create_app  # which loads every task

    app = create_app()
except CannotStart as error:
    sys.exit(error.report)
