"""Puts the meetings service together: the log, the use cases over it, and the routes in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.meetings.api import action_items, bodies, decisions, meetings, minutes
from services.meetings.api.access import ACCESS
from services.meetings.api.errors import ERRORS
from services.meetings.application.action_items import ActionItems
from services.meetings.application.bodies import Bodies
from services.meetings.application.decisions import Decisions
from services.meetings.application.directory import Directory
from services.meetings.application.disclosures import Disclosures
from services.meetings.application.meetings import Meetings
from shared.clock import Clock
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_log
from shared.events.identity import KeyIssued, KeyRevoked
from shared.http.service import Service, build_app, build_authenticator
from shared.identity.keys import KeyDirectory
from shared.settings import Settings

PORT = 8002
DESCRIPTION = (
    "Records what a government's committees and bilaterals met for and settled: agendas, attendance, minutes that are "
    "sealed once approved, numbered decisions and what the budget office says of them, and who owes what by when."
)


def create_app(settings: Settings, clock: Clock | None = None) -> Service:
    """The service over the log that the settings name; it begins to follow the log when it is started."""
    clock = clock or Clock(settings.timezone)
    store = open_log(settings)
    live = LiveLog(store, clock)
    keys = KeyDirectory()
    live.subscribe((KeyIssued, KeyRevoked), lambda recorded: keys.apply(recorded.data))
    directory = Directory.following(live)

    @asynccontextmanager
    async def following(_: FastAPI) -> AsyncIterator[None]:
        try:
            await asyncio.to_thread(store.check_ready)
            await live.start()
            try:
                yield
            finally:
                await live.stop()
        finally:
            store.close()

    app = build_app(
        title="Bitácora: meetings",
        description=DESCRIPTION,
        version="1",
        routers=[
            bodies.router,
            meetings.router,
            minutes.router,
            decisions.router,
            action_items.router,
        ],
        access=ACCESS,
        settings=settings,
        authenticator=build_authenticator(settings, keys, clock),
        catalogue=ERRORS,
        checks={"log": live.readiness},
        lifespan=following,
    )
    app.state.bodies = Bodies(live, directory)
    app.state.decisions = Decisions(live)
    app.state.action_items = ActionItems(live, directory)
    app.state.disclosures = Disclosures(live, app.state.bodies, app.state.decisions, app.state.action_items)
    app.state.meetings = Meetings(
        live, directory, app.state.bodies, app.state.decisions, app.state.action_items
    )
    return app
