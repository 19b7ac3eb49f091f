"""Models that are made of several classes: what refers to what is the model, and never its row class."""

from webapp.dev.factories import make_draft, make_task
from webapp.models import MODELS, Composition, Mailing, State, Task


def test_a_child_leads_to_its_workflow_and_a_draft_to_its_original(app):
    parent = make_task(State.IN_PROGRESS, composition=Composition.GROUP, name="")
    child = Task.get_by_id(make_task(State.PENDING, parent.user, parent=parent, root=parent).id)
    assert (child.parent, child.root, type(child.parent)) == (parent, parent, Task)
    assert [type(each) for each in parent.children()] == [Task]
    original = make_draft(parent.user)
    draft = Mailing.get_by_id(Mailing.begin_draft(parent.user, original).id)
    assert (draft.original, type(draft.original)) == (original, Mailing)


def test_only_tables_refer_to_each_other():
    referring = {field.model for model in MODELS for field in model._meta.backrefs}
    assert referring <= set(MODELS)
    assert {model for model in referring if model._meta.table_name == "tasks"} == {Task}
