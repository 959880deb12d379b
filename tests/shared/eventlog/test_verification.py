"""What `bitacora verify` finds: nothing in a sound log, and every kind of damage at its position."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from shared.eventlog import codec
from shared.eventlog.verification import MOST_FAULTS, Fault, verify
from shared.events.facts import Event
from tests.support.ledger import NOON, Process, changes, command, event, process, run_sql, wrote


class FromTheFuture(Event, frozen=True, kw_only=True):
    """A type that this version does not know."""

    TYPE = "commitments.celebrated"


LEDGER = UUID(int=7)


@pytest.fixture
async def written(log_url: str) -> AsyncIterator[Process]:
    """A log of seven events: one ledger, versions 1 to 4, and three streams of one event."""
    async with process(log_url) as here:
        for version in range(1, 5):
            await here.live.append(changes(event(wrote(f"text {version}"), version, LEDGER)))
        await here.live.append(changes(event(wrote("five")), event(wrote("six")), event(FromTheFuture())))
        yield here


async def test_a_sound_log_has_no_faults_and_types_unknown_here_are_counted(written: Process) -> None:
    reached: list[int] = []
    report = verify(written.store, reached.append)
    assert report.sound
    assert (report.events, report.streams, report.head) == (7, 4, 7)
    assert report.unknown_types == {"commitments.celebrated": 1}
    assert reached == [7]


async def test_an_empty_log_is_sound(log_url: str) -> None:
    async with process(log_url) as here:
        assert verify(here.store).sound


def faults(here: Process) -> list[Fault]:
    """What is found, after a check that it is not called sound."""
    report = verify(here.store)
    assert report.sound == (not report.faults)
    return [Fault(fault.position, fault.reason) for fault in report.faults]


async def test_a_missing_event_is_a_gap_in_the_positions_and_in_its_stream(
    written: Process, log_url: str
) -> None:
    run_sql(log_url, "DELETE FROM stored_events WHERE notification_id = 3")
    assert faults(written) == [
        Fault(4, "the position before it is 2"),
        Fault(4, f"version 4 of stream {LEDGER} should be 3"),
    ]


async def test_bytes_that_are_no_event_are_told(written: Process, log_url: str) -> None:
    run_sql(log_url, "UPDATE stored_events SET state = %s WHERE notification_id = 5", b'{"position":5,')
    assert [fault.position for fault in faults(written)] == [5]


async def test_data_that_does_not_fit_its_type_is_told(written: Process, log_url: str) -> None:
    line = written.store.read(4, 1)[0][1].replace(b'"text":"five"', b'"text":5')
    run_sql(log_url, "UPDATE stored_events SET state = %s WHERE notification_id = 5", line)
    assert [fault.position for fault in faults(written)] == [5]


async def test_bytes_under_another_position_than_they_claim_are_told(written: Process, log_url: str) -> None:
    line = written.store.read(5, 1)[0][1]
    run_sql(log_url, "UPDATE stored_events SET state = %s WHERE notification_id = 5", line)
    assert faults(written) == [Fault(5, "the bytes claim position 6")]


@pytest.mark.parametrize(
    ("statement", "value", "name"),
    [
        ("UPDATE stored_events SET originator_id = %s WHERE notification_id = 6", UUID(int=9), "stream"),
        ("UPDATE stored_events SET originator_version = %s WHERE notification_id = 6", 9, "version"),
        ("UPDATE stored_events SET topic = %s WHERE notification_id = 6", "commitments.merged", "type"),
        (
            "UPDATE stored_events SET recorded_at = %s WHERE notification_id = 6",
            codec.instant_text(NOON),
            "instant",
        ),
    ],
)
async def test_a_column_that_says_otherwise_than_the_bytes_is_told(
    written: Process, log_url: str, statement: str, value: object, name: str
) -> None:
    run_sql(log_url, statement, value)
    assert faults(written) == [Fault(6, f"it is filed under another {name} than its bytes say")]


async def test_time_that_runs_backwards_is_told(written: Process, log_url: str) -> None:
    recorded = codec.decode(written.store.read(3, 1)[0][1], 4)
    line = written.store.read(3, 1)[0][1].replace(
        codec.instant_text(recorded.recorded_at).encode(), codec.instant_text(NOON).encode()
    )
    run_sql(
        log_url,
        "UPDATE stored_events SET state = %s, recorded_at = %s WHERE notification_id = 4",
        line,
        codec.instant_text(NOON),
    )
    assert faults(written) == [Fault(4, "it was recorded before the event that precedes it")]


async def test_only_the_first_of_very_many_faults_are_told_one_by_one(log_url: str) -> None:
    async with process(log_url) as here:
        stream = await here.open()
        await here.ledgers.change(stream, lambda _: [wrote("x") for _ in range(MOST_FAULTS + 20)], command())
        run_sql(log_url, "UPDATE stored_events SET state = %s", b"{}")
        report = verify(here.store)
        assert (len(report.faults), report.more_faults) == (MOST_FAULTS, 21)
        assert not report.sound
