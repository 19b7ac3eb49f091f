"""What gunicorn serves: `webapp.wsgi:app`. Ends the process with one line when a setting is wrong."""

import sys

from webapp.app import create_app
from webapp.settings import SettingsError

try:
    app = create_app()
except SettingsError as error:
    sys.exit(error.report)
