"""A backup is one moment of the log, whatever is written meanwhile; it is checked, private, and never overwrites."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from typer.testing import CliRunner

from services.cli import app
from shared.errors import BitacoraError
from shared.eventlog import backup as copying
from shared.eventlog.backup import backup, restore
from shared.eventlog.open import open_store
from shared.eventlog.verification import verify
from tests.support.damage import damage, spoil
from tests.support.ledger import changes as written
from tests.support.ledger import event, opened, process, run_sql, wrote
from tests.support.postgres import PostgresServer

run = CliRunner().invoke


def file_of(url: str) -> Path:
    """The file behind the URL of a log."""
    return Path(url.removeprefix("sqlite:///"))


def private_files(folder: Path) -> set[str]:
    """What only its owner may read, of all that a backup has left there."""
    found = [path for path in folder.iterdir() if "backup" in path.name]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in found)
    return {path.name for path in found}


async def fill(url: str, count: int) -> None:
    """A log of so many events."""
    async with process(url) as here:
        stream = await here.open()
        await here.write(stream, *(f"text {number}" for number in range(count - 1)))


async def test_a_backup_under_load_is_one_moment_of_the_log_and_holds_all_that_was_written_before(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "PAGES", 5)  # so that writers come between the steps
    target = tmp_path / "backup.db"
    async with process(sqlite_url) as here:
        for _ in range(60):
            await here.live.append(written(event(wrote("x" * 4000)), event(wrote("y"))))
        before = here.live.position
        done = asyncio.create_task(asyncio.to_thread(backup, file_of(sqlite_url), target))
        meanwhile = 0
        while not done.done() or not meanwhile:
            await here.live.append(written(event(wrote("a")), event(wrote("b"))))
            meanwhile += 1
        copy = await done
        assert copy.report.sound
        assert before <= copy.position <= here.live.position
        assert copy.position % 2 == 0, "what was written together is copied together"
        assert here.store.identity_at(copy.position) == copy.identity
    assert private_files(tmp_path) == {"backup.db"}


def test_nothing_is_overwritten_and_a_failed_copy_leaves_nothing_behind(
    sqlite_url: str, tmp_path: Path
) -> None:
    asyncio.run(fill(sqlite_url, 3))
    log, target = file_of(sqlite_url), tmp_path / "backup.db"
    backup(log, target)
    there = target.read_bytes()
    names = {path.name for path in tmp_path.iterdir()}
    text = tmp_path / "letter.txt"
    text.write_text("Dear Sir")
    for copy, source, made in (
        (backup, log, target),
        (restore, target, log),
        (backup, tmp_path / "absent.db", tmp_path / "other.db"),
        (restore, text, tmp_path / "other.db"),
        (backup, log, tmp_path / "no such folder" / "backup.db"),
    ):
        with pytest.raises(BitacoraError):
            copy(source, made)
    text.unlink()
    assert target.read_bytes() == there
    assert {path.name for path in tmp_path.iterdir()} == names


def test_the_commands_back_up_and_restore_and_say_position_and_identity(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITACORA_LOG_URL", sqlite_url)
    asyncio.run(fill(sqlite_url, 5))
    target = tmp_path / "backup.db"
    done = run(app, ["backup", str(target)])
    assert done.exit_code == 0, done.output
    with closing(open_store(sqlite_url)) as store:
        position, identity = store.bookmark()
    assert f"position {position}, identity {identity}" in " ".join(done.output.split())
    assert f"--holds {position}:{identity}`" in done.output, "to be pasted"
    assert isinstance(run(app, ["restore", str(target)]).exception, BitacoraError), "the log is still there"
    file_of(sqlite_url).unlink()
    for beside in ("-wal", "-shm"):
        Path(f"{file_of(sqlite_url)}{beside}").unlink(missing_ok=True)
    done = run(app, ["restore", str(target)])
    assert done.exit_code == 0, done.output
    assert f"position {position}, identity {identity}" in " ".join(done.output.split())
    assert run(app, ["verify", "--holds", f"{position}:{identity}"]).exit_code == 0
    for missing in (f"{position}:another", f"{position + 1}"):
        found = run(app, ["verify", "--holds", missing])
        assert found.exit_code == 1
        assert f"This log does not hold the event {missing}." in " ".join(found.output.split())
        assert "not sound" not in found.output
    assert run(app, ["verify", "--file", str(target)]).exit_code == 0


def test_a_copied_file_that_holds_nothing_is_not_called_sound_nor_restored(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A WAL that was left behind when the file was copied has everything in it."""
    copy = tmp_path / "copy.db"
    with closing(open_store(sqlite_url)) as store:
        store.migrate()
        shutil.copy(file_of(sqlite_url), copy)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    monkeypatch.setenv("BITACORA_LOG_URL", f"sqlite:///{tmp_path / 'restored.db'}")
    found = run(app, ["verify", "--file", str(copy)])
    assert found.exit_code == 1, found.output
    assert isinstance(run(app, ["restore", str(copy)]).exception, BitacoraError)
    assert not (tmp_path / "restored.db").exists()


def test_a_file_that_is_no_log_is_called_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITACORA_LOG_URL", f"sqlite:///{tmp_path / 'log.db'}")
    (tmp_path / "junk.db").write_text("this is no database" * 100)
    with closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE something (id)")
    for name, why in (("junk.db", "file is not a database"), ("other.db", "no such table: stored_events")):
        found = run(app, ["verify", "--file", str(tmp_path / name)])
        assert found.exit_code == 1
        assert f"{name} is no event log: {why}" in str(found.exception)


def test_a_damaged_copy_is_not_restored_and_a_backup_of_a_damaged_log_says_so(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITACORA_LOG_URL", sqlite_url)
    asyncio.run(fill(sqlite_url, 4))
    damage(sqlite_url, 3, spoil)
    target = tmp_path / "backup.db"
    done = run(app, ["backup", str(target)])
    assert done.exit_code == 1
    assert "position 3" in done.output
    assert target.exists(), "a damaged copy is better than none"
    with pytest.raises(BitacoraError, match="not sound"):
        restore(target, tmp_path / "elsewhere.db")


@contextmanager
def another_database(url: str) -> Iterator[str]:
    """A second, empty one on the same server."""
    name = f"bitacora_test_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    try:
        yield url.rpartition("/")[0] + f"/{name}"
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def ran(program: list[str], given: bytes = b"") -> bytes:
    """What a program that must succeed writes."""
    return subprocess.run(program, input=given, check=True, capture_output=True).stdout


async def test_a_dump_of_postgresql_restores_the_log_with_what_protects_it(
    private_postgres: PostgresServer,
) -> None:
    postgres_url, programs = private_postgres.url, private_postgres.programs
    await fill(postgres_url, 30)
    with closing(open_store(postgres_url)) as store:
        bookmark = store.bookmark()
    dump = ran([str(programs / "pg_dump"), "--format=custom", "--dbname", postgres_url])
    with another_database(postgres_url) as restored:
        ran([str(programs / "pg_restore"), "--single-transaction", "--dbname", restored], dump)
        with closing(open_store(restored)) as store:
            assert store.bookmark() == bookmark
            assert verify(store).sound
        async with process(restored) as here:
            await here.live.append(written(event(opened())))
            assert here.live.position == bookmark.position + 1
        with psycopg.connect(restored) as connection, pytest.raises(psycopg.errors.RestrictViolation):
            connection.execute("DELETE FROM stored_events")
        assert run_sql(restored, "SELECT count(*) FROM stored_events") == [(31,)]
