"""The rows with which a site is filled, in SQL that both databases understand, from the slots that `filling` plans.

A slot has its number `n` in time and `k` in its role, which is 0 for the crowd, 1 for the reader, 2 and 3 for the heavy
people; the `user_id` of its person, a `task_id`, a `state`, and a time `at`.
"""

_ENDED = "CASE WHEN state IN ('succeeded', 'failed') THEN at END"
_CLOSED = f"CASE WHEN role = 3 OR role < 2 AND k % 20 > 0 THEN {_ENDED} END"
_READ = "CASE WHEN role = 3 OR role < 2 AND k % 20 > 0 THEN at END"
_WORDS = (
    "CASE WHEN role = 1 THEN 'rare ' ELSE '' END"
    " || 'common often' || (n % 6) || ' seldom' || (n % 50) || ' note ' || (n % 5000)"
)
_PARTNER = (
    "(CASE role WHEN 0 THEN 1 + (user_id + k % 20) % {people} WHEN 1 THEN 1 + k % 50"
    " WHEN 2 THEN 1 ELSE 1 + k % {people} END)"
)
_SENDER, _RECIPIENT = (f"CASE n % 2 WHEN {side} THEN user_id ELSE {_PARTNER} END" for side in (0, 1))
_NAMES = (
    "(SELECT 'p' || (k + 1) AS name, k FROM numbers WHERE k < (SELECT COUNT(DISTINCT user_id) FROM slots) - 3"
    " UNION ALL SELECT 'reader', 2000000000 UNION ALL SELECT 'hoga', 2000000001 UNION ALL SELECT 'hogb', 2000000002)"
    " AS named ORDER BY k"
)
_IN_ORDER = "slots ORDER BY n"
_MAILINGS = "slots WHERE role < 2 OR k % 10 = 0 ORDER BY n"
# Into which table, each column with its value, and for which rows.
INTO: tuple[tuple[str, dict[str, str], str], ...] = (
    (
        "users",
        {"username": "name", "username_key": "name", "skeleton": "name", "email": "''", "password_hash": "''"}
        | {"session_key": "'key of ' || name", "about": "'common'", "time_zone": "'UTC'", "changes": "0"}
        | {"created_at": "{now}", "seen_at": "{now}"},
        _NAMES,
    ),
    (
        "tasks",
        {"id": "task_id", "user_id": "user_id", "title": _WORDS, "arguments": "CAST('{{}}' AS {json})"}
        | {"name": "CASE k % 3 WHEN 0 THEN 'countdown' WHEN 1 THEN 'export_posts' ELSE 'count_words' END"}
        | {"state": "state", "stage": "''", "done": "0", "attempts": "1", "created_at": "at", "updated_at": "at"}
        | {"error": "CASE state WHEN 'failed' THEN 'It broke.' ELSE '' END", "ready_at": "at", "started_at": _ENDED}
        | {"finished_at": _ENDED, "dismissed_at": _CLOSED, "turn": "CASE state WHEN 'pending' THEN n END"}
        | {"run_at": "CASE state WHEN 'scheduled' THEN {now} END"},
        _IN_ORDER,
    ),
    (
        "task_events",
        {"task_id": "task_id", "at": "at", "kind": "kind", "text": "kind"},
        "slots CROSS JOIN (SELECT 'launched' AS kind UNION ALL SELECT 'started') AS kinds ORDER BY n",
    ),
    (
        "notifications",
        {"user_id": "user_id", "name": "'task_progress'", "scope": "{scope}", "payload": "CAST('{{}}' AS {json})"}
        | {"updated_at": "at", "task_id": "task_id", "kind": "CASE state WHEN 'failed' THEN state ELSE 'succeeded' END"}
        | {"text": _WORDS, "told_at": "at", "read_at": _READ},
        _IN_ORDER,
    ),
    (
        "artifacts",
        {"id": "task_id", "task_id": "task_id", "kind": "'text'", "name": "'note.txt'", "content_type": "'text/plain'"}
        | {"owner_id": "user_id", "size": "n % 5000", "created_at": "at", "completed_at": "at"},
        "slots WHERE state = 'succeeded' ORDER BY n",
    ),
    ("posts", {"user_id": "user_id", "body": _WORDS, "terms": _WORDS, "created_at": "at"}, _IN_ORDER),
    (
        "messages",
        {"sender_id": _SENDER, "recipient_id": _RECIPIENT, "body": _WORDS, "terms": _WORDS}
        | {"created_at": "at", "read_at": _READ},
        _IN_ORDER,
    ),
    (
        "notifications",
        {"user_id": "recipient_id", "sender_id": "sender_id", "name": "'conversation'", "kind": "'message'"}
        | {"scope": "CAST(sender_id AS VARCHAR(36))", "payload": "CAST('{{}}' AS {json})", "text": "'They wrote'"}
        | {"told_at": "MAX(created_at)", "updated_at": "MAX(created_at)", "read_at": "MIN(read_at)"},
        "messages GROUP BY recipient_id, sender_id",
    ),
    (
        "notifications",
        {"user_id": "recipient_id", "name": "'unread_message_count'", "scope": "''", "updated_at": "MAX(created_at)"}
        | {"payload": "CAST('{{\"count\": ' || COUNT(*) || '}}' AS {json})"},
        "messages WHERE read_at IS NULL GROUP BY recipient_id",
    ),
    (
        "mailings",
        {"user_id": "user_id", "task_id": "task_id", "form_key": "''", "recipients": "'ann@example.com'"}
        | {"subject": _WORDS, "template": "'welcome'", "body": "''", "text": "''", "html": "''", "created_at": "at"},
        _MAILINGS,
    ),
    (
        "deliveries",
        {"mailing_id": "id", "address": "'ann@example.com'", "state": "'sent'", "error": "''", "tries": "1"}
        | {"tried_at": "created_at", "message_id": "'mailing-' || id"},
        "mailings ORDER BY id",
    ),
)
