"""Meetings of which something was told already: what the tests of decisions begin with."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from services.meetings.body.model import Body
from services.meetings.meeting.model import Known, Meeting
from shared.aggregate.command import Context, OnStream
from shared.clock import Clock
from shared.events.facts import Event
from shared.events.meeting_vocabulary import BodyKind, DecisionKind, Presence
from shared.events.meetings import (
    ActionItemAssigned,
    AgendaAgreed,
    AgendaItem,
    Attendee,
    BodyRegistered,
    DecisionAgreed,
    DecisionsNumbered,
    DraftActionItem,
    DraftDecision,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MinutesApproved,
    MinutesCirculated,
    MinutesDrafted,
    MinutesItem,
    Recipient,
    Seat,
)
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role
from tests.support.scenario import ANA, Scenario, Told, told

ORGANIZATIONS = {"DCI", "DIPRES", "ADVISORY", "MINSAL", "MINEDUC", "INTERIOR"}
NOW = datetime(2012, 11, 21, 15, tzinfo=UTC)
TODAY = date(2012, 11, 21)
AUGUST_14 = datetime(2012, 8, 14, 14, tzinfo=UTC)
HELD_ON = date(2012, 8, 14)
day_of = Clock().day_of

BRUNO = Actor(subject="bruno", organization="DCI", role=Role.DCI)
HEALTH = Actor(subject="doctor", organization="MINSAL", role=Role.MINISTRY)
EDUCATION = Actor(subject="teacher", organization="MINEDUC", role=Role.MINISTRY)
BUDGET = Actor(subject="purse", organization="DIPRES", role=Role.DIPRES)
ADVISER = Actor(subject="adviser", organization="ADVISORY", role=Role.ADVISORY)

AGENDA = (AgendaItem(number=1, title="Hospitals"), AgendaItem(number=2, title="Waiting lists"))
MINISTER = Attendee(organization="MINSAL", position="Minister", presence=Presence.PRESENT)
DIRECTOR = Attendee(organization="DIPRES", position="Director", presence=Presence.PRESENT)
TO_DIPRES = (Recipient(organization="DIPRES"),)


def by(actor: Actor = ANA) -> Context:
    """The circumstances of what an actor asks for now."""
    return Context(actor, Clock(now=lambda: NOW))


def known(of: Body | None = None, organizations: Collection[str] = ORGANIZATIONS) -> Known:
    """What the record holds: the bilateral with Health, or another body, and the organisations."""
    return Known(of or body(), organizations)


class Approval(NamedTuple):
    """What came into being when minutes were approved."""

    numbered: DecisionsNumbered | None
    decisions: tuple[DecisionAgreed, ...]
    action_items: tuple[tuple[UUID, ActionItemAssigned], ...]
    approved: MinutesApproved


def approve(it: Meeting, actor: Actor = BRUNO, of: Body | None = None) -> Any:
    """Somebody approves the minutes."""
    *effects, approved = it.approve(by(actor), known(of))
    assert isinstance(approved, MinutesApproved)
    found = [(one.stream_id, one.event) for one in effects if isinstance(one, OnStream)]
    return Approval(
        next((event for _, event in found if isinstance(event, DecisionsNumbered)), None),
        tuple(event for _, event in found if isinstance(event, DecisionAgreed)),
        tuple((stream_id, event) for stream_id, event in found if isinstance(event, ActionItemAssigned)),
        approved,
    )


def body(*more: Event, **described: Any) -> Body:
    """The bilateral with Health, which decides and is reserved; described otherwise where the test says so."""
    fields: dict[str, Any] = {
        "code": "BIL-MINSAL",
        "name": "Bilateral with Health",
        "kind": BodyKind.BILATERAL,
        "decides": True,
        "visibility": Visibility.RESERVED,
        "organizations": ("MINSAL",),
        "mandatory_attendance": (Seat(organization="DIPRES"),),
    }
    return told(Body.begin, [BodyRegistered(**fields | described), *more])


def committee(*more: Event, **described: Any) -> Body:
    """A committee, which refers and is known inside government."""
    fields: dict[str, Any] = {
        "code": "SOCIAL",
        "name": "Social Development Committee",
        "kind": BodyKind.COMMITTEE,
        "decides": False,
        "visibility": Visibility.INTERNAL,
        "organizations": (),
    }
    return body(*more, **fields | described)


def convened(**more: Any) -> MeetingConvened:
    """A meeting of the bilateral with Health, with two items on its agenda."""
    fields: dict[str, Any] = {
        "body": "BIL-MINSAL",
        "scheduled_at": AUGUST_14,
        "visibility": Visibility.RESERVED,
        "place": "La Moneda",
        "agenda": AGENDA,
        "organizations": ("MINSAL",),
    }
    return MeetingConvened(**fields | more)


def agreed(*with_whom: str) -> AgendaAgreed:
    """Its agenda was settled."""
    return AgendaAgreed(agenda=AGENDA, agreed_with=with_whom or ("MINSAL",))


def held(**more: Any) -> MeetingHeld:
    """It took place as it was to."""
    fields: dict[str, Any] = {"held_at": AUGUST_14, "attendance": (MINISTER, DIRECTOR)}
    return MeetingHeld(**fields | more)


def referral(text: str = "To the committee", **more: Any) -> DraftDecision:
    """A decision that any body may take."""
    return DraftDecision(text=text, kind=DecisionKind.REFER, **more)


def task(**more: Any) -> DraftActionItem:
    """Something Health owes by the end of September."""
    fields: dict[str, Any] = {
        "text": "List the hospitals",
        "owner_organization": "MINSAL",
        "due_on": date(2012, 9, 30),
    }
    return DraftActionItem(**fields | more)


def said(*decisions: DraftDecision, item: int | None = 1, **more: Any) -> MinutesItem:
    """What the minutes say of an item."""
    return MinutesItem(agenda_item=item, summary="The list was gone through.", decisions=decisions, **more)


def drafted(*items: MinutesItem, draft: int = 1) -> MinutesDrafted:
    """The minutes were written."""
    return MinutesDrafted(draft=draft, items=items or (said(referral()),))


def circulated(
    draft: int = 1, recipients: tuple[Recipient, ...] = TO_DIPRES, day: date | None = None
) -> MinutesCirculated:
    """A draft was sent to the budget office; without a day, on the one on which that was recorded."""
    return MinutesCirculated(draft=draft, recipients=recipients, effective_on=day)


def circulate(
    it: Meeting, recipients: Sequence[Recipient] = TO_DIPRES, day: date | None = None
) -> MinutesCirculated:
    """The secretariat says that a draft was sent out."""
    proposed = MinutesCirculated(recipients=tuple(recipients), effective_on=day)
    return it.circulate(proposed, by(), known())


def approved(draft: int = 1, **more: Any) -> tuple[Actor, MinutesApproved]:
    """Bruno approved what Ana had written."""
    return BRUNO, MinutesApproved(draft=draft, digest="0" * 64, **more)


CANCELLED = MeetingCancelled(reason="The minister is ill")
UP_TO_DRAFT: tuple[Told, ...] = (convened(), held(), drafted())
UP_TO_CIRCULATION: tuple[Told, ...] = (*UP_TO_DRAFT, circulated())
SEALED: tuple[Told, ...] = (*UP_TO_CIRCULATION, approved(decisions=("BIL-MINSAL-2012-001",)))


def given(*history: Told) -> Scenario[Meeting]:
    """A meeting of which this was told; the convocation where nothing is."""
    return Scenario(Meeting.begin, history or (convened(),))


def meeting(*history: Told) -> Meeting:
    """The meeting of which this was told."""
    return told(Meeting.begin, history or (convened(),))
