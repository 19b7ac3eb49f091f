"""What a file belongs to that somebody gave a task, or that a task made for them."""

from flask import url_for

from webapp.models.stored_file import StoredFile


def place_of_artifact(file: StoredFile) -> tuple[str, str, str]:
    """What that is, what it is called, and its address."""
    assert file.task is not None, "an artifact has one"
    kind = "Given to" if file.is_upload else "Made by"
    return kind, file.task.title_words(), url_for("tasks.show", task_id=file.task.id)
