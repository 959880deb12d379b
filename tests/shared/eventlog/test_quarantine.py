"""One event that cannot be read: it is named, put aside with a reason in the record, and everything else goes on."""

from __future__ import annotations

from uuid import UUID

import pytest

from shared.clock import utc_now
from shared.errors import BitacoraError, CorruptEvent
from shared.eventlog import codec
from shared.eventlog.quarantine import quarantine
from shared.eventlog.store import Quarantined, Store
from shared.eventlog.verification import verify
from shared.events.commitments import Commented
from shared.events.record import EventQuarantined, EventUnreadable
from tests.support.damage import damage, mend, spoil
from tests.support.ledger import ACTOR, process, run_sql, until


def put_aside(store: Store, position: int, **more: bool) -> Quarantined:
    """As the command does."""
    return quarantine(store, position, reason="a bad disk", actor=ACTOR, now=utc_now, **more)


async def test_what_cannot_be_read_is_passed_over_and_its_stream_can_be_written_again(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        await one.write(ledger, "first", "damaged", "third")
        await other.live.wait_for(4, 10)
        damage(log_url, 3, spoil)
        with pytest.raises(CorruptEvent):
            await other.texts(ledger)
        assert "the event at position 3 cannot be read" in await other.live.readiness()
        put_aside(one.store, 3)
        await other.live.wait_for(5, 10)
        assert await other.texts(ledger) == ["first", "third"]
        assert (await other.ledgers.get(ledger)).quarantined == 1  # type: ignore[union-attr]
        await other.write(ledger, "fifth")
        await one.live.wait_for(6, 10)
        assert await one.texts(ledger) == ["first", "third", "fifth"]
        said = await other.live.readiness()
        assert "the event at position 3 put aside" in said
        assert "cannot be read" not in said


async def test_a_process_that_met_it_goes_on_by_itself_once_it_is_put_aside(log_url: str) -> None:
    seen: list[str] = []
    async with process(log_url) as one, process(log_url, start=False) as other:
        other.live.subscribe(
            [Commented], lambda recorded: seen.append(str(recorded.position)), forget=lambda: None
        )
        ledger = await one.open()
        other.live.position = 0
        await other.live.start()
        try:
            run_sql(
                log_url,
                "INSERT INTO stored_events (notification_id, originator_id, originator_version, topic, state) "
                "VALUES (2, %s, 2, 'commitments.commented', %s)",
                ledger,
                b'{"position":2,',
            )
            await until(lambda: other.live.failure)
            with pytest.raises(BitacoraError, match="position 2"):
                await other.live.readiness()
            put_aside(one.store, 2)
            await until(lambda: other.live.position >= 3)
            await until(lambda: other.live.failure is None)
            assert "the event at position 2 put aside" in await other.live.readiness()
            one.ledgers.forget(ledger)
            await one.write(ledger, "after")
            await until(lambda: seen == ["4"])
        finally:
            await other.live.stop()


async def test_what_is_put_aside_keeps_its_place_its_identity_and_its_bytes(log_url: str) -> None:
    async with process(log_url) as one:
        ledger = await one.open()
        await one.write(ledger, "damaged")
        damage(log_url, 2, spoil)
        as_it_lies = one.store.read_as_it_lies(1, 1)[0].line
        identity = one.store.identity_at(2)
        done = put_aside(one.store, 2)
        assert one.store.identity_at(2) == identity
        recorded = codec.decode(one.store.read(1, 1)[0][1], 2)
        assert recorded.data == EventUnreadable(quarantined_at=3)
        assert (recorded.stream_id, recorded.version) == (ledger, 2)
        assert one.store.read_as_it_lies(1, 1)[0].line == as_it_lies
        kept = codec.decode(one.store.read(2, 1)[0][1], 3)
        assert kept.data == done.event
        assert isinstance(kept.data, EventQuarantined)
        assert (kept.data.position, kept.data.stream_id, kept.data.reason) == (2, ledger, "a bad disk")


async def test_verify_names_position_stream_and_cause_and_then_what_was_put_aside(log_url: str) -> None:
    async with process(log_url) as one:
        ledger = await one.open()
        await one.write(ledger, "one", "two", "three")
        damage(log_url, 3, lambda line: line.replace(b'"text":"two"', b'"text":2'))
        (fault,) = verify(one.store).faults
        assert (fault.position, fault.stream_id) == (3, ledger)
        assert "Expected `str`" in fault.reason
        put_aside(one.store, 3)
        report = verify(one.store)
        assert report.sound
        assert [event.position for event in report.quarantined] == [3]


async def test_a_line_that_is_mended_counts_again(log_url: str) -> None:
    async with process(log_url) as one:
        ledger = await one.open()
        await one.write(ledger, "damaged")
        damage(log_url, 2, spoil)
        put_aside(one.store, 2)
        damage(log_url, 2, mend)
        report = verify(one.store)
        assert report.sound
        assert (report.quarantined, report.mended) == ([], [2])
        one.ledgers.forget(ledger)
        assert await one.texts(ledger) == ["damaged"]


async def test_what_can_be_read_is_not_put_aside_unless_somebody_insists(log_url: str) -> None:
    async with process(log_url) as one:
        ledger = await one.open()
        await one.write(ledger, "sound")

        def refusal(position: int, **more: bool) -> str:
            with pytest.raises(BitacoraError) as refused:
                put_aside(one.store, position, **more)
            return refused.value.code

        assert refusal(2) == "event-readable"
        assert refusal(9) == "position-unknown"
        put_aside(one.store, 2, although_readable=True)
        assert refusal(2, although_readable=True) == "event-already-quarantined"
        one.ledgers.forget(ledger)
        assert await one.texts(ledger) == []
        with pytest.raises(BitacoraError, match="Say why"):
            quarantine(one.store, 2, reason=" ", actor=ACTOR, now=utc_now)


@pytest.mark.parametrize("column", ["recorded_at", "originator_id"])
async def test_a_damaged_column_is_named_too_and_can_be_put_aside(sqlite_url: str, column: str) -> None:
    async with process(sqlite_url) as one:
        ledger = await one.open()
        await one.write(ledger, "one", "two")
        run_sql(sqlite_url, f"UPDATE stored_events SET {column} = 'nonsense' WHERE rowid = 3")  # noqa: S608
        assert {fault.position for fault in verify(one.store).faults} == {3}
        put_aside(one.store, 3)
        report = verify(one.store)
        assert [event.position for event in report.quarantined] == [3]
        if column == "recorded_at":
            assert report.sound
        else:
            assert report.quarantined[0].stream_id == UUID(int=0)
