"""One blueprint per noun, each in a file of its own, as its `bp`. This page lists them."""

from importlib import import_module

from flask import Blueprint

NAMES = (
    "home",
    "accounts",
    "settings",
    "people",
    "posts",
    "messages",
    "notifications",
    "tasks",
    "artifacts",
    "mail",
    "live",
    "health",
    "errors",
)
BLUEPRINTS: tuple[Blueprint, ...] = tuple(import_module(f"{__name__}.{name}").bp for name in NAMES)
