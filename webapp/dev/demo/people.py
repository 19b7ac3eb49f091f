"""The people of this world, what they post, and what they write to each other."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from random import Random
from time import time

import pyotp

from webapp.dev.account_factories import make_picture
from webapp.dev.demo.files import pictures, text
from webapp.dev.demo.timeline import Event, days_ago
from webapp.dev.factories import make_message, make_post, make_user
from webapp.models import AccountMail, Message, Notification, SecondFactor, User, rename
from webapp.models.permissions import Role
from webapp.models.role_changes import change_role

MAIN = "ann"
GUEST = "calm-otter-4821"
NEWCOMER = "nina"
SPAMMER = "grand-deals-2077"
SPAM = timedelta(hours=4, minutes=10)  # ago
SCAMMER = "lucky-winner-4410"
SCAM = timedelta(days=2, hours=5)  # ago
GUESTS = (GUEST, SPAMMER, SCAMMER)
FIRST_POST = 47  # days ago
LATEST_POST = timedelta(seconds=50)
READ_AFTER = timedelta(minutes=4)

# What they say of themselves, and where they live, which is how their clocks go.
PEOPLE = {
    MAIN: ("I wave my arms on Thursdays, and a choir happens. Ask me for pencils.", "Europe/Berlin"),
    "ben": ("Piano, stools, and the lower half of every chord.", "Europe/London"),
    "chiara": ("Bakes. Sings alto while the dough rises.", "Europe/Rome"),
    "dmitri": ("Бас. Люблю метрономы, чай и паузы между нотами.", "Europe/Helsinki"),
    "hana": ("언어 모임을 엽니다. Languages, cake, and flash cards.", "Asia/Seoul"),
    "jiwoo": ("알토, 이웃, 빵집 단골. 사진 찍을 때 눈을 자주 감아요.", "Asia/Seoul"),
    "olga": ("Сад, пироги и сопрано. Ежи приветствуются.", "Asia/Almaty"),
    "tomas": ("I mend bicycles by the library on Saturdays. Ring the bell.", "Europe/Prague"),
}
# Who may look at the desk, and act there. A secret that everybody can read is for a demonstration alone.
ROLES = {"olga": Role.OPERATOR, "hana": Role.ADMIN, "tomas": Role.VIEWER}
WITH_PICTURES = ("ben", "chiara")
FIRST_NAMES = {"tomas": "bicycle-tomas"}  # of those who have another one by now
TOTP_SECRET = "DEMODEMODEMODEMODEMODEMODEMODEMO"  # noqa: S105 - of nobody real
STEP = 30  # seconds
People = dict[str, User]


def create_people(now: datetime) -> People:
    """Everybody, by their names: those who have been here for long, a guest and a newcomer."""
    people = {}
    for number, (name, (about, zone)) in enumerate(PEOPLE.items()):
        since, seen = days_ago(now, FIRST_POST + 9 - number), now - timedelta(minutes=7 + 13 * number)
        mail = f"{name}@example.com"
        first_name = FIRST_NAMES.get(name, name)
        person = make_user(first_name, email=mail, about=about, time_zone=zone, created_at=since, seen_at=seen)
        people[name] = person
        if rename(person, name):
            AccountMail.settle_mail(person)  # that was long ago
    for name in WITH_PICTURES:
        make_picture(people[name], pictures(name)[0].read())
    for name, role in ROLES.items():
        _give_role(people[name], role)
    people[GUEST] = make_user(GUEST, guest=True, created_at=now - timedelta(hours=20), seen_at=now)
    people[SPAMMER] = make_user(SPAMMER, guest=True, created_at=now - timedelta(hours=5), seen_at=now - SPAM)
    people[SCAMMER] = make_user(SCAMMER, guest=True, created_at=now - SCAM - timedelta(hours=1), seen_at=now - SCAM)
    just_now = now - timedelta(minutes=2)
    people[NEWCOMER] = make_user(NEWCOMER, created_at=just_now, seen_at=just_now)  # so this is their first sign-in
    return people


def _give_role(user: User, role: Role) -> None:
    """A role with the second factor that it needs; nobody is mailed of what they have had for long."""
    change_role(user, role)
    just_before = pyotp.TOTP(TOTP_SECRET).at(int(time()) - STEP)  # so that the code of this moment is still good
    SecondFactor(user).turn_on(TOTP_SECRET, just_before)
    AccountMail.settle_mail(user)


def posts(people: People, now: datetime) -> Iterator[Event]:
    """Everybody's posts, as they stand in the file: seldom at first, ever more often, the latest just now."""
    lines, random = text("posts.txt").splitlines(), Random(11)  # noqa: S311 - no secret
    shares = [(step + random.uniform(0, 0.8)) / len(lines) for step in range(1, len(lines))]
    moments = [now - LATEST_POST, *(days_ago(now - LATEST_POST, share**1.7 * FIRST_POST) for share in shares)]
    for line, at in zip(lines, sorted(moments), strict=True):
        name, _, body = line.partition(": ")
        yield Event(at, partial(make_post, people[name], body, created_at=at))


def messages(people: People, now: datetime) -> Iterator[Event]:
    """Everybody's conversations: who answers has read, and so has in the end everybody, but where it says `unread`."""
    for block in text("conversations.txt").removeprefix("== ").split("\n== "):
        head, *lines = block.splitlines()
        one, other, first, last, *stays = head.split()
        random = Random(head)  # noqa: S311 - no secret
        between = [random.uniform(float(first), float(last)) for _ in lines[2:]]
        moments = sorted(days_ago(now, days) for days in (float(first), float(last), *between))
        for line, at in zip(lines, moments, strict=True):
            sender, _, body = line.partition(": ")
            recipient = other if sender == one else one
            yield Event(at, partial(_write, people[sender], people[recipient], body, at))
        if not stays:
            yield Event(at + READ_AFTER, partial(_read, people[recipient], people[sender], at + READ_AFTER))


def _write(sender: User, recipient: User, body: str, at: datetime) -> None:
    """Somebody writes to another, having read what that one wrote."""
    _read(sender, recipient, at)
    message = make_message(sender, recipient, body)
    Message.update(created_at=at).where(Message.id == message.id).execute()
    news = Notification.user == recipient, Notification.sender == sender
    Notification.update(told_at=at, updated_at=at).where(*news).execute()


def _read(reader: User, other: User, at: datetime) -> None:
    """Somebody reads what another wrote."""
    if Message.read(reader, other):
        both = Message.recipient == reader, Message.sender == other, Message.read_at > at
        Message.update(read_at=at).where(*both).execute()
        news = Notification.user == reader, Notification.sender == other, Notification.read_at > at
        Notification.update(read_at=at).where(*news).execute()
