"""From what a row says to events: whatever of it the record does not know yet, decided by the rules of the domain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any, Final, NamedTuple
from uuid import UUID

from services.commitments.domain import registration
from services.commitments.domain.commitment import Commitment
from services.commitments.domain.guards import LONGEST_CODE
from services.commitments.domain.organization import OrganizationDescription, register_organization
from services.commitments.domain.registration import Known
from services.commitments.importing.cells import slug_of
from services.commitments.importing.holdings import Holding, Holdings, as_told
from services.commitments.importing.mapping import Mapping, Organization
from services.commitments.importing.observation import DeadlineSaid, Observation, Problem
from services.commitments.importing.reading import plain
from shared.errors import BitacoraError, InvalidInput
from shared.eventlog.envelope import NewEvent
from shared.events.commitments import InternalDeadline, Origin, PublicDeadline, Registered
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.events.vocabulary import DeadlineKind, Judgement
from shared.identity.actor import Actor

ORDER: Final = (DeadlineKind.PUBLIC, DeadlineKind.INTERNAL)


class Entered(NamedTuple):
    """What is known of a commitment from all its rows: each field from the earliest row that gives it."""

    fields: dict[str, Any]
    title_before: dict[int, str]
    """By line: what the row before it, in time, called the commitment."""


class Decided(NamedTuple):
    """What a row adds: organisations it is the first to name, then what happens to its commitment."""

    organizations: list[list[NewEvent]]
    events: list[NewEvent]


class Refused(Exception):
    """The rules of the domain do not let the row in."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


