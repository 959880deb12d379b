"""What the store itself adds to an event, position and instant, and what `known_at` means by them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.eventlog import codec
from shared.eventlog.open import open_store
from shared.eventlog.store import Appended, Changes, Store, position_at
from tests.support.ledger import NOON, changes, event, run_sql, wrote

instants = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone itself
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.sampled_from(
        [UTC, timezone(timedelta(hours=-4)), timezone(timedelta(hours=13, minutes=45))]
    ),
)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
clocks = st.lists(
    st.integers(min_value=-3, max_value=4).map(lambda n: NOON + timedelta(seconds=n)), max_size=12
)


def write_by(store: Store, way: str, batch: Sequence[Changes], now: datetime) -> Sequence[Appended]:
    """Append in one of the two ways there are: blocking, or from an event loop."""
    if way == "blocking":
        return store.append(batch, now)

    async def write() -> Sequence[Appended]:
        writer = store.writer()
        try:
            return await writer.write(batch, now)
        finally:
            await writer.close()

    return asyncio.run(write())


@pytest.mark.parametrize("way", ["blocking", "event loop"])
@given(written=st.lists(st.tuples(instants, st.lists(texts, min_size=1, max_size=3)), min_size=1, max_size=3))
def test_the_stored_bytes_are_what_the_codec_says_whoever_stamps_them(
    store: tuple[Store, str], way: str, written: list[tuple[datetime, list[str]]]
) -> None:
    log, url = store
    run_sql(url, "DELETE FROM stored_events")
    wanted = []
    for now, lines in written:
        batch = [changes(*(event(wrote(text)) for text in lines)), changes(event(wrote("last")))]
        answers = write_by(log, way, batch, now)
        for request, appended in zip(batch, answers, strict=True):
            assert appended.last - appended.first + 1 == len(request.events)
            for position, new in enumerate(request.events, appended.first):
                wanted.append((position, codec.stamp(codec.encode(new), position, appended.recorded_at)))
                assert log.recorded_at(position) == appended.recorded_at
    assert log.read(0, 100) == wanted
    assert [position for position, _ in wanted] == list(range(1, len(wanted) + 1))


@given(ticks=clocks, asked=st.integers(min_value=-5, max_value=6))
def test_known_at_is_the_largest_position_whose_running_maximum_is_not_later(
    store: tuple[Store, str], ticks: list[datetime], asked: int
) -> None:
    log, url = store
    run_sql(url, "DELETE FROM stored_events")
    for now in ticks:
        log.append([changes()], now)
    moment = NOON + timedelta(seconds=asked)
    wanted = max((n for n in range(1, len(ticks) + 1) if max(ticks[:n]) <= moment), default=0)
    assert position_at(log, moment) == wanted
    stamps = [codec.decode(line, position).recorded_at for position, line in log.read(0, 100)]
    assert stamps == [max(ticks[:n]) for n in range(1, len(ticks) + 1)]


def test_the_instant_never_falls_though_another_process_is_behind(store: tuple[Store, str]) -> None:
    log, url = store
    run_sql(url, "DELETE FROM stored_events")
    with closing(open_store(url)) as behind:
        for n in range(5):
            log.append([changes()], NOON + timedelta(seconds=n))
            (late,) = behind.append([changes()], NOON - timedelta(hours=1, seconds=n))
            assert late.recorded_at == NOON + timedelta(seconds=n)
    assert position_at(log, NOON + timedelta(seconds=2)) == 6
    assert position_at(log, NOON - timedelta(seconds=1)) == 0


def test_an_instant_is_written_in_utc_with_six_decimals(store: tuple[Store, str]) -> None:
    log, url = store
    run_sql(url, "DELETE FROM stored_events")
    log.append([changes()], datetime(2026, 11, 21, 15, tzinfo=timezone(timedelta(hours=-3))))
    assert log.read(0, 1)[0][1].startswith(
        b'{"position":1,"recorded_at":"2026-11-21T18:00:00.000000Z","type":'
    )
