"""Several real processes on one log: readers miss nothing and see nothing twice while writers write."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from shared.eventlog.open import open_store
from shared.eventlog.verification import verify
from tests.support.ledger import process, run_sql
from tests.support.log_process import Child, start_together, unordered_recorder

pytestmark = pytest.mark.xdist_group("processes")


def what_readers_missed(
    url: str, *, way: str, writers: int = 3, readers: int = 2, requests: int = 60
) -> list[str]:
    """Let writers append while readers follow, each a process; says what is wrong with what the readers saw."""
    with ExitStack() as stack:
        children = start_together(
            stack,
            *(("tail", url, way) for _ in range(readers)),
            *(("write", url, f"writer {n}", requests, way) for n in range(writers)),
        )
        tails, writing = children[:readers], children[readers:]
        written = sum(child.hear() for child in writing)
        for child in tails:
            child.say("stop")
        seen = [child.hear() for child in tails]
    with closing(open_store(url)) as store:
        log = store.read(0, 1_000_000)
    positions = [position for position, _ in log]
    digest = hashlib.sha256(b"".join(line for _, line in log)).hexdigest()
    wrong = []
    if len(log) != written:
        wrong.append(f"{written} events were acknowledged, {len(log)} are in the log")
    if positions != list(range(1, len(log) + 1)):
        wrong.append("the positions are not 1, 2, 3, …")
    for report in seen:
        missed = set(positions) - set(report["positions"])
        if missed:
            wrong.append(f"a reader missed {len(missed)}")
        if report["positions"] != sorted(set(report["positions"])):
            wrong.append("a reader saw something twice or out of order")
        if not missed and report["digest"] != digest:
            wrong.append("a reader read other bytes than the log holds")
    return wrong


def commits_slowly(url: str) -> None:
    """Let the database take some time over each commit, longer over some: their order is then seen to matter."""
    run_sql(
        url,
        "CREATE FUNCTION take_time() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(random() / 100); RETURN NULL; END $$",
    )
    run_sql(
        url,
        "CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON stored_events DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (NEW.originator_version = 1) EXECUTE FUNCTION take_time()",
    )


@pytest.mark.parametrize("way", ["append", "insert"])
@pytest.mark.parametrize("slowly", [False, True], ids=["quick commits", "slow commits"])
def test_readers_in_other_processes_miss_nothing_on_postgresql(
    postgres_url: str, way: str, slowly: bool
) -> None:
    with closing(open_store(postgres_url)) as store:
        store.migrate()
        if slowly:
            commits_slowly(postgres_url)
        assert what_readers_missed(postgres_url, way=way, requests=40 if slowly else 60) == []
        if way == "append":
            assert verify(store).sound


def test_readers_in_other_processes_miss_nothing_on_sqlite(sqlite_url: str) -> None:
    with closing(open_store(sqlite_url)) as store:
        store.migrate()
        assert what_readers_missed(sqlite_url, way="append") == []
        assert verify(store).sound


def test_the_same_check_fails_with_the_librarys_lock_free_insert(postgres_server: str) -> None:
    from tests.support.postgres import fresh_database

    for _ in range(8):
        with fresh_database(postgres_server) as url:
            recorder = unordered_recorder(url)
            recorder.create_table()
            recorder.datastore.close()
            commits_slowly(url)
            wrong = what_readers_missed(url, way="unordered", requests=40)
        if any("missed" in sentence for sentence in wrong):
            return
    pytest.fail("readers missed nothing in eight rounds: this check would not notice a log without order")


async def test_two_processes_that_write_into_one_ledger_both_succeed_and_agree(log_url: str) -> None:
    async with process(log_url) as here:
        ledger = await here.open()
        await here.write(ledger, *(f"earlier {n}" for n in range(2_000)))
        with ExitStack() as stack:
            children: list[Child] = start_together(
                stack, *(("hammer", log_url, ledger, name, 150, 8) for name in ("a", "b"))
            )
            reports = [child.hear() for child in children]
        assert [report["refused"] for report in reports] == [[], []]
        assert sorted(v for report in reports for v in report["versions"]) == list(range(2_002, 2_302))
        await here.live.wait_for(here.store.head(), 15)
        texts = await here.texts(ledger)
        assert sorted(texts[2_000:]) == sorted(f"{name} {n}" for name in "ab" for n in range(150))
        for report in reports:
            assert texts[: len(report["texts"])] == report["texts"]


def made_at_once(children: list[Child], url: str) -> list[str]:
    """What becomes of it when all these processes make the tables of one log at the same moment."""
    for child in children:
        child.say(url)
    for child in children:
        child.ready()
    for child in children:
        child.say()
    return [child.hear() for child in children]


def test_many_processes_may_make_the_tables_at_once_on_postgresql(postgres_url: str) -> None:
    with ExitStack() as stack:
        children = [stack.enter_context(Child("make tables", postgres_url)) for _ in range(4)]
        for _ in range(12):
            assert made_at_once(children, postgres_url) == ["made"] * 4
            run_sql(postgres_url, "DROP SCHEMA public CASCADE")
            run_sql(postgres_url, "CREATE SCHEMA public")


def test_many_processes_may_make_the_tables_at_once_on_sqlite(tmp_path: Path) -> None:
    with ExitStack() as stack:
        children = [stack.enter_context(Child("make tables", "")) for _ in range(4)]
        for n in range(80):
            assert made_at_once(children, f"sqlite:///{tmp_path / str(n)}.db") == ["made"] * 4
