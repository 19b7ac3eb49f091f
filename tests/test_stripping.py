"""The site without posts, messages and mail: what docs/embedding.md says about it is done to a copy, and used."""

import os
import re
import subprocess
import sys

from tests.copies import Copy
from tests.processes import BIN

SECTION = "## This site with accounts and tasks alone\n"


def test_what_is_left_without_posts_messages_and_mail_works(tmp_path):
    copy = Copy(tmp_path / "copy")
    _, section = (copy.folder / "docs" / "embedding.md").read_text().split(SECTION)
    prose = re.sub(r"^```.*?^```$", "", section, flags=re.MULTILINE | re.DOTALL)
    script = "".join(re.findall(r"^    (.*\n)", prose, re.MULTILINE))
    _run(copy, "/bin/sh", "-euc", script)
    files = re.findall(r"^```\w+\n(?:#|{#) (\S+)[^\n]*\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert len(files) == 3
    for name, text in files:
        (copy.folder / name).write_text(text)
    _run(copy, str(BIN / "ruff"), "check", "--quiet", "--fix-only", "webapp", "tasks")  # `make format`
    _run(copy, str(BIN / "ruff"), "check", "--quiet", "webapp", "tasks")
    left = [str(path) for path in copy.folder.rglob("*.before")]
    assert left == []
    _run(copy, sys.executable, "-m", "tests.stripped", str(tmp_path))


def _run(copy: Copy, *command: str) -> None:
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, cwd=copy.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
