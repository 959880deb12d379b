"""A process under which the log goes back, or is replaced, drops what it made of it and goes on with what is there."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID

import pytest

from shared.aggregate.index import Index
from shared.errors import Unavailable
from shared.eventlog.envelope import FollowerPosition, Recorded
from shared.eventlog.follower import Follower
from shared.eventlog.open import open_store
from shared.eventlog.store import REVISION, Changes, LogWentBack
from shared.eventlog.verification import verify
from shared.events.commitments import Commented
from tests.support.ledger import (
    NOON,
    Ledger,
    Process,
    changes,
    command,
    event,
    process,
    run_sql,
    until,
    writing,
    wrote,
)


@asynccontextmanager
async def indexed(log_url: str) -> AsyncIterator[tuple[Process, Index[Ledger]]]:
    """A process that holds an index besides its ledgers."""
    async with process(log_url, start=False) as here:
        index: Index[Ledger] = Index(here.live, Ledger, key=lambda one: str(one.id))
        await here.live.start()
        try:
            yield here, index
        finally:
            await here.live.stop()


async def whole(here: Process) -> None:
    """Wait until the process has taken the log up anew."""
    await until(lambda: here.live.restarts)
    while True:
        try:
            here.live.check()
        except LogWentBack:
            await asyncio.sleep(0.005)
        else:
            return


def cut(log_url: str, after: int) -> None:
    """The log is back where it was at a position."""
    run_sql(log_url, "DELETE FROM stored_events WHERE notification_id > %s", after)


def retold(log_url: str, stream: UUID, *texts: str) -> None:
    """Another history, of another process, from the second version of a ledger on."""
    store = open_store(log_url)
    for version, text in enumerate(texts, 2):
        store.append([changes(event(wrote(text), version, stream))], NOON)
    store.close()


@pytest.mark.parametrize("found_by", ["append", "tail"])
@pytest.mark.parametrize("other", [(), ("B", "C"), ("B", "C", "D")], ids=["shorter", "as long", "longer"])
async def test_a_process_begins_anew_on_a_log_that_went_back(
    log_url: str, found_by: str, other: tuple[str, ...]
) -> None:
    async with indexed(log_url) as (here, index):
        ledger = await here.open()
        await here.write(ledger, "b", "c")
        ghost = await here.open()
        cut(log_url, 1)
        retold(log_url, ledger, *other)
        if found_by == "append":
            with pytest.raises(LogWentBack):
                await here.write(ledger, "on what is gone")
        await whole(here)
        assert here.live.position == 1 + len(other)
        assert await here.texts(ledger) == list(other)
        assert await here.ledgers.get(ghost) is None
        assert [(one.id, one.texts) for one in index.all()] == [(ledger, list(other))]
        await here.write(ledger, "on what is there")
        assert await here.texts(ledger) == [*other, "on what is there"]
        assert verify(here.store).sound


async def test_readiness_says_that_the_log_went_back_until_it_is_taken_up_again(log_url: str) -> None:
    async with process(log_url, start=False) as here:
        replayed = asyncio.Event()
        here.live.subscribe([Commented], lambda _: None, forget=lambda: None)
        here.live.on_restart(replayed.set)
        await here.live.start()
        try:
            for _ in range(3):
                await here.live.append(changes())
            run_sql(log_url, "ALTER TABLE stored_events RENAME TO away")
            run_sql(log_url, "ALTER TABLE away RENAME TO stored_events")
            cut(log_url, 2)
            run_sql(log_url, "UPDATE log_version SET version_num = '0001'")
            await asyncio.wait_for(replayed.wait(), 10)
            for asked in (here.live.readiness(), here.live.append(changes()), here.live.wait_for(1, 5)):
                with pytest.raises(Unavailable) as raised:
                    await asked
                assert raised.value.code == "log-went-back"
                assert "position 3" in raised.value.message
            run_sql(log_url, "UPDATE log_version SET version_num = %s", REVISION)
            await whole(here)
            assert await here.live.readiness() == "followed up to position 2"
            assert (await here.live.append(changes())).first == 3
        finally:
            await here.live.stop()


async def test_who_waits_for_what_is_gone_is_told_so(log_url: str) -> None:
    async with process(log_url) as here:
        for _ in range(3):
            await here.live.append(changes())
        waiting = asyncio.create_task(here.live.wait_for(4, 60))
        await asyncio.sleep(0)
        cut(log_url, 1)
        with pytest.raises(LogWentBack):
            await waiting
        await whole(here)
        with pytest.raises(Unavailable) as raised:
            await here.live.wait_for(3, 0.05)
        assert raised.value.code == "position-not-reached"


async def test_what_was_decided_before_the_log_went_back_is_not_written_after(log_url: str) -> None:
    async with process(log_url) as here:
        ledger = await here.open()
        await here.write(ledger, "a")
        deciding = asyncio.Event()
        decide = asyncio.Event()

        async def decision(_: Ledger) -> list[Commented]:
            deciding.set()
            await decide.wait()
            return [wrote("decided before")]

        written = asyncio.create_task(here.ledgers.change(ledger, decision, command()))
        await deciding.wait()
        cut(log_url, 1)
        retold(log_url, ledger, "A")
        await whole(here)
        decide.set()
        with pytest.raises(LogWentBack):
            await written
        assert await here.texts(ledger) == ["A"]
        assert here.store.head() == 2


async def test_a_follower_acts_on_the_log_that_is_there(log_url: str) -> None:
    async with process(log_url, start=False) as here:
        acted: list[tuple[int, str]] = []

        async def act(recorded: Recorded, at: FollowerPosition) -> None:
            assert isinstance(recorded.data, Commented)
            acted.append((at.position, recorded.data.text))
            await here.live.append(Changes((), follower=at))

        follower = Follower(here.live, "policy", [Commented], act)
        await here.live.start()
        follower.start()
        try:
            for text in ("a", "b", "c"):
                await here.live.append(changes(event(wrote(text))))
            await until(lambda: follower.position == 3)
            cut(log_url, 1)
            for text in ("B", "C"):
                store = open_store(log_url)
                store.append([changes(event(wrote(text)))], NOON)
                store.close()
            await whole(here)
            await until(lambda: len(acted) == 6)
            await until(lambda: here.store.follower_position("policy") == 3)
        finally:
            await follower.stop()
            await here.live.stop()
    assert acted == [(1, "a"), (2, "b"), (3, "c"), (1, "a"), (2, "B"), (3, "C")]


async def test_an_older_file_put_in_the_place_of_the_log_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "bitacora.db"
    url = f"sqlite:///{path}"
    async with indexed(url) as (here, index):
        ledger = await here.open()
        await here.write(ledger, "a")
        backup(url, tmp_path / "backup.db")
        await here.write(ledger, "b", "c")
        for lost in ("bitacora.db-wal", "bitacora.db-shm"):
            (tmp_path / lost).unlink(missing_ok=True)
        shutil.copy(tmp_path / "backup.db", tmp_path / "restored.db")
        (tmp_path / "restored.db").replace(path)
        await whole(here)
        assert await here.texts(ledger) == ["a"]
        assert [one.texts for one in index.all()] == [["a"]]
        await here.ledgers.change(ledger, writing("d"), command())
        assert here.store.head() == 3
        store = open_store(url)
        assert store.read(0, 10) == here.store.read(0, 10)
        store.close()
        path.unlink()
        with pytest.raises(Unavailable):
            await here.live.append(changes())
        assert not path.exists(), "nothing of ours is in the way of whoever restores"
        shutil.copy(tmp_path / "backup.db", path)
        (tmp_path / "bitacora.db-wal").unlink(missing_ok=True)
        await until(lambda: here.live.restarts == 2)


def backup(url: str, to: Path) -> None:
    """A copy of the file as it is now."""
    run_sql(url, f"VACUUM INTO '{to}'")
