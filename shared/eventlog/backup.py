"""A log in SQLite copied while it is written to, checked, and put back: one file, for its owner alone.

PostgreSQL has its own ways, which `docs/operating.md` names.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import quote

from shared.errors import BitacoraError, InvalidInput, RuleBroken
from shared.eventlog.sqlite import SQLiteStore
from shared.eventlog.verification import Report, verify

PAGES: Final = 2_000
"""Pages that are copied at once; between two such steps the progress is told."""
PATIENCE: Final = 10.0
"""Seconds for which the copy waits for a writer that holds the file."""

Progress = Callable[[int, int], None]
"""Called with how much is done, of how much."""


class Copy(NamedTuple):
    """What a copy holds: its last position, the identity of the event there, and what a check of it found."""

    position: int
    identity: str
    report: Report


def backup(log: Path, target: Path, progress: Progress = lambda _done, _of: None) -> Copy:
    """Copy a log, as it is at one moment, into a new file; services may write meanwhile.

    RuleBroken where there is something already. What the check of the copy found is for the caller to judge: a copy of
    a log that is not sound is no sounder.
    """
    if not log.is_file():
        raise InvalidInput("log-missing", f"There is no log at {log}.")
    return _copied(log, target, progress)


def restore(source: Path, log: Path, progress: Progress = lambda _done, _of: None) -> Copy:
    """Put a copy in the place of a log that is not there; RuleBroken where there is one, or the copy is not sound.

    Whoever restores moves the present log aside first, with the files beside it: nothing is ever overwritten.
    """
    for beside in ("-wal", "-shm"):
        _must_be_free(Path(f"{log}{beside}"))
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _copied(source, log, progress, only_sound=True)


def must_be_log(file: Path) -> None:
    """InvalidInput for a file that is no database of SQLite, or one without the tables of a log."""
    try:
        with closing(sqlite3.connect(_uri(file), uri=True, timeout=PATIENCE)) as read:
            read.execute("SELECT 1 FROM stored_events LIMIT 1").fetchone()
    except sqlite3.Error as error:
        raise InvalidInput("no-log", f"{file} is no event log: {error}.") from error


def _copied(source: Path, target: Path, progress: Progress, *, only_sound: bool = False) -> Copy:
    _must_be_free(target)
    with _new_file_beside(target) as fresh:
        _copy_pages(source, fresh, progress)
        copy = _checked(fresh)
        if only_sound and (not copy.report.sound or not copy.position):
            raise RuleBroken(
                "copy-not-sound",
                f"{source} is not sound ({copy.report.events} events, {len(copy.report.faults)} faults): "
                f"`bitacora verify --file {source}` says what is wrong. Nothing was restored.",
            )
        _make_it_one_file(fresh)
        try:
            os.link(fresh, target)  # unlike a renaming, this never replaces what somebody made meanwhile
        except FileExistsError:
            _must_be_free(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return copy


def _must_be_free(path: Path) -> None:
    if path.exists():
        raise RuleBroken("file-exists", f"{path} is there already, and is not overwritten.")


@contextmanager
def _new_file_beside(target: Path) -> Iterator[Path]:
    """An empty file that only its owner may read, gone afterwards with what SQLite puts beside it."""
    fresh = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise InvalidInput("file-not-writable", f"{target} cannot be written: {error.strerror}.") from error
    try:
        yield fresh
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            Path(f"{fresh}{ending}").unlink(missing_ok=True)


def _copy_pages(source: Path, fresh: Path, progress: Progress) -> None:
    """Copy through SQLite itself, in one read transaction: what is in the write-ahead log by then comes too."""
    try:
        with (
            closing(sqlite3.connect(_uri(source), uri=True, timeout=PATIENCE, isolation_level=None)) as read,
            closing(sqlite3.connect(fresh, isolation_level=None)) as written,
        ):
            read.execute("BEGIN")
            # The snapshot begins with the first read, and then stays: writers do not make the copy begin again.
            read.execute("SELECT count(*) FROM sqlite_master").fetchone()
            read.backup(written, pages=PAGES, progress=lambda _status, left, of: progress(of - left, of))
    except sqlite3.Error as error:
        raise InvalidInput("log-not-copied", f"{source} cannot be copied: {error}.") from error


def _checked(fresh: Path) -> Copy:
    with closing(SQLiteStore(str(fresh))) as store:
        try:
            report = verify(store)
            position, identity = store.bookmark()
        except BitacoraError as error:
            raise InvalidInput("no-log", "The file is no event log, or one without tables.") from error
    return Copy(position, identity, report)


def _make_it_one_file(fresh: Path) -> None:
    """Let nothing of it lie in files beside it, so that whoever carries it away has all of it; and sync it."""
    with closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    with fresh.open("rb+") as file:
        os.fsync(file.fileno())


def _uri(path: Path) -> str:
    return f"file:{quote(str(path.resolve()))}?mode=ro"
