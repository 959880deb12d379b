"""What can be done with meetings: each use case loads, decides in the domain, and appends.

What an actor may not know of is not there for that actor, before any version or rule is looked at. What touches several
streams (an approval, an erratum, a publication) is written in one transaction, and whatever it looked at is read again
when another process was faster.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime
from uuid import uuid4

from services.meetings.application.action_items import ActionItems
from services.meetings.application.approving import everything
from services.meetings.application.bodies import Bodies
from services.meetings.application.decisions import Decisions
from services.meetings.application.directory import Directory
from services.meetings.application.publishing import published_with
from services.meetings.application.reading import MeetingReading
from services.meetings.domain import meeting as rules
from services.meetings.domain.body import Body
from services.meetings.domain.decision import Decision
from services.meetings.domain.meeting import Course, Meeting, TakenUp
from shared.errors import InvalidInput
from shared.eventlog.commands import Beside, Command, Decided, Outcome
from shared.eventlog.live import LiveLog
from shared.eventlog.records import Prepare
from shared.events.facts import Event
from shared.events.meetings import AgendaItem, DecisionAgreed, DecisionAmended, MinutesItem, Recipient
from shared.events.streams import stream_of
from shared.events.vocabulary import Visibility


class Meetings(MeetingReading):
    """The meetings on record, and what may be done with them."""

    def __init__(
        self,
        live: LiveLog,
        directory: Directory,
        bodies: Bodies,
        decisions: Decisions,
        action_items: ActionItems,
        *,
        capacity: int = 5_000,
    ) -> None:
        super().__init__(live, directory, capacity=capacity)
        self._bodies = bodies
        self._decisions = decisions
        self._action_items = action_items
        # Approvals of one process take their numbers in turn; against those of others, the log decides.
        self._numbering = asyncio.Lock()

    # --- before a meeting ------------------------------------------------------------------------------------------

    async def convene(
        self,
        command: Command,
        *,
        body: str,
        scheduled_at: datetime,
        ends_at: datetime | None,
        place: str | None,
        title: str | None,
        agenda: Sequence[AgendaItem],
    ) -> Outcome:
        """A meeting of a body is called."""

        async def attempt() -> Outcome:
            found = await self._bodies.records.get(stream_of("body", body))
            if found is None:
                raise InvalidInput(
                    "no-such-body", f"There is no body with the code '{body}'.", pointer="/body"
                )
            return await self.records.create(
                uuid4(),
                lambda: [
                    rules.convene(
                        found,
                        actor=command.actor,
                        scheduled_at=scheduled_at,
                        ends_at=ends_at,
                        place=place,
                        title=title,
                        agenda=agenda,
                        taken_up=taken_up,
                        organizations=self._directory.organization_codes,
                    )
                ],
                command,
            )

        taken_up = await self._taken_up(agenda)
        return await self._directory.surely(attempt)

    async def revise_agenda(
        self,
        meeting: Meeting,
        command: Command,
        *,
        agenda: Sequence[AgendaItem],
        agreed_with: Sequence[str],
        reason: str | None,
    ) -> Outcome:
        """The agenda is rewritten, or settled with those named."""
        taken_up = await self._taken_up(agenda)
        return await self._with_body(
            meeting,
            command,
            lambda current, _: [
                current.revise_agenda(
                    agenda,
                    agreed_with=agreed_with,
                    reason=reason,
                    taken_up=taken_up,
                    organizations=self._directory.organization_codes,
                )
            ],
        )

    async def change(self, meeting: Meeting, command: Command, decide: Callable[[Meeting], Event]) -> Outcome:
        """Something happens to one meeting that depends on that meeting alone, and on who serves its body."""
        return await self._with_body(meeting, command, lambda current, _: [decide(current)])

    async def hold(
        self, meeting: Meeting, command: Command, *, course: Course, reason: str | None
    ) -> Outcome:
        """The meeting was held; or what was noted of it was wrong."""
        return await self._with_body(
            meeting,
            command,
            lambda current, body: [
                current.hold(
                    course,
                    reason=reason,
                    now=self.clock.now(),
                    day_of=self.clock.day_of,
                    body=body,
                    organizations=self._directory.organization_codes,
                )
            ],
        )

    # --- minutes ---------------------------------------------------------------------------------------------------

    async def draft_minutes(
        self, meeting: Meeting, command: Command, *, items: Sequence[MinutesItem]
    ) -> Outcome:
        """The minutes are written, or written anew."""
        return await self._with_body(
            meeting,
            command,
            lambda current, body: [
                current.draft_minutes(
                    items,
                    body=body,
                    day_of=self.clock.day_of,
                    organizations=self._directory.organization_codes,
                )
            ],
        )

    async def circulate(
        self,
        meeting: Meeting,
        command: Command,
        *,
        recipients: Sequence[Recipient],
        effective_on: date | None,
    ) -> Outcome:
        """The minutes go to those named."""
        return await self._with_body(
            meeting,
            command,
            lambda current, _: [
                current.circulate(
                    recipients,
                    effective_on=effective_on,
                    today=self.clock.today(),
                    day_of=self.clock.day_of,
                    organizations=self._directory.organization_codes,
                )
            ],
        )

    async def observe(
        self, meeting: Meeting, command: Command, *, text: str, agenda_item: int | None
    ) -> Outcome:
        """A recipient has something to say of the draft."""
        return await self.records.change(
            meeting.id,
            lambda current: [current.observe(actor=command.actor, text=text, agenda_item=agenda_item)],
            command,
        )

    async def approve(self, meeting: Meeting, command: Command) -> Outcome:
        """The minutes are sealed, and their decisions and action items come into being, in one transaction."""

        def decide(current: Meeting, body: Body) -> Decided:
            approval = current.approve(actor=command.actor, body=body, day_of=self.clock.day_of)
            return list(everything(approval, body))

        async with self._numbering:
            return await self._with_body(meeting, command, decide)

    async def add_erratum(
        self,
        meeting: Meeting,
        command: Command,
        *,
        reads: str,
        should_read: str,
        reason: str,
        agenda_item: int | None,
        decision: str | None,
    ) -> Outcome:
        """A mistake is put right beside the sealed text, and beside the decision it is in."""
        found = (
            None if decision is None else await self._decisions.records.get(stream_of("decision", decision))
        )
        if decision is not None and (found is None or found.agreed.said.meeting != meeting.id):
            raise InvalidInput(
                "decision-of-another-meeting", "This meeting took no such decision.", pointer="/decision"
            )
        concerned: DecisionAgreed | None = None if found is None else found.agreed.said
        version = 0

        async def prepare() -> None:
            nonlocal version
            if found is not None:
                current = await self._decisions.records.get(found.id)
                assert current is not None
                version = current.version

        def decide(current: Meeting) -> Decided:
            events = current.add_erratum(
                reads=reads,
                should_read=should_read,
                reason=reason,
                agenda_item=agenda_item,
                decision=concerned,
            )
            return [
                Beside(stream_of("decision", decision or ""), version + 1, event)
                if isinstance(event, DecisionAmended)
                else event
                for event in reversed(events)
            ]

        return await self._write(meeting, command, decide, prepare)

    async def publish(
        self, meeting: Meeting, command: Command, *, visibility: Visibility, reason: str
    ) -> Outcome:
        """Others may know of the meeting, its decisions and its action items, or no longer so."""
        following: list[Beside] = []

        async def prepare() -> None:
            seen = 0
            while (current := await self.records.get(meeting.id)) is not None and current.version != seen:
                seen = current.version
                goes = published_with(
                    current, self._decisions, self._action_items, visibility=visibility, reason=reason
                )
                following[:] = [one async for one in goes]

        def decide(current: Meeting) -> Decided:
            published = current.publish(visibility=visibility, reason=reason)
            return [*following, published]

        return await self._write(meeting, command, decide, prepare)

    async def publish_decision(
        self, decision: Decision, command: Command, *, visibility: Visibility, reason: str
    ) -> Outcome:
        """Others may know of one decision, or no longer so, as far as its meeting allows."""
        of_meeting = Visibility.RESERVED

        async def prepare() -> None:
            nonlocal of_meeting
            meeting = await self.records.get(decision.agreed.said.meeting)
            assert meeting is not None, "a decision is agreed in a meeting"
            of_meeting = meeting.visibility

        def decide(current: Decision | None) -> Decided:
            if current is None:
                raise self._decisions.records.unknown()
            return [current.publish(visibility=visibility, reason=reason, meeting=of_meeting)]

        return await self._decisions.records.write(decision.id, decide, command, prepare=prepare)

    async def _taken_up(self, agenda: Sequence[AgendaItem]) -> TakenUp:
        """What of the earlier things that an agenda names is on record."""
        numbers = {number for item in agenda for number in item.decisions}
        ids = {stream_id for item in agenda for stream_id in item.action_items}
        return TakenUp(
            {one for one in numbers if await self._decisions.records.get(stream_of("decision", one))},
            {one for one in ids if await self._action_items.records.get(one)},
        )

    # --- how -------------------------------------------------------------------------------------------------------

    async def _with_body(
        self, meeting: Meeting, command: Command, decide: Callable[[Meeting, Body], Decided]
    ) -> Outcome:
        """A decision that also looks at the body, which only those who serve it may ask for."""
        present: Body | None = None

        async def prepare() -> None:
            nonlocal present
            present = await self._bodies.records.get(stream_of("body", meeting.body))

        def decide_on(current: Meeting) -> Decided:
            assert present is not None, "a meeting is convened by a body"
            present.must_be_convenable_by(command.actor)
            return decide(current, present)

        return await self._directory.surely(lambda: self._write(meeting, command, decide_on, prepare))

    async def _write(
        self, meeting: Meeting, command: Command, decide: Callable[[Meeting], Decided], prepare: Prepare
    ) -> Outcome:
        def decide_on(current: Meeting | None) -> Decided:
            if current is None:
                raise self.records.unknown()
            return decide(current)

        return await self.records.write(meeting.id, decide_on, command, prepare=prepare)
