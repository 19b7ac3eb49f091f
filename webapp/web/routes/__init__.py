"""One blueprint per noun, as the `bp` of a file or, if it has many routes, of a folder. This file lists them."""

from importlib import import_module

from flask import Blueprint

NAMES = (
    "home",
    "accounts",
    "confirmations",
    "unsubscribe",
    "settings",
    "people",
    "pictures",
    "posts",
    "messages",
    "notifications",
    "tasks",
    "artifacts",
    "mail",
    "live",
    "desk",
    "api",
    "developers",
    "health",
    "metrics",
    "errors",
)
BLUEPRINTS: tuple[Blueprint, ...] = tuple(import_module(f"{__name__}.{name}").bp for name in NAMES)
