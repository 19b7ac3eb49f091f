"""What Errand stores. One noun a file; this file lists them in the order in which they depend on each other.

All code takes locks in one order: tasks, the topmost parent first (`tasks.engine.models.locks`); people, by id
(`User.hold`); the rest; and the counts of changes as the last write before the commit (`User.count_change`). Only code
that waits for no lock holds several workflows. docs/architecture.md says why there is no circle in that.
"""

from tasks.engine.models import fair_queue, workflow
from tasks.engine.models.artifact import Artifact, ArtifactChunk
from tasks.engine.models.artifact_writer import ArtifactWriter
from tasks.engine.models.composition import Composition
from tasks.engine.models.event import TaskEvent
from tasks.engine.models.failure_group import FailureGroup
from tasks.engine.models.force_end import ForceEnd
from tasks.engine.models.kind_control import KindControl
from tasks.engine.models.leader import Leader
from tasks.engine.models.state import State
from tasks.engine.models.task import Task
from tasks.engine.models.transitions import IllegalTransition, SecretsGone
from tasks.engine.models.unique_key import AlreadyRunning
from tasks.engine.models.worker import Worker
from webapp.models.account_mail import AccountMail
from webapp.models.api_token import ApiToken
from webapp.models.audit import AuditEntry
from webapp.models.block import Block, Blocked
from webapp.models.conversation import Conversation
from webapp.models.deletion import Deletion
from webapp.models.digest import Digest
from webapp.models.email_change import ChangeState, EmailChange
from webapp.models.error_report import ErrorReport
from webapp.models.form_key import FormKey, Made
from webapp.models.former_name import FormerName
from webapp.models.idempotency_key import IdempotencyKey
from webapp.models.mail_pace import MailPace
from webapp.models.mailing.attachments import MailingFile
from webapp.models.mailing.daily_limit import OverLimit
from webapp.models.mailing.delivery import Delivery
from webapp.models.mailing.mail_count import MailCount
from webapp.models.mailing.mailing import DraftGone, Mailing
from webapp.models.mailing.suppression import Suppression
from webapp.models.message import Message
from webapp.models.notice_count import Counted, NoticeCount
from webapp.models.notification import Notification
from webapp.models.notification_kinds import NotificationKind
from webapp.models.outcome_mail import OutcomeMail
from webapp.models.picture import Picture, PictureUpload
from webapp.models.post import Post
from webapp.models.quotas import OverQuota
from webapp.models.rate_count import RateCount
from webapp.models.recovery_code import RecoveryCode
from webapp.models.renaming import rename
from webapp.models.report import Report
from webapp.models.second_factor import SecondFactor
from webapp.models.session import Session
from webapp.models.site_alert import SiteAlert
from webapp.models.statistics.counts import LineHour, LineMinute, Rollup, TaskHour, TaskMinute, TaskTotal
from webapp.models.storage_count import StorageCount
from webapp.models.stored_attachment import StoredAttachment
from webapp.models.suspension import HeldTask, Suspension
from webapp.models.task_news import kind_of_end, tell_success_as
from webapp.models.task_quotas import take_place  # noqa: F401 - an observer
from webapp.models.unconfirmed_addresses import withdraw
from webapp.models.user import User
from webapp.models.user_changes import ChangeCount
from webapp.models.usernames import UsernameTaken, username_key

MODELS = (
    User,
    Session,
    ApiToken,
    ChangeCount,
    Post,
    Task,
    TaskEvent,
    ForceEnd,
    Notification,
    Artifact,
    ArtifactChunk,
    Leader,
    Mailing,
    MailingFile,
    StoredAttachment,
    StorageCount,
    Delivery,
    MailCount,
    Suppression,
    Message,
    Conversation,
    Block,
    Report,
    RateCount,
    FormKey,
    IdempotencyKey,
    OutcomeMail,
    NoticeCount,
    MailPace,
    AccountMail,
    ErrorReport,
    RecoveryCode,
    EmailChange,
    FormerName,
    Picture,
    PictureUpload,
    Deletion,
    Worker,
    AuditEntry,
    FailureGroup,
    Suspension,
    HeldTask,
    TaskMinute,
    TaskHour,
    TaskTotal,
    LineMinute,
    LineHour,
    Rollup,
    KindControl,
    SiteAlert,
)

__all__ = [
    "MODELS",
    "AccountMail",
    "AlreadyRunning",
    "ApiToken",
    "Artifact",
    "ArtifactChunk",
    "ArtifactWriter",
    "AuditEntry",
    "Block",
    "Blocked",
    "ChangeCount",
    "ChangeState",
    "Composition",
    "Conversation",
    "Counted",
    "Deletion",
    "Delivery",
    "Digest",
    "DraftGone",
    "EmailChange",
    "ErrorReport",
    "FailureGroup",
    "ForceEnd",
    "FormKey",
    "FormerName",
    "HeldTask",
    "IdempotencyKey",
    "IllegalTransition",
    "KindControl",
    "Leader",
    "LineHour",
    "LineMinute",
    "Made",
    "MailCount",
    "MailPace",
    "Mailing",
    "MailingFile",
    "Message",
    "NoticeCount",
    "Notification",
    "NotificationKind",
    "OutcomeMail",
    "OverLimit",
    "OverQuota",
    "Picture",
    "PictureUpload",
    "Post",
    "RateCount",
    "RecoveryCode",
    "Report",
    "Rollup",
    "SecondFactor",
    "SecretsGone",
    "Session",
    "SiteAlert",
    "State",
    "StorageCount",
    "StoredAttachment",
    "Suppression",
    "Suspension",
    "Task",
    "TaskEvent",
    "TaskHour",
    "TaskMinute",
    "TaskTotal",
    "User",
    "UsernameTaken",
    "Worker",
    "fair_queue",
    "kind_of_end",
    "rename",
    "tell_success_as",
    "username_key",
    "withdraw",
    "workflow",
]
