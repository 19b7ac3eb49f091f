"""What a process that builds thousands of apps compiles once, and an app on its own would compile anew."""

from collections.abc import Callable
from copy import copy
from types import CodeType
from typing import Any

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Map, Rule

from webapp.db import compiled_query


class CompiledTemplates(BytecodeCache):
    """The code of templates, shared by all apps of this process."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


class QuickMap(Map):
    """A URL map that shares what is made of its rules with all maps of the same rules.

    To make it is most of what it takes to build an app. Whatever is added later is the business of this map alone.
    """

    _known: dict[object, Map] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._added: list[Rule] = []
        self._remap = False
        del self._matcher, self._rules_by_endpoint

    def add(self, rule: Rule) -> None:
        """Remember a rule until it is asked for."""
        self._added.append(rule)
        for name in ("_matcher", "_rules_by_endpoint"):
            self.__dict__.pop(name, None)

    def __getattr__(self, name: str) -> Any:
        if name not in ("_matcher", "_rules_by_endpoint"):
            raise AttributeError(name)
        spelling = (frozenset(self.converters.items()), *map(_spelling, self._added))
        if (whole := self._known.get(spelling)) is None:
            whole = self._known[spelling] = Map(converters=self.converters)
            for rule in self._added:
                whole.add(copy(rule))  # a rule has one map only, and this one may be asked for it again
            whole.update()
        self._matcher, self._rules_by_endpoint = whole._matcher, whole._rules_by_endpoint
        return self.__dict__[name]


def _spelling(rule: Rule) -> tuple[object, ...]:
    """All that a rule was made of."""
    methods = None if rule.methods is None else frozenset(rule.methods)
    slashes = rule.strict_slashes, rule.merge_slashes
    options = rule.build_only, rule.alias, rule.websocket, rule.redirect_to, rule.provide_automatic_options
    return rule.rule, rule.endpoint, methods, repr(rule.defaults), rule.subdomain, rule.host, slashes, options


class CompiledQueries:
    """The SQL of compiled queries, by the kind of the database; an app on its own has one, and tests have thousands.

    Not where `is_shared` is off: what a test replaces may be spelled in it.
    """

    def __init__(self) -> None:
        self._compile = compiled_query._compile
        self._known: dict[object, tuple[Any, ...]] = {}
        self.is_shared = True

    def __call__(self, db: Any, build: Callable[[], Any]) -> Any:
        """As `compiled_query` does, or as it did before."""
        if not self.is_shared:
            return self._compile(db, build)
        key = type(db), build
        if key not in self._known:
            self._known[key] = self._compile(db, build)
        return db, *self._known[key][1:]
