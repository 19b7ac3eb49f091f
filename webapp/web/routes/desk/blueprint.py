"""The blueprint of the desk, which does not exist for those who may not see it."""

from flask import Blueprint

from webapp.models.permissions import Action
from webapp.web.permissions import demand_permission

bp = Blueprint("desk", __name__, url_prefix="/desk")


@bp.before_request
def let_in() -> None:
    """Answer 404 to everybody else, visitors included. What changes anything asks for more by `audited_action`."""
    demand_permission(Action.VIEW_DESK)
