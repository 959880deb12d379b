"""Group commit: what waits together is committed together, and nobody pays for another's mistake."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from shared.errors import Unavailable
from shared.eventlog import codec
from shared.eventlog.appender import LARGEST_BATCH, Appender
from shared.eventlog.open import open_store
from shared.eventlog.store import (
    Appended,
    Changes,
    DuplicateKey,
    FollowerOvertaken,
    Limits,
    Store,
    VersionConflict,
)
from shared.events.indicators import MeasurementCorrected
from tests.support.ledger import DAY, NOON, changes, event, process, wrote


class Taken:
    """What was taken in as acknowledged."""

    def __init__(self) -> None:
        self.positions: list[int] = []
        self.texts: list[str] = []

    def __call__(self, request: Changes, appended: Appended) -> None:
        self.positions.extend(range(appended.first, appended.last + 1))
        self.texts.extend(e.data.text for e in request.events)  # type: ignore[attr-defined]


@asynccontextmanager
async def appending(url: str, taken: Taken | None = None) -> AsyncIterator[tuple[Appender, Store]]:
    """An appender on a store of its own, begun."""
    with closing(open_store(url)) as store:
        store.migrate()
        appender = Appender(store.writer(), lambda: NOON, taken or Taken())
        appender.start()
        try:
            yield appender, store
        finally:
            await appender.close()


def texts(store: Store) -> list[str]:
    """What the log holds, in order."""
    recorded = [codec.decode(line, position) for position, line in store.read(0, 10_000)]
    return [r.data.text for r in recorded]  # type: ignore[attr-defined]


async def together(appender: Appender, *requests: Changes) -> list[Appended | BaseException]:
    """Hand in all requests before the appender has a chance to begin: one batch."""
    return await asyncio.gather(*(appender.append(r) for r in requests), return_exceptions=True)


async def test_requests_that_wait_together_get_positions_in_the_order_they_came(log_url: str) -> None:
    taken = Taken()
    async with appending(log_url, taken) as (appender, store):
        one = changes(event(wrote("a")), event(wrote("b")))
        answers = await together(appender, one, changes(event(wrote("c"))), changes(event(wrote("d"))))
        assert [a[:2] for a in answers if isinstance(a, Appended)] == [(1, 2), (3, 3), (4, 4)]
        assert texts(store) == taken.texts == ["a", "b", "c", "d"]
        assert taken.positions == [1, 2, 3, 4]


async def test_a_version_conflict_inside_a_batch_harms_no_other_request(log_url: str) -> None:
    stream = uuid4()
    taken = Taken()
    async with appending(log_url, taken) as (appender, store):
        await appender.append(changes(event(wrote("first"), 1, stream)))
        answers = await together(
            appender,
            changes(event(wrote("before"))),
            changes(event(wrote("half")), event(wrote("late"), 1, stream)),
            changes(event(wrote("second"), 2, stream)),
            changes(event(wrote("twice"), 2, stream)),
            changes(event(wrote("after"))),
        )
        kinds = [type(answer) for answer in answers]
        assert kinds == [Appended, VersionConflict, Appended, VersionConflict, Appended]
        assert texts(store) == taken.texts == ["first", "before", "second", "after"]


async def test_of_two_requests_with_one_idempotency_key_in_a_batch_one_is_carried_out(log_url: str) -> None:
    async with appending(log_url) as (appender, store):
        answers = await together(
            appender,
            changes(event(wrote("once")), key=b"k"),
            changes(event(wrote("twice")), key=b"k"),
            changes(event(wrote("other"))),
        )
        assert [type(answer) for answer in answers] == [Appended, DuplicateKey, Appended]
        assert texts(store) == ["once", "other"]
        assert store.find_key(b"k") is not None


async def test_a_follower_moves_only_forward_and_the_loser_writes_nothing(log_url: str) -> None:
    async with appending(log_url) as (appender, store):
        answers = await together(
            appender,
            changes(event(wrote("seven")), follower=("policy", 7)),
            changes(event(wrote("seven again")), follower=("policy", 7)),
            changes(event(wrote("five")), follower=("policy", 5)),
            changes(event(wrote("eight")), follower=("policy", 8)),
            changes(event(wrote("another's")), follower=("other", 1)),
        )
        assert [type(a) for a in answers] == [
            Appended,
            FollowerOvertaken,
            FollowerOvertaken,
            Appended,
            Appended,
        ]
        assert texts(store) == ["seven", "eight", "another's"]
        assert (store.follower_position("policy"), store.follower_position("other")) == (8, 1)


async def test_a_follower_may_move_without_writing_an_event(log_url: str) -> None:
    async with appending(log_url) as (appender, store):
        await appender.append(changes())
        moved = await appender.append(Changes((), follower=changes(follower=("policy", 1)).follower))
        assert moved[:2] == (2, 1)
        assert (store.head(), store.follower_position("policy")) == (1, 1)


async def test_an_event_that_nobody_could_read_is_refused_and_harms_no_other_request(log_url: str) -> None:
    unreadable = MeasurementCorrected(
        period="2011", value=Decimal("NaN"), previous=Decimal(1), reason="none", published_on=DAY
    )
    async with appending(log_url) as (appender, store):
        answers = await together(
            appender,
            changes(event(wrote("good"))),
            changes(event(wrote("half of a surrogate pair: \ud83d"))),
            changes(event(unreadable)),
            changes(event(wrote("good too"))),
        )
        assert [type(a) for a in answers] == [Appended, UnicodeEncodeError, ValueError, Appended]
        assert texts(store) == ["good", "good too"]


async def test_more_requests_than_one_batch_holds_are_all_written(log_url: str) -> None:
    async with appending(log_url) as (appender, store):
        wanted = [str(n) for n in range(LARGEST_BATCH + 100)]
        await together(appender, *(changes(event(wrote(text))) for text in wanted))
        assert texts(store) == wanted


async def test_what_a_cancelled_request_wrote_is_still_taken_in(log_url: str) -> None:
    taken = Taken()
    async with appending(log_url, taken) as (appender, store):
        given_up = asyncio.create_task(appender.append(changes(event(wrote("given up")))))
        kept = asyncio.create_task(appender.append(changes(event(wrote("kept")))))
        await asyncio.sleep(0)
        given_up.cancel()
        await kept
        assert given_up.cancelled()
        assert texts(store) == taken.texts == ["given up", "kept"]


async def test_closing_writes_what_waits_and_takes_no_more(log_url: str) -> None:
    async with appending(log_url) as (appender, store):
        waiting = [asyncio.create_task(appender.append(changes(event(wrote(str(n)))))) for n in range(20)]
        await asyncio.sleep(0)
        await appender.close()
        assert all(task.done() and not task.exception() for task in waiting)
        assert texts(store) == [str(n) for n in range(20)]
        with pytest.raises(Unavailable, match="stopping"):
            await appender.append(changes())


async def test_a_cache_that_breaks_does_not_leave_requests_waiting_for_ever(log_url: str) -> None:
    class Breaking(Taken):
        def __call__(self, request: Changes, appended: Appended) -> None:
            super().__call__(request, appended)
            if "bad" in self.texts[-1:]:
                raise ValueError("this cache cannot take it in")

    async with appending(log_url, Breaking()) as (appender, _):
        bad, *others = await asyncio.wait_for(
            together(appender, *(changes(event(wrote(text))) for text in ("bad", "good", "better"))), 10
        )
        assert isinstance(bad, ValueError)
        assert [type(other) for other in others] == [Appended, Appended]
        assert (await asyncio.wait_for(appender.append(changes()), 10)).first == 4


async def test_while_sqlite_is_locked_all_who_wait_hear_of_it_and_later_writes_work(sqlite_url: str) -> None:
    async with process(sqlite_url, limits=Limits(lock=0.2)) as writer:
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            answers = await asyncio.gather(
                *(writer.live.append(changes()) for _ in range(5)), return_exceptions=True
            )
            assert [type(a) for a in answers] == [Unavailable] * 5
            other.execute("ROLLBACK")
        assert (await writer.live.append(changes())).first == 1


async def test_while_postgresql_refuses_all_who_wait_hear_of_it_and_later_writes_work(
    postgres_url: str, postgres_server: str
) -> None:
    name = psycopg.conninfo.conninfo_to_dict(postgres_url)["dbname"]
    database = sql.Identifier(str(name))
    async with appending(postgres_url) as (appender, store):
        await appender.append(changes(event(wrote("before"))))
        with psycopg.connect(postgres_server, autocommit=True) as admin:
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database))
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            answers = await together(appender, *(changes(event(wrote("lost"))) for _ in range(5)))
            assert [type(a) for a in answers] == [Unavailable] * 5
            answers = await together(appender, *(changes(event(wrote("lost"))) for _ in range(2)))
            assert [type(a) for a in answers] == [Unavailable] * 2
            admin.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(database))
        assert (await appender.append(changes(event(wrote("after"))))).first == 2
        assert texts(store) == ["before", "after"]
