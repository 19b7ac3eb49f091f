"""What a person gets nothing of, and why."""

from collections.abc import Mapping

from peewee import Model

from tasks.lib.exported.row import Excused, Row
from webapp.models import (
    ChangeCount,
    Deletion,
    ErrorReport,
    FailureGroup,
    FormKey,
    HeldTask,
    IdempotencyKey,
    KindControl,
    Leader,
    MailPace,
    NoticeCount,
    OutcomeMail,
    RateCount,
    SiteAlert,
    StorageCount,
    Worker,
    statistics,
)

ROWS: Mapping[type[Model], Row] = {
    ChangeCount: Excused("A number that tells your open pages when to look again; it says nothing else."),
    Deletion: Excused("What is kept for 14 days of an account that is to be deleted; yours isn't."),
    HeldTask: Excused("Which of your tasks are on hold while your account is suspended; the tasks are in tasks.json."),
    FormKey: Excused("Fingerprints of the forms you sent in the last day, so that none counts twice."),
    IdempotencyKey: Excused("Answers that your programs got in the last day, sealed by a key that they alone have."),
    OutcomeMail: Excused("Which of your ended tasks you are emailed about next; the tasks are in tasks.json."),
    StorageCount: Excused("How much you store, added up; the files are in this ZIP file, each with its size."),
    RateCount: Excused("How often something was tried lately, by fingerprints that don't lead back to anybody."),
    ErrorReport: Excused("Errors of the site's programs. Nothing that anybody typed is in them."),
    FailureGroup: Excused("Causes by which tasks fail, without anything that anybody typed."),
    NoticeCount: Excused("How many emails with news you got in the last hour."),
    MailPace: Excused("How fast the mail server lets this site send."),
    KindControl: Excused("What an operator has decided of all tasks of a kind, as that it waits for now."),
    Leader: Excused("Which of the site's programs does what only one should."),
    SiteAlert: Excused("What was wrong with the site lately."),
    Worker: Excused("Which programs work for the site."),
    **dict.fromkeys(statistics.MODELS, Excused("How many tasks everybody's were, and how long they took, added up.")),
}
