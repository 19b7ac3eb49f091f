"""The blueprint of posts, which everybody may read."""

from flask import Blueprint

bp = Blueprint("posts", __name__)
