"""The meetings on record, and what the record holds that a decision on one of them depends on.

What touches several streams (an approval, an erratum, a publication) is written in one transaction, and whatever it
looked at is read again when another process was faster.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import wraps
from typing import TypeVar
from uuid import UUID, uuid4

from services.meetings.action_item.model import ActionItem
from services.meetings.body.model import Body
from services.meetings.body.repository import Bodies, Directory
from services.meetings.decision.model import Decision
from services.meetings.meeting.model import Known, Meeting, convene
from shared.aggregate.command import Command, Context, Decided, OnStream, Outcome
from shared.aggregate.redaction import Readers
from shared.aggregate.repository import Repository
from shared.errors import InvalidInput
from shared.eventlog.live import LiveLog
from shared.events.facts import Event
from shared.events.meeting_vocabulary import ItemOutcome
from shared.events.meetings import (
    AgendaItem,
    Ending,
    ErratumAdded,
    MeetingConvened,
    MeetingPublished,
    PostponedItem,
)

E = TypeVar("E", bound=Event)


class Meetings(Repository[Meeting]):
    """The meetings on record."""

    def __init__(
        self,
        live: LiveLog,
        directory: Directory,
        bodies: Bodies,
        decisions: Repository[Decision],
        action_items: Repository[ActionItem],
    ) -> None:
        super().__init__(live, Meeting, "meeting")
        self._directory = directory
        self._bodies = bodies
        self._decisions = decisions
        self._action_items = action_items

    async def readers_of_meeting(self, stream_id: UUID) -> Readers:
        """Who may know of the meeting in which something was settled."""
        found = await self.get(stream_id)
        assert found is not None, "what was settled was settled in a meeting"
        return found.readers()

    # --- decisions that depend on more than the meeting ------------------------------------------------------------

    async def convene(self, proposed: MeetingConvened, command: Command) -> Outcome:
        """A meeting of a body is called."""

        async def decide() -> MeetingConvened:
            body = await self._bodies.by_code(proposed.body)
            if body is None:
                raise InvalidInput(
                    "no-such-body", f"There is no body with the code '{proposed.body}'.", pointer="/body"
                )
            return convene(proposed, self.context(command), await self._known(body, proposed.agenda))

        return await self.create(uuid4(), decide, command)

    def informed(
        self, decide: Callable[[Meeting, E, Context, Known], Decided]
    ) -> Callable[[Meeting, E, Context], Awaitable[Decided]]:
        """A decision on a meeting, with what the record holds of its body and of what an agenda takes up again."""

        @wraps(decide)
        async def decide_informed(current: Meeting, proposed: E, context: Context) -> Decided:
            return decide(current, proposed, context, await self._known_to(current, proposed))

        return decide_informed

    async def approve(self, current: Meeting, context: Context) -> Sequence[Event | OnStream]:
        """The minutes are sealed, and their decisions and action items come into being, in one transaction."""
        return current.approve(context, await self._known_to(current, current))

    async def add_erratum(
        self, current: Meeting, proposed: ErratumAdded, _: Context
    ) -> Sequence[Event | OnStream]:
        """Puts a mistake in sealed minutes right, beside the text; both are shown from now on."""
        decision = None if proposed.decision is None else await self._decisions.by_code(proposed.decision)
        return current.add_erratum(proposed, decision)

    async def publish(
        self, current: Meeting, proposed: MeetingPublished, context: Context
    ) -> Sequence[Event | OnStream]:
        """Changes who may know of the meeting, and with it of its decisions and action items.

        A decision that is published shows its number, and so how many its body took before it that year.
        """
        settled: list[Decision | ActionItem | None] = []
        if current.approval is not None:
            approved = current.approval.event
            settled += [await self._decisions.by_code(number) for number in approved.decisions]
            settled += [await self._action_items.get(stream_id) for stream_id in approved.action_items]
        return current.publish(proposed, context, [one for one in settled if one is not None])

    # --- what the record holds -------------------------------------------------------------------------------------

    async def _known_to(self, meeting: Meeting, proposed: Event | Meeting) -> Known:
        body = await self._bodies.by_code(meeting.body)
        assert body is not None, "a meeting is convened by a body"
        return await self._known(body, getattr(proposed, "agenda", ()))

    async def _known(self, body: Body, agenda: Sequence[AgendaItem]) -> Known:
        numbers = {number for item in agenda for number in item.decisions}
        ids = {stream_id for item in agenda for stream_id in item.action_items}
        postponed: dict[PostponedItem, Ending] = {}
        for one in filter(None, (item.postponed for item in agenda)):
            meeting = await self.get(one.meeting)
            ending = meeting.ending(one.item) if meeting is not None and meeting.body == body.code else None
            if ending is not None and ending.outcome is ItemOutcome.POSTPONED:
                postponed[one] = ending
        return Known(
            body,
            self._directory.organizations,
            {one for one in numbers if await self._decisions.by_code(one)},
            {one for one in ids if await self._action_items.get(one)},
            self._directory.bodies.keys,
            postponed,
            self._directory.organizations_by_day.heirs_on,
        )
