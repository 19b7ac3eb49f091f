"""What a process that builds thousands of apps compiles once, and an app on its own would compile anew."""

from types import CodeType
from typing import Any

from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule


class CompiledTemplates(BytecodeCache):
    """The code of templates, shared by all apps of this process."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._codes[bucket.key, bucket.checksum] = bucket.code


class QuickRule(Rule):
    """A URL rule that shares what is compiled of it with all that are spelled alike.

    That is most of what it takes to build an app. It knows nothing of the rule but its spelling: functions that build
    addresses are given the rule itself when they are called, and converters ask their map for nothing.
    """

    _compiled: dict[object, dict[str, Any]] = {}

    def compile(self) -> None:
        """As Werkzeug does, or as it did before."""
        spelling = (self.rule, self.subdomain, self.host, self.merge_slashes, repr(self.defaults))
        if (known := self._compiled.get(spelling)) is None:
            super().compile()
            names = "_parts", "_trace", "_converters", "arguments"
            known = {name: getattr(self, name) for name in names}
            known |= {name: getattr(self, name).__func__ for name in ("_build", "_build_unknown")}
            self._compiled[spelling] = known
        for name, value in known.items():
            setattr(self, name, value.__get__(self, None) if name.startswith("_build") else value)
