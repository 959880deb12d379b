"""Puts the commitments service together: the log, the repositories over it, and the routes in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from fastapi import FastAPI

from services.commitments.commitment import routes as commitment
from services.commitments.commitment.repository import Commitments
from services.commitments.importing.kinds import KINDS
from services.commitments.indicator import routes as indicator
from services.commitments.indicator.repository import Indicators
from services.commitments.key import routes as key
from services.commitments.key.ages import KeyAges
from services.commitments.outcome import routes as outcome
from services.commitments.outcome.decisions import Decisions
from services.commitments.outcome.policy import ACTED_ON, FOLLOWER, decisions_policy
from services.commitments.outcome.repository import DecisionOutcomes
from services.commitments.plan import routes as plan
from services.commitments.plan.repository import Directory
from shared.aggregate.redaction import Readers, Reference
from shared.clock import Clock
from shared.eventlog.follower import keeps_up
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_log
from shared.events import identity
from shared.events.types import Kind
from shared.http.batch import batch_routes
from shared.http.elsewhere import elsewhere
from shared.http.imports import import_routes, recordable
from shared.http.metrics import measure, new_registry
from shared.http.names import readable_by
from shared.http.service import Service, build_app, build_authenticator
from shared.identity.keys import KeyDirectory
from shared.settings import Settings
from shared.tabular.worker import ImportWorker

PORT = 8001
DESCRIPTION = (
    "Registers what a government promised and records everything that happens to it: judgements, reports, deadlines "
    "and their revisions, decisions to give up, completions on evidence. Nothing is ever changed or deleted; every "
    "answer can be asked for as it was."
)

BATCH_EXAMPLE = {
    "method": "POST",
    "path": "/v1/commitments/SEG-014/assessments",
    "if_match": "*",
    "body": {"judgement": "at_risk", "reason": "The bill has waited in the Senate for a year."},
}


IMPORT_EXAMPLE = {
    "kind": "progress-reports",
    "file": "code,period,percent,observed_progress\nSEG-014,2012-Q4,40,The bill was sent to the Senate.\n",
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
    decisions = Decisions(live)
    commitments = Commitments(live, directory)
    indicators = Indicators(live, directory, commitments)
    outcomes = DecisionOutcomes(live, decisions, commitments, indicators)
    policy = decisions_policy(live, decisions, outcomes) if settings.follow_decisions else None

    async def readers_of(reference: Reference) -> Readers | None:
        match reference.kind:
            case Kind.COMMITMENT:
                return await commitments.readers_of(reference.name)
            case Kind.INDICATOR:
                return await indicators.readers_of(reference.name)
            case Kind.DECISION:
                return decisions.readers_of(reference.name)
            case Kind.BODY:
                return decisions.readers_of_body(reference.name)
            case _:
                return None

    async def decisions_act() -> str:
        if policy is not None:
            return await policy.readiness()
        return await keeps_up(live, FOLLOWER, ACTED_ON, "this process leaves decisions to others")

    routers = [
        commitment.commitment_routes(commitments, readers_of, indicators.of_commitment),
        plan.plan_routes(live, directory),
        indicator.indicator_routes(indicators, readers_of, settings.warning_windows),
        outcome.outcome_routes(outcomes),
        key.key_routes(live, directory),
        batch_routes(BATCH_EXAMPLE),
        elsewhere(settings.reporting_url, {"/v1/commitments": "commitments", "/v1/indicators": "indicators"}),
    ]
    imports = ImportWorker(
        live,
        "commitments",
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
                if policy is not None:
                    policy.start()
                if settings.carry_out_imports:
                    imports.start()
                yield
            finally:
                await imports.stop()
                if policy is not None:
                    await policy.stop()
                await live.stop()
        finally:
            store.close()

    registry = new_registry()
    measure(live, registry)
    decisions.measure(registry)
    KeyAges(live).measure(registry)
    if policy is not None:
        policy.measure(registry)
    imports.measure(registry)
    return build_app(
        title="Bitácora: commitments",
        description=DESCRIPTION,
        version="1",
        routers=routers,
        settings=settings,
        authenticator=build_authenticator(settings, keys, clock, directory.organizations.with_heritage),
        live=live,
        readable=readable_by(readers_of),
        catalogue={
            **commitment.ERRORS,
            **plan.ERRORS,
            **indicator.ERRORS,
            **outcome.ERRORS,
            **key.ERRORS,
        },
        checks={"log": live.readiness, "decisions": decisions_act, "imports": imports.readiness},
        lifespan=following,
        end_waits=live.end_waits,
        registry=registry,
        looks=[live.look, imports.look],
    )
