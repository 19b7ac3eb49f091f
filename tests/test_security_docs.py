"""docs/security.md: each requirement has its row, each test that it names is there, and its numbers are the code's."""

import re
from base64 import urlsafe_b64decode
from datetime import timedelta

from tasks.queue import SignedJson
from tests.processes import ROOT
from webapp.lib.sealing import seal
from webapp.mail import confirmation_links
from webapp.mail.confirmation_links import Purpose
from webapp.models import MODELS, password_reset
from webapp.models.passwords import HASHING
from webapp.models.recovery_code import COST
from webapp.models.second_factor import new_secret
from webapp.models.session import IDLE, LONGEST
from webapp.web import known_browsers, rate_limits, reauthentication

TEXT = (ROOT / "docs" / "security.md").read_text()
WORDS = re.sub(r"\s+", " ", TEXT)
# Of ASVS 5.0.0, those at levels 1 and 2.
REQUIREMENTS = {
    "1": """1.1 1.2 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 2.9 3.1 3.2 3.3 3.4 3.5 3.6 3.7 3.8 3.9 3.10 3.11 4.1 4.2
            4.3 5.1 5.2""",
    "2": "1.1 1.2 1.3 2.1 2.2 2.3 3.1 3.2 3.3 3.4 4.1",
    "3": "2.1 2.2 3.1 3.2 3.3 3.4 4.1 4.2 4.3 4.4 4.5 4.6 5.1 5.2 5.3 5.4 5.5 7.1 7.2",
    "4": "1.1 1.2 1.3 2.1 3.1 3.2 4.1 4.2 4.3 4.4",
    "5": "1.1 2.1 2.2 2.3 3.1 3.2 4.1 4.2 4.3",
    "6": """1.1 1.2 1.3 2.1 2.2 2.3 2.4 2.5 2.6 2.7 2.8 2.9 2.10 2.11 2.12 3.1 3.2 3.3 3.4 4.1 4.2 4.3 4.4 5.1
            5.2 5.3 5.4 5.5 6.1 6.2 6.3 8.1 8.2 8.3 8.4""",
    "7": "1.1 1.2 1.3 2.1 2.2 2.3 2.4 3.1 3.2 4.1 4.2 4.3 4.4 4.5 5.1 5.2 6.1 6.2",
    "8": "1.1 1.2 2.1 2.2 2.3 3.1 4.1",
    "9": "1.1 1.2 1.3 2.1 2.2 2.3 2.4",
    "10": """1.1 1.2 2.1 2.2 3.1 3.2 3.3 3.4 4.1 4.2 4.3 4.4 4.5 4.6 4.7 4.8 4.9 4.10 4.11 5.1 5.2 5.3 5.4 5.5
            6.1 6.2 7.1 7.2 7.3""",
    "11": "1.1 1.2 2.1 2.2 2.3 3.1 3.2 3.3 4.1 4.2 4.3 4.4 5.1 6.1",
    "12": "1.1 1.2 1.3 2.1 2.2 3.1 3.2 3.3 3.4",
    "13": "1.1 2.1 2.2 2.3 2.4 2.5 3.1 3.2 4.1 4.2 4.3 4.4 4.5",
    "14": "1.1 1.2 2.1 2.2 2.3 2.4 3.1 3.2 3.3",
    "15": "1.1 1.2 1.3 2.1 2.2 2.3 3.1 3.2 3.3 3.4 3.5 3.6 3.7",
    "16": "1.1 2.1 2.2 2.3 2.4 2.5 3.1 3.2 3.3 3.4 4.1 4.2 4.3 5.1 5.2 5.3",
    "17": "1.1 2.1 2.2 2.3 2.4 3.1 3.2",
}
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+) \| ([12]) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)
LEVELS = {"secret", "private", "public"}


def test_every_requirement_has_one_row():
    wanted = [f"{chapter}.{number}" for chapter, numbers in REQUIREMENTS.items() for number in numbers.split()]
    assert [number for number, *_ in ROWS] == wanted


def test_each_row_names_tests_that_are_there_or_a_reason():
    texts = {path: (ROOT / path).read_text() for path in re.findall(r"`(tests/[\w/]+\.py)::", TEXT)}
    for number, _, status, how in ROWS:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", how)
        for path, name in named:
            assert f"def {name}(" in texts[path], f"{number}: {path} has no {name}"
        assert status in {"met", "not applicable", "open"}
        if status == "met":
            assert named, f"{number} is met by no test"
        else:
            assert len(how) > 10, f"{number} gives no reason"


def test_the_algorithms_are_those_of_the_code(app):
    assert f"| passwords | {HASHING.replace(':', ' ', 1)}, " in TEXT
    assert f"| recovery codes | scrypt {COST}:8:1, " in TEXT
    assert f"a random secret of {len(new_secret()) * 5} bits" in TEXT
    sealed = urlsafe_b64decode(seal("text", key="key", purpose=b"purpose").partition(".")[2])
    assert len(sealed) == 12 + len("text") + 16, "the nonce and the tag of GCM"
    with app.app_context():
        signers = known_browsers._signer(), confirmation_links._signer(Purpose.UNDO), password_reset._serializer("key")
        hashes = {signer.make_signer(signer.salt).digest_method().name for signer in signers}
    assert hashes | {SignedJson("key")._signer.digest_method} == {"sha256"}


def test_the_lifetimes_are_those_of_the_code():
    assert f"after {IDLE.days} days without a visit" in WORDS
    assert f"{LONGEST.days} days after it began" in WORDS
    assert f"within the last {reauthentication.HOLDS // timedelta(minutes=1)} minutes" in WORDS


def test_the_limits_are_those_of_the_code():
    rows = {
        "one network address, for all accounts": rate_limits.PER_ADDRESS,
        "one network address, for one account": rate_limits.PER_ACCOUNT_AT_ADDRESS,
        "all network addresses, for one account": rate_limits.PER_ACCOUNT,
    }
    names = {60: "a minute", 3600: "an hour"}
    for who, limits in rows.items():
        most = " and ".join(f"{limit.amount} {names[limit.get_expiry()]}" for limit in limits)
        assert f"| {who} | {most} |" in TEXT


def _levels_of_tables() -> dict[str, str]:
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ([^|]+) \| [^|]+ \|$", TEXT, re.MULTILINE)
    return {table: level for tables, level in rows for table in re.findall(r"`(\w+)`", tables)}


def test_every_table_has_a_level_of_protection():
    levels = _levels_of_tables()
    assert {model._meta.table_name for model in MODELS} - levels.keys() == set()
    is_one = re.compile(rf"\b({'|'.join(LEVELS)})\b|^digests of |^nothing personal$")
    assert [table for table, level in levels.items() if not is_one.search(level)] == []


def test_every_level_of_protection_is_described():
    described = dict(re.findall(r"^\| \*\*(\w+)\*\* \| [^|]+ \| ([^|]+) \|$", TEXT, re.MULTILINE))
    assert described.keys() == LEVELS
    assert all(len(protection) > 40 for protection in described.values())
