"""PostgreSQL stopped, killed and started again under load: nothing is lost or doubled, and all go on by themselves."""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack

import pytest

from tests.support.ledger import changes, process
from tests.support.load import Load
from tests.support.log_process import Child
from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.xdist_group("postgres-outages")


def test_a_writer_and_a_follower_live_through_outages_of_postgresql(private_postgres: PostgresServer) -> None:
    url = private_postgres.url
    load = Load(seed=11)
    with ExitStack() as stack:
        writer, follower = (stack.enter_context(Child("serve", url)).ready() for _ in range(2))
        load.begin(writer)
        for stream in load.ledgers:
            follower.say({"name": "look", "stream": stream, "upto": len(load.ledgers), "keyed": False})
            assert follower.hear()["texts"] == []
        for end in (private_postgres.stop, private_postgres.kill):
            load.run(writer, 0.4)
            end()
            load.run(writer, 0.8)
            private_postgres.start()
            load.run(writer, 1.0)
            load.settle(writer)
        assert load.unavailable > 0, "the outage was never felt"
        load.finish(writer)
        held = load.check(url)
        head = max(position for _, _, position in load.acknowledged.values())
        began = time.monotonic()
        for stream in load.ledgers:
            follower.say({"name": "look", "stream": stream, "upto": head, "keyed": False})
            assert follower.hear()["texts"] == held[stream]
        assert time.monotonic() - began < 20


async def test_nobody_is_told_of_a_restart_that_came_while_nobody_asked(
    private_postgres: PostgresServer,
) -> None:
    async with process(private_postgres.url) as one:
        stream = await one.open()

        async def ask(at_once: int) -> None:
            """A write, and so many reads at a time that each has a connection of its own."""
            await one.write(stream, "something")
            await one.live.append(changes())
            await asyncio.gather(*(asyncio.to_thread(one.store.read, 0, 10) for _ in range(at_once)))

        await ask(8)
        private_postgres.stop()
        private_postgres.start()
        await ask(8)
        private_postgres.kill()
        private_postgres.start()
        await ask(8)
        assert len(await one.texts(stream)) == 3
