"""PostgreSQL stopped, killed and started again under load: nothing is lost or doubled, and all go on by themselves."""

from __future__ import annotations

import time
from contextlib import ExitStack

import pytest

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
