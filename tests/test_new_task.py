"""A new task is one file and one line in the catalogue: the rules that a machine checks ask for nothing else."""

import os
import subprocess
import sys

from tests.copies import Copy
from tests.processes import BIN

TASK = '''"""Counting lines: a task as somebody would write it who has only read the documents."""

import csv
from typing import Annotated

from tasks.cells import csv_row
from tasks.engine import Accept, Run, Upload, user_task
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
CHECKS = {
    "rules": [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "tests/test_imports.py",
        "tests/test_house_rules.py",
        "tests/test_docs.py",
        "tests/webapp/routes/test_starting.py",
        "-k",
        "not load and not example",
    ],
    "lint": [BIN / "ruff", "check", "--no-cache", "tasks"],
    "format": [BIN / "ruff", "format", "--no-cache", "--check", "tasks"],
}


def test_a_new_task_is_one_file_and_one_line(tmp_path):
    copy = Copy(tmp_path / "tree")
    copy.add_task("count_lines", TASK)
    env = {"PATH": os.environ["PATH"]}
    for name, command in CHECKS.items():
        done = subprocess.run(command, cwd=copy.folder, env=env, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, f"{name}: {done.stdout[-3000:]}{done.stderr[-1000:]}"
        assert name != "rules" or "tasks.count_lines" in done.stdout or " passed" in done.stdout
