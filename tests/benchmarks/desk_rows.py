"""What the desk reads beside tasks: numbers of minutes and hours, failures, workers, the audit; and tasks of all sorts.

Half of the crowd's tasks wait, all of one kind, ahead of all others. Of what has ended a tenth has failed, by GROUPS
causes, half of it by the first. Statements that both databases understand, for `filling.fill`.
"""

from webapp.lib.histogram import BUCKETS

GROUPS, WORKERS, RUNNING, ENTRIES = 150, 40, 200, 100_000
HELD = "countdown"  # the kind of which half a million wait
KINDS = ("", HELD, "export_posts", "count_words", "import_posts", "send_mail", *(f"kind_{n}" for n in range(6)))
_HISTOGRAM = " ".join(f"{bucket}:{40 + bucket}" for bucket in range(2, BUCKETS - 8))
_SUMS = f"{{count}}, 900000, 4000000, '{_HISTOGRAM}', '{_HISTOGRAM}'"
_EACH_KIND = " UNION ALL ".join(f"SELECT '{kind}' AS kind" for kind in KINDS)
_EACH = f"({_EACH_KIND}) AS kinds CROSS JOIN (SELECT 'succeeded' AS outcome UNION ALL SELECT 'failed') AS outcomes"
_KIND_AND_OUTCOME = "kind, outcome, count, wait_ms, run_ms, waits, runs"
_LINE = "at, kind, waiting, oldest_wait, running, capacity, workers, release"
_GROUP = "substr('cause00000000000', 1, 13) || substr(CAST(1000 + {0} AS VARCHAR(4)), 2)"


def _numbers(table: str, unit: str, number: int, columns: str, values: str, rows: str) -> str:
    """A row for each of these spans of time."""
    return (
        f"INSERT INTO {table} ({columns}) SELECT {{{unit}}}, {values}"
        f" FROM numbers CROSS JOIN {rows} WHERE k BETWEEN 1 AND {number}"
    )


def _of_tasks(changes: str, which: str) -> str:
    return f"UPDATE tasks SET {changes} FROM slots WHERE tasks.id = slots.task_id AND {which}"


_UNENDED = "finished_at = NULL, dismissed_at = NULL, error = ''"
THEN: tuple[str, ...] = (
    _of_tasks(f"state = 'pending', name = '{HELD}', turn = n, started_at = NULL, {_UNENDED}", "role = 0 AND k % 2 = 1"),
    _of_tasks(
        f"state = 'in_progress', owner = 't' || n, lease_until = {{now}}, started_at = {{now}}, {_UNENDED}",
        f"role = 0 AND k % 2 = 0 AND n > (SELECT MAX(n) FROM slots) - {2 * RUNNING}",
    ),
    _of_tasks(f"worker = 'worker' || (n % {WORKERS})", "tasks.started_at IS NOT NULL"),
    _of_tasks(
        f"fingerprint = {_GROUP.format(f'CASE WHEN n % 20 < 10 THEN 0 ELSE n % {GROUPS} END')}",
        "tasks.state = 'failed'",
    ),
    _of_tasks("rescues = 1", "k % 1000 = 0"),
    "INSERT INTO failure_groups (fingerprint, kind, exception, place, message, traceback, first_at, first_release,"
    f" last_at, last_release) SELECT {_GROUP.format('k')}, 'export_posts', 'ValueError',"
    " 'tasks/export_posts.py:write', 'No room ' || k, 'tasks/export_posts.py:20 in write', {hour}, 'r1', {minute}, 'r2'"
    f" FROM numbers WHERE k < {GROUPS}",
    "INSERT INTO workers (token, host, pid, processes, started_at, heard_at, lives_until, release, memory)"
    " SELECT 'worker' || k, 'host' || (k % 10), k, 4, {hour}, {now}, '2100-01-01 00:00:00', 'r2', 100000000"
    f" FROM numbers WHERE k < {WORKERS}",
    "INSERT INTO audit_entries (at, actor_id, command_user, role, via, network, action, target, about_id, count,"
    " reason, outcome, error) SELECT {minute}, 1 + k % 50, '', 'operator', 'page', '', 'cancel_task', 'task ' || k,"
    " 1 + k % 100, 1, 'It hung.', 'done', '' FROM numbers"
    f" WHERE k < {ENTRIES}",
    _numbers(
        "task_minutes",
        "minute",
        3 * 24 * 60,
        f"at, {_KIND_AND_OUTCOME}",
        f"kind, outcome, {_SUMS.format(count=20)}",
        _EACH,
    ),
    _numbers(
        "task_hours", "hour", 400 * 24, f"at, {_KIND_AND_OUTCOME}", f"kind, outcome, {_SUMS.format(count=900)}", _EACH
    ),
    f"INSERT INTO task_totals ({_KIND_AND_OUTCOME}) SELECT kind, outcome, {_SUMS.format(count=90000)} FROM {_EACH}",
    _numbers(
        "line_minutes", "minute", 3 * 24 * 60, _LINE, "kind, 500, 90, 20, 160, 40, 'r2'", f"({_EACH_KIND}) AS kinds"
    ),
    _numbers("line_hours", "hour", 400 * 24, _LINE, "kind, 500, 90, 20, 160, 40, 'r2'", f"({_EACH_KIND}) AS kinds"),
    "INSERT INTO rollups (name, since, until, seen) SELECT 'tasks', (SELECT MIN(at) FROM task_hours),"
    " (SELECT MAX(at) FROM task_hours), (SELECT MAX(at) FROM task_minutes)",
)
