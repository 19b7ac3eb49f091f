"""The sentences that rows have become phrases: where they are ours word for word, or with what stands at their end.

Others stay texts, and are shown as they are. Two statements for what is known, and one for each beginning: a million
lines of timelines take some seconds.
"""

import json
import re
from zlib import crc32

from peewee import PostgresqlDatabase

BY_KIND = {
    'launched': {'task.started': 'Started by you', 'task.scheduled': 'Scheduled by you'},
    'scheduled': {'task.changed': 'Changed by you'},
    'started': {'task.picked_up': 'Picked up by a worker'},
    'succeeded': {'task.succeeded': 'Finished', 'workflow.finished': 'All parts finished'},
    'in_progress': {'workflow.part_started': 'First part started'},
    'waiting': {'workflow.retried_with_the_rest': 'The whole task is being retried'},
    'undoing': {'task.undoing': 'Undo started by you'},
    'pending': {
        'task.started': 'Started by you',
        'task.resumed': 'Resumed by you',
        'task.retried': 'Retried by you',
        'task.handed_back': 'Worker shut down; waiting for another',
        'task.time_came': 'Scheduled time reached',
        'task.next_attempt': 'Time for the next attempt',
        'task.lost': 'Lost contact with the worker; waiting for another',
        'workflow.step_came': 'Earlier steps are done',
    },
    'paused': {
        'task.paused': 'Paused by you',
        'task.stopped_for_pause': 'Paused',
        'task.lost_and_paused': 'Lost contact with the worker; paused',
    },
    'pausing': {'task.pausing': 'Paused by you; stopping after the current step'},
    'canceled': {
        'task.canceled': 'Canceled by you',
        'task.stopped_for_cancel': 'Canceled',
        'task.lost_and_canceled': 'Lost contact with the worker; canceled',
        'workflow.canceled_with_the_rest': 'Canceled with the other parts',
    },
    'canceling': {
        'task.canceling': 'Canceled by you; stopping after the current step',
        'workflow.canceling_with_the_rest': 'Canceled with the other parts; stopping after the current step',
        'workflow.part_canceled': 'A part was canceled',
    },
    'log': {
        'task.restored': 'Canceled because the site was restored from a backup; retry it if it still needs to be done',
    },
}
ERRORS = {
    'task.unexpected': 'Something went wrong on our side. We’ve logged the error.',
    'task.unknown_function': 'This version of the site doesn’t know this kind of task.',
    'task.not_saved': 'The database didn’t respond.',
    'task.died_repeatedly': 'The worker crashed repeatedly while running this task.',
    'task.interrupted_repeatedly': 'The database failed repeatedly while this task was running.',
}
TIMEOUTS = {
    'task.no_progress': ('It made no progress for ', ' and was stopped.'),
    'task.took_too_long': ('It took longer than ', ' and was stopped.'),
    'task.did_not_stop': ('It didn’t reach its next step within ', ' and was stopped.'),
}
SECONDS = {'second': 1, 'minute': 60, 'hour': 3600, 'day': 86400}
BY_WHAT = ('failed', 'retrying')  # the kinds of lines that are an error
# By kind: the beginning of a line, its phrase, and the argument that is the rest of it, which may be a number.
BEGINNINGS = (
    ('started', 'Picked up by a worker (attempt ', 'task.picked_up_again', 'attempt', True),
    ('started', 'Continued by a worker after step ', 'task.continued', 'step', True),
    ('undone', 'Undone by you: ', 'task.undone', 'what', False),
    ('paused', 'Paused: ', 'task.paused_by_error', 'error', False),
    ('canceled', 'Canceled: ', 'task.canceled_by_error', 'error', False),
)


def up(migrator, db):
    convert_errors(db)
    convert_known_lines(db)
    for beginning in BEGINNINGS:
        convert_lines_beginning(db, *beginning)


def down(migrator, db):
    pass  # the texts are as they were


def convert_errors(db):
    errors = {text: {'phrase': name} for name, text in ERRORS.items()} | timeouts(db, 'tasks', 'error')
    rows = [(text, json.dumps(phrase | {'of': crc32(text.encode())})) for text, phrase in errors.items()]
    update(db, 'tasks', 'error_phrase', ('error',), rows)


def convert_known_lines(db):
    rows = [(kind, text, json.dumps({'phrase': name})) for kind, known in BY_KIND.items() for name, text in known.items()]
    errors = {text: {'phrase': name} for name, text in ERRORS.items()} | timeouts(db, 'task_events', 'text')
    rows += [(kind, text, json.dumps(phrase)) for text, phrase in errors.items() for kind in BY_WHAT]
    update(db, 'task_events', 'phrase', ('kind', 'text'), rows)


def timeouts(db, table, column):
    """The sentences of timeouts: as many as there were settings."""
    found = {}
    for name, (before, after) in TIMEOUTS.items():
        begins = f'SUBSTR({column}, 1, {len(before)}) = {db.param}'
        texts = db.execute_sql(f'SELECT DISTINCT {column} FROM {table} WHERE {begins} LIMIT 1000', (before,)).fetchall()
        for (text,) in texts:
            if said := re.fullmatch(re.escape(before) + r'([0-9,]+(?:\.[0-9]+)?) (second|minute|hour|day)s?' + re.escape(after), text):
                seconds = float(said[1].replace(',', '')) * SECONDS[said[2]]
                found[text] = {'phrase': name, 'seconds': int(seconds) if seconds == int(seconds) else seconds}
    return found


def update(db, table, column, keys, rows):
    """Fill a column where the keys are those of a row given, which ends with what to fill in."""
    values = ', '.join('(' + ', '.join([f'CAST({db.param} AS TEXT)'] * len(row)) + ')' for row in rows)
    if isinstance(db, PostgresqlDatabase):
        same = ' AND '.join(f'{table}.{key} = known.{key}' for key in keys)
        filled = f'CAST(known.filled AS JSONB) FROM known WHERE {table}.{column} IS NULL AND {same}'
    else:  # three times as fast as that
        same = ' AND '.join(f'known.{key} = {table}.{key}' for key in keys)
        filled = f'(SELECT filled FROM known WHERE {same}) WHERE {column} IS NULL AND ({", ".join(keys)}) IN (SELECT {", ".join(keys)} FROM known)'
    db.execute_sql(
        f"WITH known ({', '.join(keys)}, filled) AS (VALUES {values}) UPDATE {table} SET {column} = {filled}",
        [value for row in rows for value in row],
    )


def convert_lines_beginning(db, kind, begins, name, argument, is_number):
    rest = f'SUBSTR(text, {len(begins) + 1})'
    if isinstance(db, PostgresqlDatabase):
        build, is_digits, number = 'jsonb_build_object', "{} ~ '^[0-9]{{1,15}}$'", 'CAST({} AS BIGINT)'
    else:
        build, is_digits, number = 'json_object', "{0} <> '' AND {0} NOT GLOB '*[^0-9]*'", 'CAST({} AS INTEGER)'
    which = f"kind = '{kind}' AND phrase IS NULL AND SUBSTR(text, 1, {len(begins)}) = '{begins}'"
    if is_number:
        digits = f"REPLACE(RTRIM({rest}, ')'), ',', '')"
        which, rest = f'{which} AND {is_digits.format(digits)}', number.format(digits)
    db.execute_sql(f"UPDATE task_events SET phrase = {build}('phrase', '{name}', '{argument}', {rest}) WHERE {which}")
