"""The site, whose web is killed between the commit of a POST to the API and its answer, once for the file $DIES."""

import os
import signal
from pathlib import Path

from flask import Response, request

from webapp.wsgi import app


@app.after_request
def _die(response: Response) -> Response:
    last = Path(os.environ["DIES"])
    if request.method == "POST" and request.path.startswith("/api/") and last.exists():
        last.unlink()
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    return response
