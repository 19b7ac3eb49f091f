"""Files as arguments: what may be wrong with those that somebody has chosen, in words for that person."""

from collections.abc import Sequence

from tasks.engine.uploads import Count, Upload, largest, too_large
from webapp.lib.i18n import ngettext, number


def hint_of_files(count: Count | None, suffixes: Sequence[str]) -> str:
    """Which files may be chosen, like '1 to 50 files. .jpg or .png, up to 10 MB in total.'"""
    files = f"{_how_many(count)}. " if count else ""
    kinds = f"{either(suffixes)}, up" if suffixes else "Up"
    return f"{files}{kinds} to {largest()}{' in total' if count else ''}."


def problem_of_files(value: object, count: Count | None, suffixes: tuple[str, ...]) -> str | None:
    """What is wrong with a file or, where there is a count, with a list of files; None if nothing is."""
    given = value if count and isinstance(value, list) else [value]
    files = [file for file in given if isinstance(file, Upload)]
    if not files or len(files) < len(given):
        return "Choose at least one file." if count else "Choose a file."
    if count and not count.low <= len(files) <= count.high:
        return f"Choose {_how_many(count)}. You chose {number(len(files))}."
    for file in files:
        if too_large(file):
            return f"{file.name if count else 'That file'} is too large. The limit is {largest()}."
    problems = [_problem_of_file(file, suffixes, is_alone=count is None) for file in files]
    if count and count.some_right and None in problems:
        return None
    return next(filter(None, problems), None)


def _problem_of_file(file: Upload, suffixes: tuple[str, ...], is_alone: bool) -> str | None:
    if suffixes and not file.name.lower().endswith(suffixes):
        return f"{file.name} has the wrong file type. Use {either(suffixes)}."
    if not file.size:
        return f"{'That file' if is_alone else file.name} is empty."
    return None


def _how_many(count: Count) -> str:
    """How many files there may be, like '1 to 50 files' or '2 files'."""
    if count.low == count.high:
        return ngettext("%(num)s file", "%(num)s files", count.high)
    return ngettext("%(low)s to %(num)s file", "%(low)s to %(num)s files", count.high, low=number(count.low))


def either(words: Sequence[str]) -> str:
    """Like '.csv, .tsv or .txt'."""
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
