"""Sealed arguments: the secrets of a task, encrypted, which its row has until the task ends and not longer."""

import json
from collections.abc import Callable, Mapping
from typing import Final, TypeGuard

from peewee import Expression, JSONField

from webapp.lib.json_types import Json

_KEY: Final = "sealed"


def sealed(text: str | None) -> dict[str, Json]:
    """An argument that is secret, as a row has it; None once it is gone."""
    return {_KEY: text}


def sealed_text(argument: Json) -> str | None:
    """What was sealed; None if it is gone. Raises KeyError for an argument that is not secret."""
    if not is_sealed(argument):
        raise KeyError(_KEY)
    text: str | None = argument[_KEY]
    return text


def without_secrets(arguments: Mapping[str, Json]) -> dict[str, Json] | None:
    """The arguments of a task that ends; None if there is no secret among them, and so nothing to change."""
    kept = [name for name, each in arguments.items() if is_sealed(each) and each[_KEY] is not None]
    return {**arguments, **dict.fromkeys(kept, sealed(None))} if kept else None


def resealed(arguments: Mapping[str, Json], reseal: Callable[[str], str | None]) -> dict[str, Json] | None:
    """The arguments with each secret as `reseal` gives it, who gives None for what stays; None if all of it stays."""
    texts = {name: each[_KEY] for name, each in arguments.items() if is_sealed(each)}
    changed = {name: sealed(new) for name, text in texts.items() if text is not None and (new := reseal(text))}
    return {**arguments, **changed} if changed else None


def has_lost_secrets(arguments: Mapping[str, Json] | None) -> bool:
    """Whether any secret among the arguments of a task is gone, so that it cannot run again."""
    return any(is_sealed(each) and each[_KEY] is None for each in (arguments or {}).values())


def is_sealed(argument: object) -> TypeGuard[dict[str, str | None]]:
    """Whether an argument of a task is secret, or was until it ended."""
    return isinstance(argument, dict) and argument.keys() == {_KEY}


def sealed_in(arguments: JSONField) -> Expression:
    """A condition of a query over that column, which finds all that have secrets, and whichever else has that word."""
    return arguments.cast("TEXT").contains(json.dumps(_KEY))


def lost_secrets_in(arguments: JSONField) -> Expression:
    """The same as the condition of a query over that column."""
    text, gone = arguments.cast("TEXT"), sealed(None)
    # PostgreSQL writes a blank after the colon, and SQLite writes none.
    return text.contains(json.dumps(gone)) | text.contains(json.dumps(gone, separators=(",", ":")))
