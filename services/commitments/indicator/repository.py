"""The indicators on record, and what the record holds that a decision on one depends on."""

from __future__ import annotations

from datetime import date
from typing import Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from services.commitments.commitment.repository import Commitments
from services.commitments.indicator.model import Indicator, define
from services.commitments.plan.repository import Directory
from shared.aggregate.command import Command, Context, Outcome
from shared.aggregate.redaction import Readers
from shared.aggregate.repository import Repository
from shared.errors import InvalidInput, NotFound
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events.indicators import (
    CommitmentMeasured,
    DataSource,
    IndicatorDefined,
    IndicatorDefinitionChanged,
    MeasurementCorrected,
    MeasurementRecorded,
)
from shared.events.retractions import IndicatorFactRetracted
from shared.events.streams import resolve, stream_of
from shared.identity.actor import Actor
from shared.rules.guards import known_organization, still_there
from shared.rules.periods import period_named

KIND: Final = "indicator"


class Indicators(Repository[Indicator]):
    """The indicators on record, for whoever asks and within what they may read."""

    def __init__(self, live: LiveLog, directory: Directory, commitments: Commitments) -> None:
        super().__init__(live, Indicator, KIND)
        self._directory = directory
        self._commitments = commitments
        self._of: dict[str, dict[str, list[tuple[int, bool]]]] = {}
        """By the codes of commitments, then of indicators: from which positions on the one is measured by the other."""
        live.subscribe(
            (IndicatorDefined, CommitmentMeasured, IndicatorFactRetracted), self._note, forget=self._forget
        )
        self._codes: dict[UUID, str] = {}

    def _forget(self) -> None:
        self._of.clear()
        self._codes.clear()

    def _note(self, recorded: Recorded) -> None:
        event = recorded.data
        if isinstance(event, IndicatorDefined):
            self._codes[recorded.stream_id] = event.code
            if event.commitment is not None:
                self._say(event.commitment, event.code, recorded.position, measured=True)
        elif isinstance(event, CommitmentMeasured):
            code = self._codes[recorded.stream_id]
            self._say(event.commitment, code, recorded.position, measured=event.measured)
        elif isinstance(event, IndicatorFactRetracted) and event.retracted == CommitmentMeasured.TYPE:
            # Rare enough to be read at once.
            lines = self.live.store.read_stream(recorded.stream_id, 0, recorded.position)
            history = [codec.decode(line, position) for position, line in lines]
            mistaken = history[event.version - 1].data
            found = Indicator.fold(history)
            assert isinstance(mistaken, CommitmentMeasured)
            assert found is not None
            measured = found.measures_on(mistaken.commitment, date.max)
            self._say(mistaken.commitment, found.code, recorded.position, measured=measured)

    def _say(self, commitment: str, code: str, position: int, *, measured: bool) -> None:
        self._of.setdefault(commitment, {}).setdefault(code, []).append((position, measured))

    def of_commitment(self, code: str, position: int) -> list[str]:
        """The codes of the indicators that measure a commitment, in the order of the log, up to a position."""
        return [
            indicator
            for indicator, said in self._of.get(code, {}).items()
            if next((measured for at, measured in reversed(said) if at <= position), False)
        ]

    async def may_read(self, actor: Actor, aggregate: Indicator) -> bool:
        """See `Repository.may_read`: within its own visibility and within that of its commitment."""
        return aggregate.readers(await self._commitment_readers(aggregate)).include(actor)

    async def readers_of(self, identifier: str) -> Readers | None:
        """See `Repository.readers_of`."""
        found = await self.get(resolve(KIND, identifier))
        return None if found is None else found.readers(await self._commitment_readers(found))

    async def define(self, proposed: IndicatorDefined, command: Command) -> Outcome:
        """An indicator is defined, of a commitment (named by its code or its id) or of none."""

        async def decide() -> IndicatorDefined:
            self._check_source(proposed.source, proposed.effective_on)
            commitment = proposed.commitment
            if commitment is not None:
                commitment = await self._commitment(commitment, command.actor)
            event = IndicatorDefined(
                **{name: getattr(proposed, name) for name in proposed.__struct_fields__}
                | {"commitment": commitment}
            )
            return define(event, self.context(command))

        return await self.create(stream_of(KIND, proposed.code), decide, command)

    async def record_measurement(
        self, current: Indicator, proposed: MeasurementRecorded, context: Context
    ) -> MeasurementRecorded:
        """Records the value found for a period; each period has one, and another value is a correction."""
        if proposed.supplied_by is not None:
            known_organization(proposed.supplied_by, self._directory.organizations.keys, "/supplied_by")
        return current.record_measurement(proposed, context)

    async def correct_measurement(
        self, current: Indicator, proposed: MeasurementCorrected, context: Context
    ) -> MeasurementCorrected:
        """Puts the right value in the place of a wrong one, which stays on record."""
        # Only here: a correction on record may have the name that its period had then.
        period_named(proposed.period)
        return current.correct_measurement(proposed, context)

    async def measure(
        self, current: Indicator, proposed: CommitmentMeasured, context: Context
    ) -> CommitmentMeasured:
        """Has it measure another commitment (named by its code or its id) as well from a day on, or no longer."""
        code = await self._commitment(proposed.commitment, context.actor)
        return current.measure(msgspec.structs.replace(proposed, commitment=code), context)

    async def change_definition(
        self, current: Indicator, proposed: IndicatorDefinitionChanged, context: Context
    ) -> IndicatorDefinitionChanged:
        """Changes what is measured, or how, from a day on; verdicts on the first promise keep that of then."""
        if proposed.changes.source is not UNSET:
            self._check_source(proposed.changes.source, proposed.effective_on)
        return current.change_definition(proposed, context)

    async def _commitment(self, identifier: str, actor: Actor) -> str:
        """The code of a commitment that an actor may know of."""
        try:
            return (await self._commitments.find(identifier, actor)).code
        except NotFound as error:
            raise InvalidInput(
                "indicator-commitment-unknown",
                f"There is no commitment '{identifier}'.",
                pointer="/commitment",
            ) from error

    async def _commitment_readers(self, indicator: Indicator) -> Readers | None:
        """Who may read the commitment an indicator belongs to; None when it belongs to none."""
        if indicator.commitment is None:
            return None
        return await self._commitments.readers_of(indicator.commitment)

    def _check_source(self, source: DataSource | None, day: date) -> None:
        if source is not None:
            organizations = self._directory.organizations
            known_organization(source.organization, organizations.keys, "/source/organization")
            still_there(source.organization, day, organizations.heirs_on)
