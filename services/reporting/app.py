"""Puts the reporting service together: the log it follows, the read model it answers from, and the routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.reporting.api import action_items, board, decisions, events, meeting_register, timeline
from services.reporting.api.access import ACCESS
from services.reporting.api.errors import ERRORS
from services.reporting.api.questions import Reporting
from services.reporting.opening import open_read_model
from shared.clock import Clock
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_log
from shared.events.identity import KeyIssued, KeyRevoked
from shared.http.service import Service, build_app, build_authenticator
from shared.identity.keys import KeyDirectory
from shared.settings import Settings

PORT = 8003
DESCRIPTION = (
    "Shows what the record says: the board on any day as it was known at any moment, the timeline of each commitment "
    "down to the event that made it so, decisions with the gaps in their record, the register of meetings and what is "
    "owed from them, and the log itself, for those who check it or keep a copy."
)


def create_app(settings: Settings, clock: Clock | None = None) -> Service:
    """The service over the log and the read model that the settings name; it makes no tables."""
    clock = clock or Clock(settings.timezone)
    store = open_log(settings)
    read_model = open_read_model(settings.effective_read_model_url)
    live = LiveLog(store, clock)
    keys = KeyDirectory()
    live.subscribe((KeyIssued, KeyRevoked), lambda recorded: keys.apply(recorded.data))
    reporting = Reporting(live, read_model, keep_alive=settings.keep_alive_seconds)

    @asynccontextmanager
    async def following(_: FastAPI) -> AsyncIterator[None]:
        try:
            await asyncio.to_thread(store.check_ready)
            await live.start()
            try:
                yield
            finally:
                await live.stop()
                await reporting.close()
        finally:
            read_model.close()
            store.close()

    async def log_follows() -> str:
        await asyncio.to_thread(store.check_ready)
        if live.failure is not None:
            raise live.failure
        return f"followed up to position {live.position}"

    async def read_model_is_ready() -> str:
        await asyncio.to_thread(read_model.check_ready)
        reached = await asyncio.to_thread(reporting.reached)
        head = await asyncio.to_thread(store.head)
        return f"at position {reached}, {max(0, head - reached)} behind the log"

    app = build_app(
        title="Bitácora: reporting",
        description=DESCRIPTION,
        version="1",
        routers=[
            board.router,
            timeline.router,
            decisions.router,
            meeting_register.router,
            action_items.router,
            events.router,
        ],
        access=ACCESS,
        settings=settings,
        authenticator=build_authenticator(settings, keys, clock),
        catalogue=ERRORS,
        checks={"log": log_follows, "read_model": read_model_is_ready},
        lifespan=following,
    )
    app.state.reporting = reporting
    return app
