"""One process living with the log: it takes in everything, once and in order, and stops loudly when it cannot."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import closing
from uuid import uuid4

import pytest

from shared.clock import Clock
from shared.errors import CorruptEvent, Unavailable
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.eventlog.store import LogNotReady
from shared.events.commitments import Commented
from shared.events.facts import Event, Unknown
from shared.events.indicators import MeasurementRecorded
from tests.support.ledger import changes, command, event, process, run_sql, until, wrote


class FromTheFuture(Event, frozen=True, kw_only=True):
    """A type that this version does not know."""

    TYPE = "commitments.celebrated"

    loudness: int = 0


class Seen:
    """The texts a subscriber was called with."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.positions: list[int] = []

    def __call__(self, recorded: Recorded) -> None:
        assert isinstance(recorded.data, Commented)
        self.texts.append(recorded.data.text)
        self.positions.append(recorded.position)


async def test_what_one_process_writes_reaches_the_others(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        await one.write(ledger, "a", "b")
        await other.live.wait_for(one.live.position, 10)
        assert await other.texts(ledger) == ["a", "b"]
        await other.write(ledger, "c")
        await one.live.wait_for(other.live.position, 10)
        assert await one.texts(ledger) == ["a", "b", "c"]


async def test_waiting_for_a_position_ends_when_it_is_reached_and_not_before(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        waiting = asyncio.create_task(other.live.wait_for(2, 10))
        await one.live.append(changes())
        await other.live.wait_for(1, 10)
        assert not waiting.done()
        await one.live.append(changes())
        await waiting
        assert other.live.position == 2


async def test_waiting_for_a_position_that_does_not_come_is_told_so(log_url: str) -> None:
    async with process(log_url) as one:
        with pytest.raises(Unavailable, match="Position 5 was not reached") as raised:
            await one.live.wait_for(5, 0.05)
        assert raised.value.code == "position-not-reached"
        await one.live.append(changes())
        assert one.live.position == 1


async def test_a_subscriber_sees_what_was_there_and_what_comes_from_whomever_in_order_and_once(
    log_url: str,
) -> None:
    async with process(log_url) as early:
        ledger = await early.open()
        for n in range(5):
            await early.write(ledger, f"before {n}")
    store = open_store(log_url)
    seen, deaf = Seen(), Seen()
    live = LiveLog(store, Clock())
    live.subscribe([Commented], seen, forget=lambda: None)
    live.subscribe([MeasurementRecorded], deaf, forget=lambda: None)
    await live.start()
    try:
        async with process(log_url) as other:
            writers = [
                writer.append(changes(event(wrote(f"{name} {n}"))))
                for n in range(40)
                for name, writer in (("own", live), ("foreign", other.live))
            ]
            await asyncio.gather(*writers)
            await live.wait_for(other.live.position, 10)
            await live.wait_for(store.head(), 10)
    finally:
        await live.stop()
    stored = [(p, codec.decode(line, p).data) for p, line in store.read(0, 1000)]
    store.close()
    wanted = [(p, data.text) for p, data in stored if isinstance(data, Commented)]
    assert list(zip(seen.positions, seen.texts, strict=True)) == wanted
    assert len(wanted) == 85
    assert deaf.texts == []


async def test_an_append_returns_after_the_subscribers_have_seen_it(log_url: str) -> None:
    async with process(log_url, start=False) as one, process(log_url) as other:
        seen = Seen()
        one.live.subscribe([Commented], seen, forget=lambda: None)
        await one.live.start()
        try:
            for n in range(30):
                foreign = asyncio.create_task(other.live.append(changes(event(wrote("foreign")))))
                await one.live.append(changes(event(wrote(f"own {n}"))))
                assert seen.texts[-1] == f"own {n}" or f"own {n}" in seen.texts
                await foreign
        finally:
            await one.live.stop()


async def test_a_type_from_a_later_version_does_not_stop_the_tail(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        await one.ledgers.change(ledger, lambda _: [FromTheFuture(loudness=11), wrote("after")], command())
        await other.live.wait_for(3, 10)
        history = await other.ledgers.history(ledger)
        assert history[1].type == "commitments.celebrated"
        assert history[1].data == Unknown(type_name="commitments.celebrated", raw=b'{"loudness":11}')
        assert await other.texts(ledger) == ["after"]
        assert (await other.ledgers.get(ledger)).version == 3  # type: ignore[union-attr]
        assert other.live.failure is None


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda line: line[: len(line) // 2], "truncated"),
        (lambda line: line.replace(b'"text":"two"', b'"text":2'), "Expected `str`"),
        (lambda line: line.replace(b'"position":2', b'"position":3'), "claim position 3"),
        (lambda line: b"\xff\xfe", "malformed|invalid"),
    ],
    ids=["cut off", "data of another shape", "another's position", "no JSON"],
)
async def test_a_corrupt_event_stops_the_tail_and_names_its_position(
    log_url: str, damage: Callable[[bytes], bytes], complaint: str
) -> None:
    async with process(log_url) as one:
        for text in ("one", "two", "three"):
            await one.live.append(changes(event(wrote(text))))
        line = one.store.read(1, 1)[0][1]
    run_sql(
        log_url,
        "UPDATE stored_events SET state = %s, recorded_at = NULL WHERE notification_id = 2",
        damage(line),
    )
    run_sql(log_url, "DELETE FROM stored_events WHERE notification_id > 0 AND notification_id < 2")
    store = open_store(log_url)
    late = LiveLog(store, Clock())
    late.subscribe([Commented], Seen(), forget=lambda: None)
    with pytest.raises(CorruptEvent, match="position 2 cannot be read") as raised:
        await late.start()
    assert raised.value.position == 2
    assert raised.match(complaint)
    store.close()


async def test_a_corrupt_event_that_arrives_stops_the_tail_and_is_reported(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        await other.live.wait_for(1, 10)
        insert = (
            "INSERT INTO stored_events (notification_id, originator_id, originator_version, topic, state) "
            "VALUES (2, %s, 1, 'commitments.commented', %s)"
        )
        run_sql(log_url, insert, uuid4(), b'{"position":2,')
        await until(lambda: other.live.failure)
        assert isinstance(other.live.failure, CorruptEvent)
        assert other.live.failure.position == 2
        assert other.live.position == 1
        # What is not corrupt can still be read and written; readiness tells the operator of the rest.
        assert await other.texts(ledger) == []


async def test_a_subscriber_that_breaks_stops_the_tail_and_is_reported(log_url: str) -> None:
    async with process(log_url, start=False) as one, process(log_url) as other:

        def refuse(recorded: Recorded) -> None:
            raise ArithmeticError("cannot count this")

        one.live.subscribe([Commented], refuse, forget=lambda: None)
        await one.live.start()
        try:
            await other.live.append(changes())
            await until(lambda: one.live.failure)
            assert isinstance(one.live.failure, ArithmeticError)
            await until(
                lambda: not any(t.name == "log-tail" and t is one.live._thread for t in threading.enumerate())
            )
        finally:
            await one.live.stop()


async def test_a_write_is_acknowledged_though_a_subscriber_breaks_over_it(log_url: str) -> None:
    async with process(log_url, start=False) as one:

        def refuse(recorded: Recorded) -> None:
            raise ArithmeticError("cannot count this")

        one.live.subscribe([MeasurementRecorded], lambda recorded: None, forget=lambda: None)
        one.live.subscribe([Commented], refuse, forget=lambda: None)
        await one.live.start()
        try:
            appended = await asyncio.wait_for(one.live.append(changes()), 10)
            assert appended[:2] == (1, 1)
            assert isinstance(one.live.failure, ArithmeticError)
            with pytest.raises(Unavailable):
                await asyncio.wait_for(one.live.wait_for(1, 600), 10)
        finally:
            await one.live.stop()


async def test_a_log_without_tables_says_so(log_url: str) -> None:
    with closing(open_store(log_url)) as store:
        with pytest.raises(LogNotReady):
            store.check_ready()
        live = LiveLog(store, Clock())
        with pytest.raises(LogNotReady):
            await live.start()
        store.migrate()
        store.check_ready()


async def test_stopping_leaves_no_thread_and_no_task_behind(log_url: str) -> None:
    before = {thread.name for thread in threading.enumerate() if thread.name.startswith("log-")}
    tasks = asyncio.all_tasks()
    async with process(log_url) as one:
        await one.live.append(changes())
    names = {thread.name for thread in threading.enumerate() if thread.name.startswith("log-")}
    assert names <= before
    assert asyncio.all_tasks() == tasks


async def test_stopping_twice_and_stopping_what_never_started_do_no_harm(log_url: str) -> None:
    async with process(log_url, start=False) as one:
        await one.live.stop()
        await one.live.start()
        await one.live.stop()
        await one.live.stop()


async def test_what_waits_to_be_written_is_written_before_the_process_stops(log_url: str) -> None:
    async with process(log_url) as one:
        waiting = [asyncio.create_task(one.live.append(changes(event(wrote(str(n)))))) for n in range(10)]
        await asyncio.sleep(0)
    assert all(task.done() and task.exception() is None for task in waiting)
    with closing(open_store(log_url)) as store:
        assert store.head() == 10
