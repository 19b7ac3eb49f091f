"""Hand a person everything they wrote, as one file, here and by mail."""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Literal

from tasks.engine import Labels, Run, TaskError, TemporaryError, user_task
from tasks.lib.csv_cells import csv_row
from webapp import mail
from webapp.lib.phrases import Phrase, phrase
from webapp.lib.times import exact_iso
from webapp.models import Artifact, EmailChange, NoticeCount, Post
from webapp.models.notice_count import MOST_AN_HOUR

# Many mail servers refuse a mail of more than 10 MB, and base64 makes a file a third larger.
ATTACHMENT_LIMIT = 7 * 1024 * 1024
COUNTED, MAILED = "counted", "mailed"  # how far its mail is


TITLE = phrase("export_posts.title", "Export posts as {format}")
NO_POSTS = phrase("export_posts.no_posts", "{title}: you have no posts yet", others="{title}: {owner} has no posts yet")
COLLECTING = phrase("export_posts.collecting", "Collecting your posts", others="Collecting {owner}’s posts")
SENDING = phrase("export_posts.sending", "Sending the email")
SENT = phrase("export_posts.sent", "Emailed to {address}")
NO_SERVER = phrase("export_posts.no_server", "Not emailed: this site has no mail server")
NOT_SENT = phrase("export_posts.not_sent", "The file is ready, but we couldn’t email it: {reason}")
TOO_OFTEN = phrase(
    "export_posts.too_often",
    "Not emailed, as we’ve sent you {number} emails within the hour. Download the file here instead",
)
BUDGET = phrase(
    "export_posts.budget",
    "Not emailed, as this site has reached its limit of emails for today. Download the file here instead",
)
NOT_MAILED = phrase("export_posts.not_mailed", "{title}, not emailed")
UNCONFIRMED = phrase("export_posts.unconfirmed", "Not emailed: confirm {address} in Settings to get exports by email")


def _title(format: str) -> Phrase:
    return TITLE(format=format.upper())


@user_task(title=_title, one_at_a_time=True, retries=3)
def export_posts(task: Run, format: Annotated[Literal["json", "csv"], Labels("JSON", "CSV")] = "json") -> None:
    """Get all your posts in one file, oldest first. It’s also emailed to you if you’ve confirmed an email address."""
    task.stage(COLLECTING())
    posts = Post.by(task.user)
    number = posts.count()
    task.total = number + bool(task.user.email)  # the mail is a step, too: without it the bar is not full
    if not number:
        task.rename(NO_POSTS(title=_title(format)))  # the file is there all the same, and as it should be
    with task.artifact(f"posts.{format}") as out:
        for line in FORMATS[format](task.each(posts), out.size == 0):
            out.write(line)
    if task.user.email and task.cursor != MAILED:
        task.stage(SENDING())
        if mail.is_configured() and not _may_send(task):
            _keep_here(task, format, TOO_OFTEN(number=MOST_AN_HOUR))
        else:
            _send(task, format, out.artifact, count=task.done)
        task.cursor = MAILED
        task.advance()
        task.checkpoint()
    elif not task.user.email and (pending := EmailChange.pending_of(task.user)):
        task.log(UNCONFIRMED(address=pending.address))


def _as_json(posts: Iterable[Post], is_new: bool) -> Iterator[str]:
    separator = '{"posts": [' if is_new else ",\n"
    for post in posts:
        yield separator + json.dumps({"body": post.body, "timestamp": exact_iso(post.created_at)}, ensure_ascii=False)
        separator = ",\n"
    yield "]}\n" if separator.startswith(",") else separator + "]}\n"


def _as_csv(posts: Iterable[Post], is_new: bool) -> Iterator[str]:
    if is_new:
        yield csv_row("body", "timestamp")
    for post in posts:
        yield csv_row(post.body, exact_iso(post.created_at))


FORMATS: dict[str, Callable[[Iterable[Post], bool], Iterator[str]]] = {"json": _as_json, "csv": _as_csv}


def _may_send(task: Run) -> bool:
    """Whether they have not got too many mails yet. It counts once, however often the mail is tried."""
    if task.cursor == COUNTED:
        return True
    if not NoticeCount.take(task.user):
        return False
    task.cursor = COUNTED
    task.checkpoint()
    return True


def _keep_here(task: Run, format: str, why: Phrase) -> None:
    """Say that the file is not mailed: in the timeline, and by its title in the notification, which leads to it."""
    task.log(why)
    task.rename(NOT_MAILED(title=_title(format)))


def _send(task: Run, format: str, artifact: Artifact, count: int) -> None:
    attached = artifact.size <= ATTACHMENT_LIMIT
    try:
        sent = mail.send(
            task.user.email,
            "Your post export is ready",
            "export_posts",
            message_id=f"task-{task.id}",
            attachments=[mail.Attachment(artifact.name, artifact.content_type, artifact.read())] if attached else [],
            user=task.user,
            artifact=artifact,
            count=count,
            attached=attached,
        )
    except mail.BudgetUsedUp:
        NoticeCount.give_back(task.user)
        _keep_here(task, format, BUDGET())
        return
    except mail.MailError as error:
        kind = TemporaryError if error.may_retry else TaskError
        raise kind(NOT_SENT(reason=error.reason)) from error
    task.log(SENT(address=task.user.email) if sent else NO_SERVER())
