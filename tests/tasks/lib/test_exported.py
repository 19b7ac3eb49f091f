"""EXPORTED: each model and each of its columns is told in words or excused in words."""

import pytest

from tasks.lib.exported import EXPORTED, Column, Excused, Exported, Inside, columns_of, inside
from webapp.models import MODELS

ROWS = {model: row for model, row in EXPORTED.items() if isinstance(row, Exported | Inside)}


def test_every_model_is_exported_or_excused_in_words():
    new = [model.__name__ for model in MODELS if model not in EXPORTED]
    assert not new, (
        f"{', '.join(new)}: say in tasks/lib/exported/ what a person gets of it when they download everything. Give it"
        " a row in the module that is about such things: Exported to a JSON file, Inside the rows of another model, or"
        " Excused with the reason, in a sentence for the person."
    )
    gone = [model.__name__ for model in EXPORTED if model not in MODELS]
    assert not gone, f"{', '.join(gone)}: no longer in webapp.models.MODELS; take the row out of tasks/lib/exported/"


@pytest.mark.parametrize("model", ROWS)
def test_every_column_is_told_or_excused_in_words(model):
    columns, row = set(model._meta.fields), ROWS[model]
    new, gone = columns - row.columns.keys(), row.columns.keys() - columns
    assert not new, (
        f"{model.__name__}: {', '.join(sorted(new))}. In its row in tasks/lib/exported/, give each a Column with words"
        " for README.txt, or a reason of reasons.py, or an Excused of its own. Nothing secret is told, and nothing"
        " private of others."
    )
    assert not gone, f"{model.__name__} has no {', '.join(sorted(gone))}: take it out of its row in tasks/lib/exported/"
    names = [name for name, _ in columns_of(row)]
    assert len(names) == len(set(names)), f"two fields of one name in {model.__name__}"


def test_all_words_are_there():
    for model, row in EXPORTED.items():
        reasons = [row] if isinstance(row, Excused) else [each for each in row.columns.values()]
        for each in reasons:
            words = each.words if isinstance(each, Column) else each.why
            assert len(words) >= 3, model
            assert isinstance(each, Column) or (words[0].isupper() and words.endswith(".")), f"{model}: {words}"


def test_no_two_have_one_file_and_what_is_inside_is_inside_one_that_has():
    files = [row.file for row in ROWS.values() if isinstance(row, Exported)]
    assert len(files) == len(set(files))
    for model, row in ROWS.items():
        if isinstance(row, Inside):
            assert isinstance(EXPORTED[row.parent], Exported)
            assert inside(row.parent) == (model, row), "one model inside another, and no more"
