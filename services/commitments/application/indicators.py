"""What is done with indicators: define, promise, plan, measure, correct, redefine, read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from services.commitments.application.commitments import KIND as COMMITMENT
from services.commitments.application.commitments import Commitments
from services.commitments.application.directory import Directory
from services.commitments.domain.indicator import CommitmentCircle, Indicator
from services.commitments.domain.indicator_definition import define_indicator
from services.commitments.domain.registration import known_organization
from shared.errors import InvalidInput, NotFound
from shared.eventlog.commands import Command, Outcome
from shared.eventlog.live import LiveLog
from shared.eventlog.records import Records
from shared.events.facts import Event
from shared.events.indicators import DataSource, PlannedValue
from shared.events.streams import resolve, stream_of
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor
from shared.rules.indicator_facts import Definition

KIND = "indicator"


class Indicators:
    """The indicators on record, for whoever asks and within what they may know.

    Every change is of an indicator that was found `visible` before: a version that no longer holds must not betray
    that there is something to be stale about.
    """

    def __init__(
        self, live: LiveLog, directory: Directory, commitments: Commitments, *, capacity: int = 10_000
    ) -> None:
        self.records: Records[Indicator] = Records(live, Indicator.begin, name=KIND, capacity=capacity)
        self._live = live
        self._clock = live.clock
        self._directory = directory
        self._commitments = commitments

    async def define(
        self,
        code: str,
        definition: Definition,
        command: Command,
        *,
        commitment: str | None = None,
        visibility: Visibility = Visibility.INTERNAL,
        effective_on: date | None = None,
    ) -> Outcome:
        """Define an indicator, of a commitment or of none."""
        self._check_source(definition.source)
        if commitment is not None:
            commitment = await self._commitment_code(commitment, command.actor)
        return await self.records.create(
            stream_of("indicator", code),
            lambda: define_indicator(
                code,
                definition,
                today=self._clock.today(),
                effective_on=effective_on,
                commitment=commitment,
                visibility=visibility,
            ),
            command,
        )

    async def set_target(
        self,
        indicator: Indicator,
        command: Command,
        *,
        value: Decimal,
        on: date,
        tolerance: Decimal | None = None,
        effective_on: date | None = None,
        reason: str | None = None,
        decision: str | None = None,
    ) -> Outcome:
        """Promise a value, or another one than before."""
        return await self._change(
            indicator,
            lambda current: current.set_target(
                value=value,
                on=on,
                tolerance=tolerance,
                effective_on=effective_on,
                reason=reason,
                decision=decision,
                today=self._clock.today(),
            ),
            command,
        )

    async def set_trajectory(
        self,
        indicator: Indicator,
        command: Command,
        *,
        points: Sequence[PlannedValue],
        effective_on: date | None = None,
        reason: str | None = None,
    ) -> Outcome:
        """Lay down the values planned on the way."""
        return await self._change(
            indicator,
            lambda current: current.set_trajectory(
                points, effective_on=effective_on, reason=reason, today=self._clock.today()
            ),
            command,
        )

    async def record_measurement(
        self,
        indicator: Indicator,
        command: Command,
        *,
        period: str,
        value: Decimal,
        published_on: date | None = None,
        source: str | None = None,
        supplied_by: str | None = None,
    ) -> Outcome:
        """Record the value found for a period."""
        if supplied_by is not None:
            known_organization(supplied_by, self._directory.organization_codes, "/supplied_by")
        return await self._change(
            indicator,
            lambda current: current.record_measurement(
                period=period,
                value=value,
                published_on=published_on,
                source=source,
                supplied_by=supplied_by,
                actor=command.actor,
                today=self._clock.today(),
            ),
            command,
        )

    async def correct_measurement(
        self,
        indicator: Indicator,
        period: str,
        command: Command,
        *,
        value: Decimal,
        reason: str,
        published_on: date | None = None,
    ) -> Outcome:
        """Put another value in the place of a wrong one."""
        return await self._change(
            indicator,
            lambda current: current.correct_measurement(
                period,
                value=value,
                reason=reason,
                published_on=published_on,
                actor=command.actor,
                today=self._clock.today(),
            ),
            command,
        )

    async def change_definition(
        self,
        indicator: Indicator,
        command: Command,
        *,
        changes: Mapping[str, Any],
        reason: str,
        effective_on: date | None = None,
    ) -> Outcome:
        """Change what is measured or how."""
        self._check_source(changes.get("source"))
        return await self._change(
            indicator,
            lambda current: current.change_definition(
                changes, reason=reason, effective_on=effective_on, today=self._clock.today()
            ),
            command,
        )

    async def publish(
        self, indicator: Indicator, command: Command, *, visibility: Visibility, reason: str
    ) -> Outcome:
        """Let others know of it, or no longer so."""
        return await self._change(
            indicator, lambda current: current.publish(visibility=visibility, reason=reason), command
        )

    # --- reading ---------------------------------------------------------------------------------------------------

    async def wait_for(self, position: int, timeout: float) -> None:
        """Return once everything up to `position` has been taken in; Unavailable after `timeout` seconds."""
        await self._live.wait_for(position, timeout)

    async def visible(self, identifier: str, actor: Actor) -> Indicator:
        """The indicator as it is now. NotFound when it does not exist or the actor may not know of it."""
        found = await self.records.get(resolve(KIND, identifier))
        if found is None:
            raise self.records.unknown()
        if not found.visible_to(actor, await self._circle(found)):
            raise await self.records.hidden()
        return found

    async def as_it_was(
        self, identifier: str, actor: Actor, *, version: int | None = None, known_at: datetime | None = None
    ) -> Indicator:
        """The indicator at a version, or as it was known at a moment.

        Who may know of it today decides. NotFound when there was no such version, or nothing at that moment.
        """
        found = await self.visible(identifier, actor)
        return (await self.records.as_it_was(found.id, version=version, known_at=known_at)).state

    async def history(
        self, identifier: str, actor: Actor, *, after_version: int = 0, limit: int
    ) -> tuple[Indicator, list[bytes], bool]:
        """Some of its events beyond a version, in order and as stored, and whether there are more."""
        indicator = await self.visible(identifier, actor)
        lines = await asyncio.to_thread(self._live.store.read_stream, indicator.id, after_version)
        return indicator, [line for _, line in lines[:limit]], len(lines) > limit

    # --- what else the record holds --------------------------------------------------------------------------------

    async def _circle(self, indicator: Indicator) -> CommitmentCircle | None:
        """Who may know of the commitment an indicator belongs to; None when it belongs to none."""
        if indicator.commitment is None:
            return None
        commitment = await self._commitments.records.get(stream_of(COMMITMENT, indicator.commitment))
        return CommitmentCircle(commitment.visibility, commitment.concerned()) if commitment else None

    async def _commitment_code(self, identifier: str, actor: Actor) -> str:
        try:
            return (await self._commitments.visible(identifier, actor)).code
        except NotFound as error:
            raise InvalidInput(
                "indicator-commitment-unknown",
                f"There is no commitment '{identifier}'.",
                pointer="/commitment",
            ) from error

    async def _change(
        self, indicator: Indicator, decide: Callable[[Indicator], Sequence[Event]], command: Command
    ) -> Outcome:
        return await self.records.change(indicator.id, decide, command)

    def _check_source(self, source: DataSource | None) -> None:
        if source is not None:
            known_organization(
                source.organization, self._directory.organization_codes, "/source/organization"
            )
