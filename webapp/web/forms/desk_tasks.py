"""Forms about everybody's tasks: which to show, and what to do with one of them."""

from datetime import datetime
from typing import Any

from wtforms import BooleanField, Field, Form, IntegerField, SearchField, SelectChoice, SelectField, StringField
from wtforms.validators import ValidationError
from wtforms.widgets import DateTimeLocalInput

from tasks.catalogue import CATALOGUE
from tasks.engine.models.fair_queue import PRIORITIES
from tasks.engine.models.state import ACTIVE, FINISHED, Group, State
from webapp.lib.times import local
from webapp.models.desk_filter import WORKFLOW, DeskFilter
from webapp.models.desk_query import SPANS, parse, written
from webapp.web.forms.desk import ReasonForm


class DeskFilterForm(Form):
    """What the filter of the desk says, as a form that is sent by GET. What is wrong stands at its fields.

    An argument is typed as `name=value`, for those who may see arguments.
    """

    q = SearchField("Words")
    owner = StringField("Owner")
    state = SelectField("State", validate_choice=False)
    kind = SelectField("Kind", validate_choice=False)
    created_after = StringField("Created from", widget=DateTimeLocalInput())
    created_before = StringField("Created before", widget=DateTimeLocalInput())
    ended_after = StringField("Ended from", widget=DateTimeLocalInput())
    ended_before = StringField("Ended before", widget=DateTimeLocalInput())
    worker = StringField("Worker")
    fingerprint = StringField("Failure")
    bulk = StringField("Bulk action")
    argument = StringField("Argument")
    rescued = BooleanField("Rescued")
    internal = BooleanField("Internal tasks")
    children = BooleanField("Children of workflows")

    def __init__(self, asked: DeskFilter, sent: dict[str, str], problems: dict[str, str], zone: str) -> None:
        """`sent` is shown again where there are `problems`, and else what was `asked` for."""
        shown: dict[str, Any] = sent if problems else written(asked)
        arguments = [f"{name[4:]}={text}" for name, text in shown.items() if name.startswith("arg.")]
        spans = {name: _on_clock(at, zone) for name in SPANS if (at := getattr(asked, name))}
        flags = {name: shown.get(name) == "1" for name in ("rescued", "internal", "children")}
        super().__init__(data={"argument": " ".join(arguments)} | shown | ({} if problems else spans) | flags)
        self.state.choices = _with(self.state.data, _STATES)
        self.kind.choices = _with(self.kind.data, _kinds())
        for name, words in problems.items():
            field = self["argument" if name.startswith("arg.") else name]
            field.errors = [words]

    @property
    def has_more(self) -> bool:
        """Whether any field is filled in that is shown only on request."""
        few = (self.q, self.owner, self.state, self.kind)
        return any(field.data or field.errors for field in self if field not in few)


def _on_clock(at: datetime, zone: str) -> str:
    return local(at, zone or "UTC").strftime("%Y-%m-%dT%H:%M")


def _with(value: str | None, choices: dict[str, str]) -> list[SelectChoice]:
    """The choices, and what was asked for without being one, as links do."""
    more = {value: value.replace(",", ", ").replace("_", " ")} if value and value not in choices else {}
    return [SelectChoice(each, words) for each, words in (choices | more).items()]


def _said(states: frozenset[State]) -> str:
    return ",".join(sorted(states))


_STATES = {"": "Any state", _said(ACTIVE): "Not over", _said(FINISHED): "Over"}
_STATES |= {_said(group.states): group.words for group in Group}


def _kinds() -> dict[str, str]:
    labels = {each.name: f"{each.label} (internal)" if each.internal else each.label for each in CATALOGUE.values()}
    return {"": "Any kind"} | labels | {WORKFLOW: "Workflows"}


class PriorityForm(ReasonForm):
    """Before or after what a task is to go."""

    priority = IntegerField("Priority")

    def validate_priority(self, field: Field) -> None:
        """Requires one that there is."""
        if field.data is None or field.data not in PRIORITIES:
            field.errors = []
            raise ValidationError(f"Enter a whole number from {PRIORITIES[0]} to {PRIORITIES[-1]}.")


def filter_asked(args: dict[str, str], *, may_steer: bool, zone: str) -> DeskFilter:
    """The filter that a form or a link has sent. Raises BadFilter as `parse` does."""
    said = dict(args)
    for number, typed in enumerate(said.pop("argument", "").split()):
        name, _, value = typed.partition("=")
        said[f"arg.{name or number}"] = value
    return parse(said, may_steer=may_steer, zone=zone or "UTC")
