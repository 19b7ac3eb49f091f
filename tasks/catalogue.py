"""The list of task functions. A new kind of task is its file, in this folder, and its name here."""

from tasks import (  # noqa: F401 - sweep hooks without a task
    count_tasks,
    delete_accounts,
    index_texts,
    mail_budget,
    mail_errors,
    remind_of_tokens,
    reset_passwords,
    suspend_accounts,
    watch_site,
    withdraw_addresses,
)
from tasks.engine import TaskFunction, catalogue

CATALOGUE: dict[str, TaskFunction] = catalogue(
    "tasks",
    "export_account",
    "export_posts",
    "import_posts",
    "resize_images",
    "count_words",
    "countdown",
    "send_mail",
    "mail_account",
    "mail_digest",
    "prepare_picture",
    "mail_messages",
    "mail_task_outcome",
    "act_on_tasks",
)
