"""Caches under pressure: too small, loading while others write, and never behind what their process already knew."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID, uuid4

import pytest

from shared.aggregate.repository import BASE_WEIGHT, CACHE, EVENT_WEIGHT
from tests.support.ledger import (
    NOON,
    Ledger,
    Process,
    changes,
    command,
    event,
    opened,
    process,
    writing,
    wrote,
)


class Watch:
    """What one process may no longer forget of each ledger."""

    def __init__(self, here: Process, seed: int) -> None:
        self.here = here
        self.rng = random.Random(seed)
        self.known: dict[UUID, int] = {}

    async def pause(self) -> None:
        """Nothing, one turn of the loop, or a few milliseconds."""
        if self.rng.random() < 0.7:
            await asyncio.sleep(self.rng.choice((0, 0, 0.001, 0.004)))

    async def look(self, ledger: UUID) -> Ledger | None:
        """Read a ledger: never older than what this process wrote or read of it before."""
        known = self.known.get(ledger, 0)
        found = await self.here.ledgers.get(ledger)
        version = 0 if found is None else found.version
        assert version >= known, f"this process knew version {known} and now reads version {version}"
        assert found is None or len(found.texts) == version - 1
        self.known[ledger] = max(self.known.get(ledger, 0), version)
        return found

    async def write(self, ledger: UUID, text: str) -> None:
        """Write, and know it from then on."""
        outcome = await self.here.ledgers.change(ledger, writing(text), command())
        self.known[ledger] = max(self.known.get(ledger, 0), outcome.version)

    async def begin(self, ledger: UUID) -> None:
        """Begin a ledger, and know it from then on."""
        await self.here.ledgers.create(ledger, lambda: [opened(str(ledger))], command())
        self.known[ledger] = max(self.known.get(ledger, 0), 1)


@pytest.mark.parametrize(
    "cache", [2 * (BASE_WEIGHT + 4 * EVENT_WEIGHT), CACHE], ids=["a cache too small", "a cache large enough"]
)
async def test_a_cache_that_loads_while_others_write_is_never_behind(log_url: str, cache: int) -> None:
    async with process(log_url, cache=cache) as one, process(log_url, cache=cache) as other:
        watches = [Watch(one, 1), Watch(other, 2)]
        ledgers: list[UUID] = []

        async def write(watch: Watch, name: str) -> None:
            for n in range(60):
                if watch.rng.random() < 0.15 or not ledgers:
                    ledger = uuid4()
                    await watch.begin(ledger)
                    ledgers.append(ledger)
                await watch.write(watch.rng.choice(ledgers[-6:]), f"{name} {n}")
                await watch.pause()

        async def read(watch: Watch) -> None:
            while not done.is_set():
                if ledgers:
                    await watch.look(watch.rng.choice(ledgers[-8:]))
                if watch.rng.random() < 0.05:
                    watch.here.live.forget(ledgers)
                await watch.pause()

        done = asyncio.Event()
        async with asyncio.TaskGroup() as readers:
            for watch in watches * 2:
                readers.create_task(read(watch))
            try:
                await asyncio.gather(*(write(w, f"{w.here is one} {n}") for w in watches for n in range(3)))
            finally:
                done.set()
        head = one.store.head()
        for watch in watches:
            await watch.here.live.wait_for(head, 15)
        lengths: dict[UUID, int] = {}
        for ledger in ledgers:
            current = await one.ledgers.get(ledger)
            assert current is not None
            folded = (await one.ledgers.as_it_was(ledger, version=current.version)).state
            lengths[ledger] = folded.version
            for watch in watches:
                found = await watch.look(ledger)
                assert found is not None
                assert found.texts == folded.texts
        assert sum(lengths.values()) == 360 + len(ledgers)
        for watch in watches:
            held = [length for ledger, length in lengths.items() if watch.here.in_memory([ledger])]
            weight = sum(BASE_WEIGHT + EVENT_WEIGHT * length for length in held)
            assert weight <= cache or len(held) == 1
            watch.here.live.forget(ledgers)
            assert watch.here.in_memory(ledgers) == 0
            assert not watch.here.live.locks
            assert watch.here.live.failure is None


async def test_what_arrives_while_a_stream_is_being_read_is_not_lost(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        long = [event(wrote(f"{n}"), n, ledger) for n in range(2, 12_002)]
        await asyncio.to_thread(one.store.append, [changes(*long)], NOON)
        version = 12_001
        for _ in range(10):
            one.ledgers.forget(ledger)
            reading = asyncio.create_task(one.ledgers.get(ledger))
            await asyncio.sleep(0.002)
            version += 1
            late = await other.live.append(changes(event(wrote("late"), version, ledger)))
            await one.live.wait_for(late.last, 15)
            raced = not reading.done()
            await reading
            found = await one.ledgers.get(ledger)
            assert found is not None
            assert (found.version, found.texts[-1]) == (version, "late")
            if raced:
                return
        pytest.fail("nothing ever arrived while the stream was being read")


async def test_what_is_in_memory_takes_in_single_events_of_another_process(log_url: str) -> None:
    async with process(log_url) as one, process(log_url) as other:
        ledger = await one.open()
        held = await one.ledgers.get(ledger)
        for n in range(5):
            await other.write(ledger, str(n))
            await one.live.wait_for(n + 2, 15)
            assert await one.ledgers.get(ledger) is held
            assert await one.texts(ledger) == [str(m) for m in range(n + 1)]


async def test_what_is_read_from_the_log_is_no_newer_than_what_is_held_of_other_streams(log_url: str) -> None:
    """Or one answer would tell that a decision was carried out, and the next that nothing had been done."""
    async with process(log_url) as here, process(log_url) as there:
        cause = await here.open("CAUSE")
        await here.texts(cause)
        for number in range(20):
            await there.write(cause, f"so it was decided, {number}")
            effect = await there.open(f"EFFECT-{number}")
            assert await here.texts(effect) == []
            assert len(await here.texts(cause)) == number + 1