class Planner:
    """Decides row after row, each on the record as the rows before it have left it."""

    def __init__(
        self, mapping: Mapping, holdings: Holdings, *, actor: Actor, correlation_id: str, today: date
    ) -> None:
        self._mapping = mapping
        self._holdings = holdings
        self._actor = actor
        self._correlation_id = correlation_id
        self._today = today
        self._organizations = {organization.code: organization for organization in mapping.organizations}
        self._spellings = {
            plain(spelling).casefold(): organization.code
            for organization in mapping.organizations
            for spelling in (organization.code, organization.name, *organization.spellings)
        } | {plain(spelling).casefold(): code for spelling, code in mapping.lead.spellings.items()}

    def decide(self, observation: Observation, entered: Entered) -> Decided:
        """What the row adds; nothing of a row that raises Refused is kept."""
        stream = stream_of("commitment", observation.code)
        holding = self._holdings.of(stream)
        kept = len(holding.events)
        organizations: list[list[NewEvent]] = []
        events: list[NewEvent] = []
        at = self._mapping.date.column
        try:
            at = self._mapping.lead.column
            lead = self._lead(observation.lead, organizations)
            at = self._mapping.date.column
            if holding.commitment is None:
                events.append(self._take_in(holding, stream, self._registered(observation, entered, lead)))
            for at, event in self._facts(holding, observation, entered, lead):
                if not holding.told.knows(event):
                    events.append(self._take_in(holding, stream, event))
        except BitacoraError as error:
            self._holdings.undo(stream, kept)
            raise Refused(self._problem(error, at)) from error
        return Decided(organizations, events)

    def _take_in(self, holding: Holding, stream: UUID, event: Event) -> NewEvent:
        version = holding.events[-1].version if holding.events else 0
        new = self._new(stream, version + 1, event)
        holding.take_in(self._holdings.provisional(new))
        return new

    def _new(self, stream: UUID, version: int, event: Event) -> NewEvent:
        return NewEvent(
            stream_id=stream,
            version=version,
            recorded_by=self._actor,
            correlation_id=self._correlation_id,
            data=event,
        )

    # --- the commitment --------------------------------------------------------------------------------------------

    def _registered(self, observation: Observation, entered: Entered, lead: str) -> Registered:
        mapping, public, internal = self._mapping, observation.deadline, observation.internal_deadline
        origin = mapping.origin
        proposed = Registered(
            code=observation.code,
            title=observation.title,
            lead_organization=lead,
            effective_on=observation.day,
            visibility=mapping.visibility,
            public_deadline=PublicDeadline(on=public.on, origin=self._deadline_origin) if public and public.on else None,
            internal_deadline=InternalDeadline(on=internal.on) if internal and internal.on else None,
            no_deadline_reason=public.prose if public else None,
            origin=origin
            and Origin(
                kind=origin.kind,
                source=origin.source,
                source_on=origin.source_on,
                document_url=origin.document_url,
            ),
            **entered.fields,
        )
        directory = self._holdings.directory
        known = Known(organizations=directory.organization_codes, pillars=directory.pillar_codes)
        return registration.register(proposed, today=self._today, known=known)

    @property
    def _deadline_origin(self) -> str:
        given = self._mapping.deadline.origin if self._mapping.deadline else None
        return given or self._mapping.source

    def _facts(
        self, holding: Holding, observation: Observation, entered: Entered, lead: str
    ) -> Iterator[tuple[str | None, Event]]:
        """What the row states, each with the column it is from; some of it may be known already.

        Each is decided when the one before it has been taken in.
        """
        commitment = holding.commitment
        assert commitment is not None
        mapping, day = self._mapping, observation.day
        told = as_told(mapping.source, day)
        first_day = commitment.dated.registered_on
        if day < first_day:
            yield mapping.date.column, self._earlier(commitment, day, told)
        yield from self._led(commitment, lead, day, first_day, told)
        if (said := observation.rating) is not None and mapping.rating is not None:
            reason = said.reason
            if reason is None and said.judgement is Judgement.AT_RISK:
                reason = f"“{said.rating}”, with no reason given. {told}"
            yield (
                mapping.rating.reason or mapping.rating.columns[0],
                commitment.assess(
                    today=self._today,
                    judgement=said.judgement,
                    reason=reason,
                    effective_on=day,
                    rating=said.rating,
                    scale=mapping.rating.scale,
                ),
            )
        for kind in ORDER:
            yield from self._deadline(commitment, kind, observation, first_day, told)
        if observation.progress is not None and mapping.progress is not None:
            yield mapping.progress.texts[0].column if mapping.progress.texts else None, self._progress(observation)
        if observation.budget and mapping.budget is not None:
            yield (
                mapping.budget.figures[0].column,
                commitment.estimate_budget(
                    today=self._today, lines=observation.budget, effective_on=day, source=mapping.source
                ),
            )
        yield from self._milestones(holding, observation, told)
        before = entered.title_before.get(observation.line, commitment.registration.title)
        if mapping.title.renamed == "comment" and observation.title != before:
            yield mapping.title.column, self._comment(commitment, f"It is called “{observation.title}”. {told}", day)

    def _earlier(self, commitment: Commitment, day: date, told: str) -> Event:
        """An observation from before the first day on record shows that the first day was too late."""
        return commitment.correct(
            today=self._today,
            field="effective_on",
            value=day.isoformat(),
            reason=told,
            known=Known(organizations=self._holdings.directory.organization_codes),
        )

    def _led(
        self, commitment: Commitment, lead: str, day: date, first_day: date, told: str
    ) -> Iterator[tuple[str | None, Event]]:
        later = commitment.lead_on(first_day)
        if commitment.lead_on(day) != lead:
            yield self._mapping.lead.column, self._reassigned(commitment, lead, day, told)
        # What was said on the first day held from that day on, and goes on to.
        if day < first_day and commitment.lead_on(first_day) != later:
            yield self._mapping.lead.column, self._reassigned(commitment, later, first_day, told)

    def _reassigned(self, commitment: Commitment, lead: str, day: date, told: str) -> Event:
        return commitment.reassign_lead(
            today=self._today,
            lead_organization=lead,
            reason=told,
            effective_on=day,
            known=Known(organizations=self._holdings.directory.organization_codes),
        )

    def _deadline(
        self, commitment: Commitment, kind: DeadlineKind, observation: Observation, first_day: date, told: str
    ) -> Iterator[tuple[str | None, Event]]:
        public = kind is DeadlineKind.PUBLIC
        mapping = self._mapping.deadline if public else self._mapping.internal_deadline
        said = observation.deadline if public else observation.internal_deadline
        if mapping is None or said is None:
            return
        history = commitment.dated.public_deadlines if public else commitment.dated.internal_deadlines
        day = observation.day
        if said.on is None:
            if said.prose != commitment.registration.no_deadline_reason or history.on(day)[0] is not None:
                text = f"No {kind} deadline is given: “{said.prose}”. {told}"
                yield mapping.column, self._comment(commitment, text, day)
            return
        later = history.on(first_day)[0]
        if history.on(day)[0] != said.on:
            yield mapping.column, self._revised(commitment, kind, said, day, told)
        if day < first_day and later is not None and history.on(first_day)[0] != later:
            yield mapping.column, self._revised(commitment, kind, DeadlineSaid(later, None), first_day, told)

    def _revised(self, commitment: Commitment, kind: DeadlineKind, said: DeadlineSaid, day: date, told: str) -> Event:
        assert said.on is not None
        return commitment.revise_deadline(
            today=self._today, deadline=kind, on=said.on, reason=told, effective_on=day
        )

    def _progress(self, observation: Observation) -> Event: ...

    def _milestones(self, holding: Holding, observation: Observation, told: str) -> Iterator[tuple[str | None, Event]]:
        ...

    def _comment(self, commitment: Commitment, text: str, day: date) -> Event:
        return commitment.comment(today=self._today, actor=self._actor, text=text, effective_on=day)
