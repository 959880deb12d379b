"""Commands of one process on the same stream go one after the other, and those on different streams do not wait."""

from __future__ import annotations

import asyncio
import random
from uuid import UUID, uuid4

import pytest

from shared.eventlog.locks import StreamLocks


async def turns(times: int = 5) -> None:
    """Let whoever can go on do so."""
    for _ in range(times):
        await asyncio.sleep(0)


async def test_of_those_at_one_stream_only_one_is_at_it_in_the_order_in_which_they_came() -> None:
    locks, stream = StreamLocks(), uuid4()
    order: list[str] = []

    async def work(name: int) -> None:
        async with locks.on([stream]):
            order.append(f"{name} begins")
            await turns()
            order.append(f"{name} ends")

    await asyncio.gather(*map(work, range(3)))
    assert order == [f"{name} {what}" for name in range(3) for what in ("begins", "ends")]
    assert len(locks) == 0


async def test_nobody_waits_for_another_stream() -> None:
    locks, mine, theirs = StreamLocks(), uuid4(), uuid4()
    async with locks.on([mine]):
        async with locks.on([theirs]):
            assert len(locks) == 2
        assert len(locks) == 1
    assert len(locks) == 0


async def test_those_who_need_several_streams_never_wait_for_each_other_for_ever() -> None:
    locks = StreamLocks()
    streams = [UUID(int=number) for number in range(4)]
    at = dict.fromkeys(streams, 0)
    rng = random.Random(7)

    async def work() -> None:
        mine = rng.sample(streams, rng.randint(1, 4))
        async with locks.on(mine):
            for stream in mine:
                at[stream] += 1
                assert at[stream] == 1
            await turns(rng.randint(0, 3))
            for stream in mine:
                at[stream] -= 1

    await asyncio.gather(*(work() for _ in range(200)))
    assert len(locks) == 0


async def test_who_gives_up_waiting_leaves_nothing_behind_and_holds_up_nobody() -> None:
    locks, first, second = StreamLocks(), UUID(int=1), UUID(int=2)
    entered: list[str] = []

    async def work(name: str, *streams: UUID) -> None:
        async with locks.on(streams):
            entered.append(name)

    async with locks.on([second]):
        # It has the first already when it is given up.
        given_up = asyncio.create_task(work("given up", first, second))
        waiting = asyncio.create_task(work("waiting", first))
        await turns()
        assert entered == []
        given_up.cancel()
        await waiting
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert entered == ["waiting"]
    assert len(locks) == 0


async def test_a_command_that_fails_gives_its_streams_back() -> None:
    locks, stream = StreamLocks(), uuid4()
    for _ in range(2):
        with pytest.raises(RuntimeError):
            async with locks.on([stream]):
                raise RuntimeError
    assert len(locks) == 0
