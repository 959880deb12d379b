"""From what a row says to events: whatever of it the record does not know yet, decided by the rules of the domain."""

from __future__ import annotations

import re
from typing import NamedTuple
from uuid import UUID

from services.meetings.domain.body import Body, register_body
from services.meetings.importing.holdings import Holdings
from services.meetings.importing.mapping import Mapping
from services.meetings.importing.statements import NOBODY, Statements
from services.meetings.importing.telling import BodyTold, MeetingTold
from shared.clock import Clock
from shared.errors import BitacoraError, InvalidInput, RuleBroken
from shared.eventlog.envelope import NewEvent
from shared.events.facts import Event
from shared.events.meeting_vocabulary import MeetingState
from shared.events.streams import stream_of
from shared.identity.actor import Actor
from shared.importing.report import Problem


class Decided(NamedTuple):
    """What a row adds: a body that is new, the events of the meeting, and how the meeting stands then."""

    body: list[NewEvent]
    events: list[NewEvent]
    told: MeetingTold
    state: MeetingState


class Refused(Exception):
    """The rules of the domain do not let the row in."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.reason)
        self.problem = problem


class Planner:
    """Decides row after row, each on the record as the rows before it have left it."""

    def __init__(
        self, mapping: Mapping, holdings: Holdings, *, actor: Actor, correlation_id: str, clock: Clock
    ) -> None:
        self._mapping = mapping
        self._holdings = holdings
        self._actor = actor
        self._correlation_id = correlation_id
        self._now = clock.now()
        self._day_of = clock.day_of

    def decide(self, told: MeetingTold) -> Decided:
        """What the row adds; nothing of a row that raises Refused is kept."""
        holding = self._holdings.of(told.stream)
        kept = len(holding.events)
        new_body: list[NewEvent] = []
        events: list[NewEvent] = []
        statements: Statements | None = None
        try:
            body = self._body(told.body, new_body)
            statements = Statements(
                self._mapping,
                told,
                holding,
                body,
                actor=self._actor,
                now=self._now,
                day_of=self._day_of,
            )
            for event in statements.new():
                new = self._new(told, len(holding.events) + 1, event)
                holding.take_in(self._holdings.provisional(new))
                events.append(new)
        except BitacoraError as error:
            self._holdings.undo(told.stream, kept)
            if new_body:
                self._holdings.unregister(new_body[0].stream_id)
            raise Refused(self._problem(error, statements)) from error
        assert holding.meeting is not None
        told = told._replace(left_out=(*told.left_out, *statements.left_out))
        return Decided(new_body, events, told, holding.meeting.state)

    def _body(self, told: BodyTold, new: list[NewEvent]) -> Body:
        stream = stream_of("body", told.code)
        body = self._holdings.body(stream)
        if body is None:
            (registered,) = register_body(told.code, told.description, NOBODY)
            new.append(self._event(stream, 1, registered))
            return self._holdings.register(new[0])
        if body.description.name != told.description.name:
            raise RuleBroken(
                "body-code-taken",
                f"On record, '{told.code}' is “{body.description.name}” and not “{told.description.name}”: give it "
                "another code in the mapping or, if it is the same body, that name.",
            )
        return body

    def _new(self, told: MeetingTold, version: int, event: Event) -> NewEvent:
        return self._event(told.stream, version, event)

    def _event(self, stream: UUID, version: int, event: Event) -> NewEvent:
        return NewEvent(
            stream_id=stream,
            version=version,
            recorded_by=self._actor,
            correlation_id=self._correlation_id,
            data=event,
        )

    def _problem(self, error: BitacoraError, statements: Statements | None) -> Problem:
        """An error of the domain, pointed at the member that gave what it complains of."""
        pointer = error.pointer if isinstance(error, InvalidInput) else ""
        agenda = self._mapping.agenda
        if found := re.match(r"/agenda/(\d+)/title", pointer):
            column: str | None = f"{agenda.member}[{found[1]}].{agenda.title}"
        elif pointer.startswith("/agenda"):
            column = agenda.member
        else:
            column = self._mapping.bodies.member if statements is None else statements.member
        return Problem(column, None, error.code, error.message)
