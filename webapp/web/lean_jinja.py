"""Jinja2 without what no template here needs: a page writes some thousand values and calls some hundred macros.

The HTML is the same. Jinja2 makes a Markup of each value, which is then joined with the others; asks of each function
that is called, in six look-ups, whether it wants the context; and sorts out a macro's arguments anew with each call.
Here a value is written as a string, a function is called, and a macro that is called by position has its arguments.

So a function marked by `pass_context` or its like gets no context. Filters and tests may be marked.
"""

import operator
from collections.abc import MutableMapping
from typing import Any

from flask.templating import Environment
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame, MacroRef
from jinja2.runtime import Macro
from jinja2.utils import missing
from markupsafe import Markup, escape
from markupsafe import _escape_inner as escape_text  # type: ignore[attr-defined]


class LeanEnvironment(Environment):
    """Flask's environment, whose templates are compiled as said above.

    Its templates have its own globals, and none of their own. Jinja2 compares the globals of two templates with every
    import, and copies them with every include. In a dict that takes a microsecond, and thirty in the chain of dicts
    which it makes for each template.
    """

    call: Any = staticmethod(operator.call)

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        """The globals of a template that is loaded; Jinja2's where the template is given some of its own."""
        return super().make_globals(d) if d else self.globals

    @staticmethod
    def written(value: object) -> str:
        """What a template writes for a value: its text, escaped unless it is HTML."""
        if type(value) is str:
            return escape_text(value)
        return value if type(value) is Markup else escape(value)

    class macro(Macro):  # noqa: N801 - what compiled templates call
        """A macro, which is called by position for the most part."""

        def __init__(self, *args: Any) -> None:
            super().__init__(*args)
            self._left_out = (missing,) * self._argument_count
            self._is_plain = not (self.caller or self.catch_kwargs or self.catch_varargs)

        def __call__(self, *args: Any, **kwargs: Any) -> str:
            """The HTML. Raises TypeError for arguments that it does not have."""
            if kwargs or not self._is_plain or len(args) > self._argument_count:
                return super().__call__(*args, **kwargs)
            return str.__new__(Markup, self._func(*args, *self._left_out[len(args) :]))

    class code_generator_class(CodeGenerator):  # noqa: N801 - Jinja2's name
        """Writes the Python of templates."""

        def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
            if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
                super()._output_child_pre(node, frame, finalize)
            else:
                self.write("environment.written(")

        def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
            """Jinja2's; without the variables of loops and blocks, which are for functions that want the context."""
            self.write("environment.call(")
            self.visit(node.node, frame)
            self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
            self.write(")")

        def macro_def(self, macro_ref: MacroRef, frame: Frame) -> None:
            """Jinja2's; makes a macro of ours."""
            self.write("environment.macro(environment, macro, ")
            node = macro_ref.node
            self.write(f"{getattr(node, 'name', None)!r}, {tuple(argument.name for argument in node.args)!r}, ")
            uses = macro_ref.accesses_kwargs, macro_ref.accesses_varargs, macro_ref.accesses_caller
            self.write(f"*{uses!r}, context.eval_ctx.autoescape)")
