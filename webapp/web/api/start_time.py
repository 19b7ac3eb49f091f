"""When something is to start, as programs say it."""

from datetime import datetime

from webapp.web.api.json_body import wrong_body
from webapp.web.api.parameters import WrongText, parse_moment
from webapp.web.api.problems import Fault
from webapp.web.forms.start_time import start_time_problem


def read_start_time(text: str) -> datetime:
    """Naive UTC. Raises Problem (422), at `/run_at`, for what no form takes either."""
    try:
        moment = parse_moment(text)
        words = start_time_problem(moment)
    except WrongText as error:
        words = str(error)
    if words:
        raise wrong_body(Fault(words, pointer="/run_at"))
    return moment
