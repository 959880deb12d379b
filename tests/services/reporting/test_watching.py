"""Whoever waits for the read model sees it move, and goes on after an outage of the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date

import psycopg
import pytest

from services.reporting.generations import open_read_model
from services.reporting.routes.waiting import Reached
from shared.errors import Unavailable
from shared.events.commitments import Commented, Registered
from tests.services.reporting.stage import SCHEMA, Stage, staged

REGISTERED = Registered(code="A", title="A", lead_organization="DCI", effective_on=date(2012, 1, 1))


@pytest.fixture
def stage(log_url: str) -> Iterator[Stage]:
    with staged(log_url) as made:
        made.start_worker()
        yield made


def said(stage: Stage) -> int:
    """One more event; its position."""
    return stage.append(("A", Commented(text="more", effective_on=date(2012, 1, 2)))).last


def test_all_who_wait_are_told_when_their_position_is_there(stage: Stage) -> None:
    async def wait() -> None:
        reached = Reached(stage.read_model)
        first = stage.append(("A", REGISTERED)).last
        waiting = [asyncio.create_task(reached.until(first + n, 20)) for n in range(4)]
        for _ in range(3):
            await asyncio.to_thread(said, stage)
        await asyncio.gather(*waiting)
        assert reached.position >= first + 3
        with pytest.raises(Unavailable, match="has not reached"):
            await reached.until(first + 99, 0.2)
        await reached.close()

    asyncio.run(wait())


def test_after_the_connection_was_lost_the_next_one_who_waits_is_told_all_the_same(postgres_url: str) -> None:
    with staged(postgres_url) as stage:
        stage.append(("A", REGISTERED))
        read_model = open_read_model(postgres_url, SCHEMA)
        watch = read_model.watch()
        try:
            assert watch.wait(-1, 0) == 0
            with psycopg.connect(postgres_url, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            with pytest.raises(Unavailable):
                watch.wait(0, 1)
            stage.start_worker()
            assert watch.wait(0, 20) == 1
        finally:
            watch.close()
            read_model.close()
