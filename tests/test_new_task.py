"""A new task is one file and one line in the catalogue: the rules that a machine checks ask for nothing else."""

import runpy
import subprocess
import sys
from typing import Any

import pytest

from tests.copies import Copy
from tests.processes import BIN, ROOT

TASK = '''"""Counting lines: a task as somebody would write it who has only read the documents."""

import csv
from typing import Annotated

from tasks.engine import Accept, Run, Upload, user_task
from tasks.lib.csv_cells import csv_row
from webapp.models import Post


@user_task(title="Count the lines of {file}", retries=3)
def count_lines(task: Run, file: Annotated[Upload, Accept(".csv")], loud: bool = False) -> int:
    """Count the rows of a table, and write a post about it."""
    number = sum(1 for _ in csv.reader(file.lines()))
    with task.artifact("number.csv") as out:
        out.write(csv_row([str(number)]))
    Post.create(user=task.user, body=f"{number} lines{'!' if loud else ''}")
    return number
'''
LINT = ([BIN / "ruff", "check", "--no-cache", "tasks"], [BIN / "ruff", "format", "--no-cache", "--check", "tasks"])


def _rules(name: str) -> dict[str, Any]:
    """The tests of a file, as they are for the tree that ROOT names."""
    return runpy.run_path(str(ROOT / "tests" / name))


def test_a_new_task_is_one_file_and_one_line(tmp_path, monkeypatch):
    copy = Copy(tmp_path)
    copy.add_task("count_lines", TASK)
    monkeypatch.setattr("tests.processes.ROOT", copy.folder)
    imports, documents = _rules("test_imports.py"), _rules("test_docs.py")
    imports["test_a_file_imports_only_from_its_floor_and_lower_ones"]()
    imports["test_no_imports_go_in_a_circle"]()
    imports["test_only_settings_reads_the_environment"]()
    imports["test_only_one_file_knows_the_headers_of_htmx"]()
    for document in documents["DOCUMENTS"].values():
        documents["test_every_file_that_a_document_names_is_there"](document)
    for command in LINT:
        done = subprocess.run(command, cwd=copy.folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    catalogue = "from tasks.catalogue import CATALOGUE; print(CATALOGUE['count_lines'].parameters[0].suffixes)"
    done = subprocess.run([sys.executable, "-c", catalogue], cwd=copy.folder, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("('.csv',)\n", "")

    (copy.folder / "tasks" / "count_lines.py").write_text(f"import webapp.web.presenters.tray\n{TASK}")
    with pytest.raises(AssertionError, match=r"tasks.count_lines imports webapp.web.presenters.tray"):
        imports["test_a_file_imports_only_from_its_floor_and_lower_ones"]()
