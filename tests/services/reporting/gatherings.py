"""Bodies, meetings, decisions and action items as tests tell of them: events, straight into the log."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from shared.eventlog.store import Appended
from shared.events.facts import Event
from shared.events.meeting_vocabulary import (
    BodyKind,
    DecisionKind,
    Financing,
    Presence,
    ProtocolPeriod,
)
from shared.events.meetings import (
    ActionItemAssigned,
    AgendaItem,
    Attendee,
    BodyRegistered,
    BudgetImpact,
    DecisionAgreed,
    ExpectedMeetings,
    MeetingConvened,
    MeetingHeld,
    MinutesCirculated,
    Protocol,
    Recipient,
    Seat,
)
from shared.events.streams import stream_of
from shared.events.vocabulary import Visibility
from tests.services.reporting.stage import Stage


class Told(NamedTuple):
    """An event of a thing, by its kind and its code (meetings and action items have one in tests only)."""

    kind: str
    code: str
    event: Event


def tell(stage: Stage, *told: Told, now: datetime | None = None) -> Appended:
    """Write events into the log in one batch."""
    return stage.append_new([stage.next(one.code, one.event, kind=one.kind) for one in told], now=now)


def noon(day: date) -> datetime:
    """Noon in UTC."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def meeting_id(code: str) -> UUID:
    """The id of a meeting of a test."""
    return stream_of("meeting", code)


def protocol(
    count: int = 1,
    period: ProtocolPeriod = ProtocolPeriod.MONTH,
    *,
    days_to_minutes: int | None = 7,
    agenda_size: int | None = 4,
) -> Protocol:
    """What a body holds itself to."""
    expected = ExpectedMeetings(count=count, period=period)
    return Protocol(expected_meetings=expected, days_to_minutes=days_to_minutes, agenda_size=agenda_size)


def committee(code: str, **more: Any) -> Told:
    """A committee, known inside government."""
    fields: dict[str, Any] = {
        "code": code,
        "name": f"Committee {code}",
        "kind": BodyKind.COMMITTEE,
        "decides": False,
        "visibility": Visibility.INTERNAL,
        "protocol": protocol(),
    }
    return Told("body", code, BodyRegistered(**fields | more))


def bilateral(code: str, *organizations: str, **more: Any) -> Told:
    """A bilateral with ministries: reserved."""
    fields: dict[str, Any] = {
        "code": code,
        "name": f"Bilateral {code}",
        "kind": BodyKind.BILATERAL,
        "decides": True,
        "visibility": Visibility.RESERVED,
        "organizations": organizations,
        "protocol": protocol(),
    }
    return Told("body", code, BodyRegistered(**fields | more))


def agenda(size: int) -> tuple[AgendaItem, ...]:
    """So many issues."""
    return tuple(AgendaItem(number=number + 1, title=f"Issue {number + 1}") for number in range(size))


def convened(body: str, code: str, day: date, *, size: int = 2, **more: Any) -> Told:
    """A meeting was called for noon of a day."""
    fields: dict[str, Any] = {
        "body": body,
        "scheduled_at": noon(day),
        "visibility": Visibility.INTERNAL,
        "agenda": agenda(size),
    }
    return Told("meeting", code, MeetingConvened(**fields | more))


def held(code: str, day: date, *, absent: tuple[Seat, ...] = ()) -> Told:
    """It was held at noon of a day."""
    someone = Attendee(organization="DCI", position="Chief", presence=Presence.PRESENT)
    return Told(
        "meeting", code, MeetingHeld(held_at=noon(day), attendance=(someone,), mandatory_absences=absent)
    )


def circulated(code: str, *recipients: str, on: date | None = None) -> Told:
    """Its minutes were sent out; without a day, on the one on which that is recorded."""
    named = tuple(Recipient(organization=name) for name in recipients or ("DIPRES",))
    return Told("meeting", code, MinutesCirculated(draft=1, recipients=named, effective_on=on))


def decided(number: str, day: date, meeting: str = "M-1", **more: Any) -> Told:
    """A decision was agreed; its body is what precedes the year in its number."""
    fields: dict[str, Any] = {
        "number": number,
        "body": number.rsplit("-", 2)[0],
        "meeting": meeting_id(meeting),
        "agreed_on": day,
        "text": f"Text of {number}",
        "kind": DecisionKind.OTHER,
        "visibility": Visibility.INTERNAL,
        "position_in_item": 1,
        "agenda_item": 1,
    }
    return Told("decision", number, DecisionAgreed(**fields | more))


def cost(
    fiscal_year: int = 2013, amount: str = "1200.5", taken_from: tuple[str, ...] = ("24-09",)
) -> BudgetImpact:
    """What a decision costs."""
    return BudgetImpact(
        amount=amount,
        currency="CLP",
        fiscal_year=fiscal_year,
        financing=Financing.REALLOCATION,
        reallocated_from=taken_from,
    )


def assigned(code: str, owner: str, day: date, due_on: date, meeting: str = "M-1", **more: Any) -> Told:
    """Somebody owes something."""
    fields: dict[str, Any] = {
        "number": 1,
        "text": f"Task {code}",
        "owner_organization": owner,
        "assigned_on": day,
        "due_on": due_on,
        "body": "SEG",
        "meeting": meeting_id(meeting),
        "visibility": Visibility.INTERNAL,
    }
    return Told("action-item", code, ActionItemAssigned(**fields | more))
