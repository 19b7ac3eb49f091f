"""What a process that builds thousands of apps compiles once, and an app on its own would compile anew."""

from collections.abc import Callable
from types import CodeType

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
    """A URL rule whose functions that build addresses are shared by all that are spelled alike.

    Werkzeug compiles two for each rule, which is most of what it takes to build an app. They know nothing of the rule
    but its spelling: each is given the rule itself when it is called.
    """

    _builders: dict[object, Callable[..., tuple[str, str]]] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        spelling = (self.rule, repr(self._trace), repr(self.defaults), append_unknown)
        if spelling not in self._builders:
            self._builders[spelling] = super()._compile_builder(append_unknown)
        return self._builders[spelling]
