"""Puts the meetings service together: the log, the use cases over it, and the routes in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from services.meetings.action_item import routes as action_item
from services.meetings.action_item.model import ActionItem
from services.meetings.body import routes as body
from services.meetings.body.repository import Bodies, Directory
from services.meetings.calendar_key import routes as calendar_key
from services.meetings.decision import routes as decision
from services.meetings.decision.model import Decision
from services.meetings.importing.kinds import KINDS
from services.meetings.meeting import routes as meeting
from services.meetings.meeting.calendars import Calendars
from services.meetings.meeting.listing import MeetingList
from services.meetings.meeting.proposals import Proposals
from services.meetings.meeting.repository import Meetings
from services.meetings.readers import all_readers
from shared.aggregate.repository import Repository
from shared.clock import Clock
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_log
from shared.events import identity
from shared.events.types import Kind
from shared.http.batch import batch_routes
from shared.http.elsewhere import elsewhere
from shared.http.imports import import_routes, recordable
from shared.http.metrics import measure, new_registry
from shared.http.names import readable_by
from shared.http.pdf import PdfPress
from shared.http.service import Service, build_app, build_authenticator
from shared.identity.keys import KeyDirectory
from shared.settings import Settings
from shared.tabular.worker import ImportWorker

PORT = 8002
DESCRIPTION = (
    "Records what a government's committees and bilaterals met for and settled: agendas, attendance, minutes that are "
    "sealed once approved, numbered decisions and what the budget office says of them, and who owes what by when."
)

BATCH_EXAMPLE = {
    "method": "POST",
    "path": "/v1/meetings",
    "body": {"body": "SOCIAL", "scheduled_at": "2012-11-28T13:00:00Z"},
}


IMPORT_EXAMPLE = {
    "kind": "bodies",
    "file": 'source = "The note"\n[[bodies]]\ncode = "SOCIAL"\nname = "Social Development Committee"\n',
    "dry_run": True,
}


def create_app(settings: Settings, clock: Clock | None = None) -> Service:
    """The service over the log that the settings name; it begins to follow the log when it is started."""
    clock = clock or Clock(settings.timezone)
    store = open_log(settings)
    live = LiveLog(store, clock, bound=timedelta(seconds=settings.ready_lag_seconds))
    keys = KeyDirectory()
    live.subscribe(
        identity.EVENTS, lambda recorded: keys.apply(recorded.data, recorded.recorded_by), forget=keys.clear
    )
    directory = Directory(live)
    bodies = Bodies(live, directory)
    decisions: Repository[Decision] = Repository(live, Decision, "decision")
    action_items: Repository[ActionItem] = Repository(live, ActionItem, "action-item")
    meetings = Meetings(live, directory, bodies, decisions, action_items)
    listing = MeetingList(live)
    proposals, calendars = Proposals(live, listing), Calendars(live, directory)
    readers_of = all_readers(
        live, {Kind.BODY: bodies, Kind.DECISION: decisions, Kind.ACTION_ITEM: action_items}
    )

    routers = [
        body.body_routes(bodies, directory),
        meeting.meeting_routes(
            meetings, bodies, listing, proposals, calendars, readers_of, PdfPress(settings.table_seconds)
        ),
        calendar_key.calendar_key_routes(live, directory, bodies, listing, calendars),
        decision.decision_routes(decisions, readers_of, meetings.readers_of_meeting),
        action_item.action_item_routes(
            action_items, directory.organizations_by_day, readers_of, meetings.readers_of_meeting
        ),
        batch_routes(BATCH_EXAMPLE),
        elsewhere(
            settings.reporting_url,
            {"/v1/decisions": "decisions", "/v1/action-items": "action-items"},
        ),
    ]
    imports = ImportWorker(
        live,
        "meetings",
        settings,
        seconds=settings.import_seconds,
        kept=timedelta(days=settings.import_days),
        may_record=recordable(routers),
    )
    routers.append(
        import_routes(
            imports,
            KINDS,
            largest=settings.import_megabytes << 20,
            most_open=settings.imports_of_caller,
            example=IMPORT_EXAMPLE,
        )
    )

    @asynccontextmanager
    async def following(_: FastAPI) -> AsyncIterator[None]:
        try:
            await asyncio.to_thread(store.check_ready)
            await live.start()
            try:
                if settings.carry_out_imports:
                    imports.start()
                yield
            finally:
                await imports.stop()
                await live.stop()
        finally:
            store.close()

    registry = new_registry()
    measure(live, registry)
    imports.measure(registry)
    return build_app(
        title="Bitácora: meetings",
        description=DESCRIPTION,
        version="1",
        routers=routers,
        settings=settings,
        authenticator=build_authenticator(
            settings, keys, clock, directory.organizations_by_day.with_heritage
        ),
        live=live,
        readable=readable_by(readers_of),
        catalogue={
            **body.ERRORS,
            **calendar_key.ERRORS,
            **meeting.ERRORS,
            **decision.ERRORS,
            **action_item.ERRORS,
        },
        checks={"log": live.readiness, "imports": imports.readiness},
        lifespan=following,
        registry=registry,
        looks=[live.look, imports.look],
        end_waits=live.end_waits,
    )
