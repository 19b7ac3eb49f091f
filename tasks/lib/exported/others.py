"""What a person gets of how they get on with others: whom they block, what they reported, and what operators did."""

from collections.abc import Mapping

from peewee import Model

from tasks.lib.exported.reasons import INNER, YOURS
from tasks.lib.exported.row import Column, Excused, Exported, Row
from webapp.models import AuditEntry, Block, Report, User

ROWS: Mapping[type[Model], Row] = {
    Block: Exported(
        file="blocks.json",
        title="whom you block",
        of=lambda user: [
            Block.select(Block, User).join(User, on=Block.blocked).where(Block.user == user.id).order_by(Block.id)
        ],
        columns={
            "id": INNER,
            "user": YOURS,
            "blocked": Column("the username of whom you block", value=lambda block: block.blocked.shown_name),
            "created_at": Column("since when"),
        },
    ),
    Report: Exported(
        file="reports.json",
        title="what you reported",
        of=lambda user: [
            Report.select(Report, User)
            .join(User, on=Report.about)
            .where(Report.reporter == user.id)
            .order_by(Report.id)
        ],
        columns={
            "id": Column("the number of the report"),
            "reporter": YOURS,
            "about": Column("the username of whoever wrote it", value=lambda report: report.about.shown_name),
            "kind": Column("post or message"),
            "subject_id": Column("the number of that post or message"),
            "subject_at": Column("when it was written"),
            "text": Column("what it said"),
            "reason": Column("the reason that you chose"),
            "words": Column("what you said of it"),
            "state": Column("open or closed"),
            "handler": Excused("Who closed it works for this site."),
            "outcome": Column("what came of it, once it was closed"),
            "closed_at": Column("when it was closed"),
            "created_at": Column("when you reported it"),
        },
    ),
    AuditEntry: Exported(
        file="audit.json",
        title="what you did as an operator of this site, and what operators did with what is yours",
        of=lambda user: [
            AuditEntry.select().where(AuditEntry.actor == user.id).order_by(AuditEntry.id),
            AuditEntry.select()
            .where(AuditEntry.about == user.id, AuditEntry.actor.is_null() | (AuditEntry.actor != user.id))
            .order_by(AuditEntry.id),
        ],
        columns={
            "id": Column("the number of the entry"),
            "at": Column("when"),
            "actor": Excused("You, where about is not you; else an operator, who works for this site."),
            "command_user": INNER,
            "role": Column("the role of whoever did it"),
            "via": Column("page, api or command"),
            "token_id": INNER,
            "network": Excused("Where somebody worked; of your own sessions, it is in sessions.json."),
            "request_id": INNER,
            "action": Column("what was done"),
            "target": Column("to what"),
            "about": Column(
                "whether it was about somebody’s account or tasks", value=lambda entry: entry.about_id is not None
            ),
            "count": Column("to how many"),
            "before": Column("what it was"),
            "after": Column("what it became"),
            "reason": Column("why, in the words of whoever did it"),
            "outcome": Column("done, or refused"),
            "error": Column("why it was refused"),
        },
    ),
}
