"""Copies of the tree, for tests that change what stands in it."""

import shutil
from pathlib import Path

from tests.processes import ROOT

PARTS = ("webapp", "tasks", "templates", "tests", "docs", "Procfile", "gunicorn.conf.py", "pyproject.toml", "README.md")
PARTS += ("Makefile", "LICENSE", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", ".pre-commit-config.yaml")
PARTS += tuple(f"requirements{part}.{end}" for part in ("", "-run", "-dev") for end in ("in", "txt"))


class Copy:
    """A tree of one's own in a folder, in which files can be written."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for part in PARTS:
            if (ROOT / part).is_dir():
                shutil.copytree(ROOT / part, folder / part)  # with what Python has compiled
            else:
                shutil.copy(ROOT / part, folder / part)

    def add_task(self, name: str, text: str) -> None:
        """Do what the author of a new task does: one file, and one line in the catalogue."""
        (self.folder / "tasks" / f"{name}.py").write_text(text)
        catalogue = self.folder / "tasks" / "catalogue.py"
        text = catalogue.read_text()
        assert '    "export_posts",\n' in text
        catalogue.write_text(text.replace('    "export_posts",\n', f'    "export_posts",\n    "{name}",\n'))
