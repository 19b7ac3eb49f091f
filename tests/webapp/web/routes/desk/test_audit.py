"""The audit at the desk: what one reads of an entry, how one finds it, and its export."""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest

from tests.browsing import browse, words
from webapp.db import database
from webapp.dev.desk_factories import make_audit_entry, make_staff
from webapp.dev.factories import make_task, make_user
from webapp.lib.times import utcnow
from webapp.models import AuditEntry, audit_list
from webapp.models.audit import Outcome, Via
from webapp.models.permissions import Role

MOST_QUERIES = 7  # the session, three for the entries, their names, the tray and the badges
ROOT = Path(__file__).parents[5]


@pytest.fixture
def ada(app):
    """An operator."""
    return make_staff(name="ada")


@pytest.fixture
def read(app, ada):
    """A function that asks for the audit with a filter, and returns the answer."""
    browser = browse(app, ada)
    return lambda **wanted: browser.get("/desk/audit", query_string=wanted)


def ids(answer) -> list[int]:
    """The entries on a page."""
    return [int(row["id"].removeprefix("auditentry-")) for row in answer.page.select("tr[id]")]


def test_an_entry_says_who_did_what_to_what_why_and_how_it_ended(read, ada):
    task = make_task(user=(ann := make_user("ann")))
    entry = make_audit_entry(ada, target=f"task {task.id}", about=ann, reason="It hung", request_id="request-7")
    answer = read()
    row = words(answer.one(f"#auditentry-{entry.id}"))
    assert "ada operator, desk Canceled a task" in row
    assert "of ann It hung Done" in row
    assert "Request request-…" in row
    assert answer.one(f"#auditentry-{entry.id} .id")["title"] == "request-7"
    assert answer.one(f"#auditentry-{entry.id} a")["href"] == f"/desk/tasks/{task.id}"


def test_a_refusal_says_why(read, ada):
    entry = make_audit_entry(ada, outcome=Outcome.REFUSED, error="not allowed by the role")
    assert "Refused not allowed by the role" in words(read().one(f"#auditentry-{entry.id}"))


def test_what_has_changed_stands_with_what_it_was(read):
    before = {"max_running": 3, "stops": None, "reason": ""}
    after = {"max_running": 5, "stops": True, "reason": "", "until": "14:00"}
    entry = make_audit_entry(target="kind countdown", before=before, after=after)
    row = words(read().one(f"#auditentry-{entry.id}"))
    assert "max running: 3 → 5 stops: none → yes until: none → 14:00" in row
    assert "reason:" not in row


def test_a_time_that_has_changed_is_told_by_the_readers_clock(read, ada):
    type(ada).update(time_zone="Asia/Almaty").where(type(ada).id == ada.id).execute()
    entry = make_audit_entry(target="kind countdown", before=None, after={"paused_until": "2026-11-21T09:30:12.5Z"})
    answer = read()
    row = words(answer.one(f"#auditentry-{entry.id}"))
    assert "paused until: none → 21 November 2026, 14:30" in row
    assert "Times: Asia/Almaty" in answer.words


def test_people_are_called_what_they_are_called_now(read, ada):
    left = make_audit_entry(make_staff(name="leo"), about=make_user("lia"))
    left.actor.delete_instance()
    entry = make_audit_entry(ada, target=f"person {left.about_id}", about=left.about)
    type(left.about).update(username="mia", username_key="mia").where(type(left.about).id == left.about_id).execute()
    answer = read()
    assert "Deleted account" in words(answer.one(f"#auditentry-{left.id}"))
    assert "person mia Done" in words(answer.one(f"#auditentry-{entry.id}"))
    assert "leo" not in answer.words


def test_a_command_is_told_by_who_was_signed_in_to_the_machine(read, ada):
    entry = make_audit_entry(ada, via=Via.COMMAND, role=None, command_user="root")
    AuditEntry.update(actor=None).where(AuditEntry.id == entry.id).execute()
    assert "root command line" in words(read(via="command").one(f"#auditentry-{entry.id}"))


@pytest.mark.parametrize("role", Role)
def test_networks_are_told_to_admins_alone(app, role):
    make_audit_entry(network="192.0.2.0/24")
    browser = browse(app, make_staff(role))
    for url in ("/desk/audit", "/desk/audit.csv"):
        assert ("192.0.2.0/24" in browser.get(url).get_data(as_text=True)) == (role == Role.ADMIN)


def test_an_action_of_a_later_release_stands_under_its_name(read):
    entry = make_audit_entry(action="clone task", via="fax", target="")
    assert "operator, fax clone task" in words(read().one(f"#auditentry-{entry.id}"))


