"""Puts the reporting service together: the log it follows, the read model it answers from, and the routes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from services.reporting.answers import Answers
from services.reporting.cycle import routes as cycle
from services.reporting.cycle.repository import Cycles
from services.reporting.datasets import Schema
from services.reporting.edition import routes as edition
from services.reporting.edition.repository import Editions
from services.reporting.generations import open_installed
from services.reporting.pages.routes import page_routes
from services.reporting.report import routes as report
from services.reporting.report.repository import Reports
from services.reporting.routes.asking import Reporting
from services.reporting.routes.board import board_routes
from services.reporting.routes.calibration import calibration_routes
from services.reporting.routes.capture_sheets import capture_sheet_routes
from services.reporting.routes.commitments import commitment_routes
from services.reporting.routes.decisions import decision_routes
from services.reporting.routes.errors import ERRORS
from services.reporting.routes.events import event_routes
from services.reporting.routes.indicators import indicator_routes
from services.reporting.routes.meetings import meeting_routes
from services.reporting.routes.open_data import Publisher, open_data_routes
from services.reporting.routes.plan import plan_routes
from services.reporting.routes.platform_rows import platform_row_routes
from services.reporting.routes.rules import rule_routes
from services.reporting.routes.signs import sign_routes
from services.reporting.routes.tables import Limits as TableLimits
from services.reporting.routes.tables import Tables
from services.reporting.routes.timeliness import Limits, timeliness_routes
from shared.aggregate.few import PillarCodes
from shared.aggregate.heirs import OrganizationsByDay
from shared.clock import Clock
from shared.errors import NotReady
from shared.eventlog.lag import keeping_up, lag_of
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_log
from shared.events import identity
from shared.http.metrics import measure, new_registry
from shared.http.pdf import PdfPress
from shared.http.service import Service, build_app, build_authenticator
from shared.identity.keys import KeyDirectory
from shared.settings import Settings

PORT = 8003
DESCRIPTION = (
    "Shows what the record says: the board on any day as it was known at any moment, the timeline of each commitment "
    "down to the event that made it so, decisions with the gaps in their record, the register of meetings and what is "
    "owed from them, and the log itself, for those who check it or keep a copy."
)


def create_app(settings: Settings, clock: Clock | None = None, schema: Schema | None = None) -> Service:
    """The service over the log and the read model that the settings name; it makes no tables."""
    clock = clock or Clock(settings.timezone)
    store = open_log(settings)
    schema = schema or Schema(clock.zone.key, windows=settings.warning_windows)
    read_model = open_installed(settings, schema)
    bound = timedelta(seconds=settings.ready_lag_seconds)
    live = LiveLog(store, clock, writes=False, bound=bound)
    keys = KeyDirectory()
    live.subscribe(
        identity.EVENTS, lambda recorded: keys.apply(recorded.data, recorded.recorded_by), forget=keys.clear
    )
    organizations = OrganizationsByDay(live)
    answers = Answers([one.name for one in schema.datasets], settings.answers_megabytes * 1024 * 1024)
    reporting = Reporting(live, read_model, organizations, answers, keep_alive=settings.keep_alive_seconds)

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

    def end_waits() -> None:
        live.end_waits()
        reporting.end_waits()

    async def read_model_is_ready() -> str:
        def look() -> str:
            with reporting.reading(anew=True) as reading:
                found = f"at position {reading.position}"
                if reading.stopped_because is not None:
                    raise NotReady("read-model-stopped", f"{found}: {reading.stopped_because}")
                lag = lag_of(store, reading.position)
                told = keeping_up("read-model-behind", found, lag, clock.now(), bound)
                if reading.seen > bound.total_seconds():
                    raise NotReady(
                        "worker-absent",
                        f"{found}; no worker has shown itself for {reading.seen:.0f} seconds",
                    )
                return told

        return await asyncio.to_thread(look)

    registry = new_registry()
    measure(live, registry)
    reporting.measure(registry)
    pillars = PillarCodes(live)
    reports = Reports(live, organizations, pillars)
    tables = Tables(TableLimits(settings.tables_at_once, settings.table_seconds))
    routers = [
        board_routes(reporting),
        commitment_routes(reporting),
        capture_sheet_routes(reporting),
        platform_row_routes(reporting),
        decision_routes(reporting),
        meeting_routes(reporting),
        plan_routes(reporting),
        calibration_routes(reporting),
        rule_routes(reporting),
        indicator_routes(reporting),
        sign_routes(reporting),
        cycle.cycle_routes(Cycles(live, organizations, pillars)),
        timeliness_routes(reporting, Limits(settings.load_per_adviser, settings.load_per_organization)),
        report.report_routes(reports),
        edition.edition_routes(reporting, Editions(live, reports), tables, PdfPress(settings.table_seconds)),
        event_routes(reporting),
    ]
    publisher = Publisher(
        settings.open_data_publisher, settings.open_data_license, settings.open_data_license_url
    )
    return build_app(
        title="Bitácora: reporting",
        description=DESCRIPTION,
        version="1",
        routers=[*routers, tables.offer(routers), open_data_routes(reporting, tables, publisher)],
        pages=page_routes(reporting),
        settings=settings,
        authenticator=build_authenticator(settings, keys, clock),
        live=live,
        readable=reporting.readable,
        catalogue={**ERRORS, **cycle.ERRORS, **report.ERRORS, **edition.ERRORS},
        checks={"log": live.readiness, "read_model": read_model_is_ready},
        lifespan=following,
        registry=registry,
        looks=[live.look, reporting.look],
        end_waits=end_waits,
    )
