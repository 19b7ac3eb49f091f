"""What all fields of task parameters have in common."""

from typing import Any

from tasks.engine.parameters.parameter import Parameter


class OfParameter:
    """A field of a task's parameter. `data` is its value; what cannot be read stays the text that was typed."""

    def __init__(self, *args: Any, parameter: Parameter, **kwargs: Any) -> None:
        self.parameter = parameter
        super().__init__(*args, **kwargs)

    def belong_to(self, owner: Any) -> None:
        """Hear who fills in the form, before anything is shown or validated."""
        self.owner = owner

    @property
    def problem(self) -> str | None:
        """What is wrong with what was entered, in words, or None."""
        return self.parameter.problem(self.data, self.owner)  # type: ignore[attr-defined]

    @property
    def hint(self) -> str:
        """What to know before filling it in."""
        return self.parameter.hint
