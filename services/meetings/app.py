"""Puts the meetings service together: the log, the use cases over it, and the routes in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.meetings.action_item.model import ActionItem
from services.meetings.action_item.routes import ERRORS as ACTION_ITEM_ERRORS
from services.meetings.action_item.routes import action_item_routes
from services.meetings.body.model import Body
from services.meetings.body.proposals import Proposals
from services.meetings.body.routes import ERRORS as BODY_ERRORS
from services.meetings.body.routes import body_routes
from services.meetings.decision.model import Decision
from services.meetings.decision.routes import ERRORS as DECISION_ERRORS
from services.meetings.decision.routes import decision_routes
from services.meetings.directory import Directory
from services.meetings.meeting.calendars import Calendars
from services.meetings.meeting.repository import Meetings
from services.meetings.meeting.routes import ERRORS as MEETING_ERRORS
from services.meetings.meeting.routes import meeting_routes
from services.meetings.readers import ForReaders, all_readers
from shared.clock import Clock
from shared.eventlog.live import LiveLog
from shared.eventlog.store import open_store
from shared.events.identity import KeyIssued, KeyRevoked
from shared.http.catalogue import Catalogue
from shared.http.service import Service, build_app, build_authenticator
from shared.identity.keys import KeyDirectory
from shared.settings import Settings

PORT = 8002
DESCRIPTION = (
    "Records what a government's committees and bilaterals met for and settled: agendas, attendance, minutes that are "
    "sealed once approved, numbered decisions and what the budget office says of them, and who owes what by when."
)

ERRORS: Catalogue = {**BODY_ERRORS, **MEETING_ERRORS, **DECISION_ERRORS, **ACTION_ITEM_ERRORS}


def create_app(settings: Settings, clock: Clock | None = None) -> Service:
    """The service over the log that the settings name; it begins to follow the log when it is started."""
    clock = clock or Clock(settings.timezone)
    store = open_store(settings.effective_log_url)
    live = LiveLog(store, clock)
    keys = KeyDirectory()
    live.subscribe((KeyIssued, KeyRevoked), lambda recorded: keys.apply(recorded.data))
    directory = Directory(live)
    bodies: ForReaders[Body] = ForReaders(live, Body, "body")
    decisions: ForReaders[Decision] = ForReaders(live, Decision, "decision")
    action_items: ForReaders[ActionItem] = ForReaders(live, ActionItem, "action-item")
    meetings = Meetings(live, directory, bodies, decisions, action_items)
    readers_of = all_readers(live, bodies, decisions, action_items)
    proposals, calendars = Proposals(live, directory.is_listed_to), Calendars(live, directory)

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

    async def log_follows() -> str:
        await asyncio.to_thread(store.check_ready)
        if live.failure is not None:
            raise live.failure
        return f"followed up to position {live.position}"

    return build_app(
        title="Bitácora: meetings",
        description=DESCRIPTION,
        version="1",
        routers=[
            body_routes(bodies, directory, proposals, calendars),
            meeting_routes(meetings, directory, proposals, calendars, readers_of),
            decision_routes(decisions, meetings, readers_of),
            action_item_routes(action_items, meetings, directory, readers_of),
        ],
        settings=settings,
        authenticator=build_authenticator(settings, keys, clock),
        catalogue=ERRORS,
        checks={"log": log_follows},
        lifespan=following,
    )
