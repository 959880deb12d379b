"""Puts the commitments service together: the log, the use cases over it, and the routes in front of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.commitments.api import commitment_facts, commitments, decision_outcomes, indicators, plan
from services.commitments.api import keys as api_keys
from services.commitments.api.access import ACCESS
from services.commitments.api.errors import ERRORS
from services.commitments.api.rendering import Renderings
from services.commitments.application.commitments import Commitments
from services.commitments.application.decision_outcomes import DecisionOutcomes
from services.commitments.application.decisions import Decisions
from services.commitments.application.directory import Directory
from services.commitments.application.disclosures import Disclosures
from services.commitments.application.indicators import Indicators
from services.commitments.application.keys import KeyList, Keys
from services.commitments.application.plan import Plan
from services.commitments.policies.decisions import DecisionsPolicy
from shared.clock import Clock
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_log
from shared.events.identity import KeyIssued, KeyRevoked
from shared.http.service import Service, build_app, build_authenticator
from shared.identity.keys import KeyDirectory
from shared.rules.indicator_warnings import WarningWindows
from shared.settings import Settings

PORT = 8001
DESCRIPTION = (
    "Registers what a government promised and records everything that happens to it: judgements, reports, deadlines "
    "and their revisions, decisions to give up, completions on evidence. Nothing is ever changed or deleted; every "
    "answer can be asked for as it was."
)


def create_app(settings: Settings, clock: Clock | None = None) -> Service:
    """The service over the log that the settings name; it begins to follow the log when it is started."""
    clock = clock or Clock(settings.timezone)
    store = open_log(settings)
    live = LiveLog(store, clock)
    keys = KeyDirectory()
    live.subscribe((KeyIssued, KeyRevoked), lambda recorded: keys.apply(recorded.data))
    directory = Directory.following(live)
    key_list = KeyList.following(live)
    decisions = Decisions.following(live)
    promises = Commitments(live, directory)
    measures = Indicators(live, directory, promises)
    outcomes = DecisionOutcomes(live, decisions, promises, measures)
    policy = DecisionsPolicy(live, decisions, outcomes) if settings.follow_decisions else None

    @asynccontextmanager
    async def following(_: FastAPI) -> AsyncIterator[None]:
        try:
            await asyncio.to_thread(store.check_ready)
            await live.start()
            try:
                if policy is not None:
                    policy.start()
                yield
            finally:
                if policy is not None:
                    await policy.stop()
                await live.stop()
        finally:
            store.close()

    async def decisions_act() -> str:
        return "this process leaves decisions to others" if policy is None else policy.standing()

    app = build_app(
        title="Bitácora: commitments",
        description=DESCRIPTION,
        version="1",
        routers=[
            commitments.router,
            commitment_facts.router,
            plan.router,
            indicators.router,
            decision_outcomes.router,
            api_keys.router,
        ],
        access=ACCESS,
        settings=settings,
        authenticator=build_authenticator(settings, keys, clock),
        catalogue=ERRORS,
        checks={"log": live.readiness, "decisions": decisions_act},
        lifespan=following,
    )
    app.state.commitments = promises
    app.state.indicators = measures
    app.state.decision_outcomes = outcomes
    app.state.disclosures = Disclosures(promises, decisions)
    app.state.warning_windows = WarningWindows(
        settings.indicator_deadline_days, settings.indicator_green_days
    )
    app.state.keys = Keys(live, key_list, directory)
    app.state.plan = Plan(live, directory)
    app.state.renderings = Renderings()
    return app