def test_entries_are_found_by_each_filter_and_by_all_together(read, ada):
    ann, now = make_user("ann"), utcnow()
    told = {"about": ann, "target": "kind countdown", "via": Via.API, "outcome": Outcome.REFUSED, "at": now}
    wanted = make_audit_entry(ada, **told)
    old = now - timedelta(days=3)
    for other in (
        {"actor": make_staff()},
        *({name: value} for name, value in {"about": None, "target": "kind x", "via": Via.PAGE, "at": old}.items()),
        {"action": "clone task"},
        {"outcome": Outcome.DONE},
    ):
        make_audit_entry(**{"actor": ada} | told | other)
    day = f"{now:%Y-%m-%d}"
    filters = {"person": "Ada", "about": "ann", "target": "kind countdown", "via": "api", "outcome": "refused"}
    filters |= {"action": "cancel task", "since": day, "until": day}
    every = len(AuditEntry.select())
    for name, value in filters.items():
        found = read(**{name: value})
        assert wanted.id in ids(found), name
        assert len(ids(found)) == every - (name != "until"), name
    assert ids(read(**filters)) == [wanted.id]
    assert ids(read(until=f"{now - timedelta(days=9):%Y-%m-%d}")) == []
    assert ids(read(since=f"{now + timedelta(days=9):%Y-%m-%d}")) == []


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"person": "nobody-here"}, "Nobody has that name."),
        ({"about": "nobody-here"}, "Nobody has that name."),
        ({"action": "dance"}, "Choose one from the list."),
        ({"since": "yesterday"}, "Enter a date like 2026-11-21."),
        ({"since": "2026-11-22", "until": "2026-11-21"}, "“To” can’t be before “From”."),
        ({"target": "x" * 101}, "Enter at most 100 characters."),
    ],
)
def test_a_filter_that_is_wrong_says_so_at_its_field(app, read, ada, wrong, sentence):
    make_audit_entry()
    answer = read(**wrong)
    assert (answer.status_code, ids(answer)) == (422, [])
    assert sentence in answer.words
    assert browse(app, ada).get("/desk/audit.csv", query_string=wrong).status_code == 400


def test_older_entries_are_on_further_pages_with_the_same_filter(read, ada):
    made = [make_audit_entry(ada).id for _ in range(60)]
    first = read(person="ada")
    assert ids(first) == made[:9:-1]
    browser_path = first.one("a[rel=next]")["href"]
    assert "person=ada" in browser_path
    assert ids(read(person="ada", before=re.search(r"before=(\d+)", browser_path).group(1))) == made[9::-1]
    assert read(before="x").status_code == 400


def test_what_no_index_has_is_looked_for_among_so_many_and_the_next_page_goes_on(read, ada, monkeypatch):
    monkeypatch.setattr(audit_list, "MOST_LOOKED_THROUGH", 5)
    wanted = make_audit_entry(ada, outcome=Outcome.REFUSED)
    for _ in range(6):
        make_audit_entry(ada)
    first = read(person="ada", outcome="refused")
    assert ids(first) == []
    assert "There may be older ones." in first.words
    before = re.search(r"before=(\d+)", first.one("a[rel=next]")["href"]).group(1)
    assert ids(read(person="ada", outcome="refused", before=before)) == [wanted.id]


def test_a_page_takes_as_few_queries_however_many_entries_there_are(read, queries):
    found = []
    for _ in range(2):
        for _ in range(30):
            make_audit_entry(about=make_user(), target="kind countdown")
        with queries() as asked:
            assert read(action="cancel task", outcome="done", since="2026-01-01").status_code == 200
        found.append(asked.count)
    assert max(found) <= MOST_QUERIES


def rows(answer) -> list[dict[str, str]]:
    """The rows of an export."""
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


def test_the_export_has_what_the_filter_lets_through_and_no_formula(app, ada):
    make_audit_entry(ada, target="kind x")
    make_audit_entry(ada, target="kind countdown", reason='=HYPERLINK("x")', before={"a": 1}, request_id="r-1")
    answer = browse(app, ada).get("/desk/audit.csv?target=kind+countdown")
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    [row] = rows(answer)
    told = {"who": "ada", "role": "operator", "action": "cancel task", "before": '{"a": 1}', "outcome": "done"}
    assert row | told | {"reason": '\'=HYPERLINK("x")', "after": "", "request": "r-1", "count": "1"} == row


def test_the_export_is_read_in_pieces_and_ends_at_its_limit(app, ada, monkeypatch):
    for _ in range(12):
        make_audit_entry(ada)
    newest = [row.id for row in AuditEntry.select().order_by(AuditEntry.id.desc())]
    found = list(audit_list.AuditFilter().batches(size=4, most=10))
    assert [len(batch) for batch in found] == [4, 4, 2]
    assert [entry.id for batch in found for entry in batch] == newest[:10]
    monkeypatch.setattr(audit_list, "MOST_LOOKED_THROUGH", 5)
    assert list(audit_list.AuditFilter(outcome=Outcome.REFUSED).batches(size=4, most=10)) == []


def test_nothing_in_the_code_changes_an_entry_or_deletes_one_but_for_its_age():
    changes = re.compile(r"AuditEntry\s*\.\s*(update|insert|delete|replace)|entry\.(delete_instance|save)\(")
    found = {
        (str(path.relative_to(ROOT)), line.strip())
        for folder in ("webapp", "tasks")
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text().splitlines()
        if "demo" not in path.parts  # which makes up a past
        and changes.search(line)
        and "audit" in path.read_text().lower()
    }
    assert found == {("webapp/models/audit.py", "entry.save(force_insert=True)")}


def test_a_file_that_cannot_be_read_from_the_database_is_not_begun(app, ada):
    """Whoever saves it would take a file that ends too soon for all there is."""
    browser = browse(app, ada)
    database.execute_sql("ALTER TABLE audit_entries RENAME TO audit_of_before")
    assert browser.get("/desk/audit.csv").status_code == 500
