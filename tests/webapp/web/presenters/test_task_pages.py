"""What is different on the pages of one task function: each has one row, and all others none."""

import pytest

from tasks.countdown import countdown
from tasks.send_mail import send_mail
from webapp.models import Task
from webapp.web.presenters.task_pages import TaskPage, page_of, register


def test_a_task_function_has_one_page(app):
    page = page_of(Task(name=send_mail.name))
    assert (page.start_label, page.restart_label) == ("Send now", "Send the rest")
    register(send_mail, page)  # as its module is loaded once more
    with pytest.raises(ValueError, match="send_mail has a page already"):
        register(send_mail, TaskPage(start_label="Go"))
    assert page_of(Task(name=send_mail.name)) == page


@pytest.mark.parametrize("name", [countdown.name, "that is gone", ""])
def test_all_others_are_as_everywhere(app, name):
    assert page_of(Task(name=name)) == TaskPage()
