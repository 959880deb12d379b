"""A body that holds meetings: what it is for, what it holds itself to, and the numbers of its decisions.

Decisions are numbered per body and year, and the body's own stream says which numbers are given, so that approvals in
several processes at once cannot give one number twice or leave one out. Whoever sees some of a body's numbers could
tell from the gaps how many others there are: so a meeting is never known to fewer than its body is, who knows of a body
is settled once it has numbered decisions, and a meeting that was convened for others gets no numbers.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from datetime import date, datetime
from typing import Final
from uuid import UUID

from shared.aggregate.aggregate import DayOf, Entry, evolves
from shared.aggregate.description import Described
from shared.aggregate.redaction import Readers
from shared.errors import Forbidden, InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.meeting_vocabulary import BodyKind
from shared.events.meetings import (
    BodyChanged,
    BodyRegistered,
    DecisionsNumbered,
    MeetingConvened,
    Protocol,
    Seat,
)
from shared.events.streams import looks_like_uuid
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role
from shared.rules import guards
from shared.rules.protocols import InForce, Told

PRIVATE: Final = frozenset({BodyKind.BILATERAL, BodyKind.REGIONAL_BILATERAL})
"""The kinds of body in which decisions are taken between few, and are theirs until they are published."""

LONGEST_CODE: Final = 40
_CODE = re.compile(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_CODE - 1}}}")


class Body(Described[BodyChanged]):
    """A body that holds meetings."""

    __slots__ = ("described", "numbered")

    BEGINS_WITH = (BodyRegistered,)
    CHANGED = BodyChanged

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.numbered: dict[int, int] = {}
        """The last number given in each year."""
        self.described: tuple[tuple[datetime, BodyChanged], ...] = ((recorded.recorded_at, self.description),)
        """Each of its descriptions, and when it was recorded."""

    def readers(self) -> Readers:
        """See `Aggregate.readers`."""
        described = self.description
        return Readers(described.visibility, described.organizations)

    def description_on(self, day: date, day_of: DayOf) -> BodyChanged | None:
        """By what it went on a day: its protocol and its mandatory attendance; None before the first was in force."""
        return InForce(
            Told(None if one.protocol is None else one.protocol.in_force_from, day_of(recorded_at), one)
            for recorded_at, one in self.described
        ).on(day)

    def protocol_on(self, day: date, day_of: DayOf) -> Protocol:
        """What was asked of it on a day."""
        described = self.description_on(day, day_of)
        return (described and described.protocol) or Protocol()

    def must_keep_its_readers(self, description: BodyChanged) -> None:
        """Who knows of a body that has numbered decisions stays as it is."""
        before = self.description
        if self.numbered and _known_by(description.visibility, description.organizations) != _known_by(
            before.visibility, before.organizations
        ):
            raise RuleBroken(
                "body-circle-settled",
                "This body has numbered decisions, and who knows of them is settled: register another body.",
            )

    @evolves(BodyChanged)
    def _changed(self, entry: Entry[BodyChanged]) -> None:
        self.described = (*self.described, (entry.recorded_at, entry.event))

    def must_be_convenable_by(self, actor: Actor) -> None:
        """The advisory unit convenes bilaterals; the committees are the unit's to serve."""
        if actor.role is Role.ADVISORY and self.description.kind not in PRIVATE:
            raise Forbidden(
                "not-a-bilateral",
                "The advisory unit convenes and approves bilaterals, and no other meetings.",
            )

    def number_decisions(
        self, *, meeting: UUID, year: int, count: int, convened: MeetingConvened
    ) -> DecisionsNumbered:
        """The next numbers of a year, for a meeting that was convened for the readers of the series."""
        described = self.description
        if count and _known_by(convened.visibility, convened.organizations) != _known_by(
            described.visibility, described.organizations
        ):
            raise RuleBroken(
                "meeting-of-another-circle",
                "The body was opened to others, or closed to some, since this meeting was convened: its decisions and "
                "later ones cannot be numbered in one series.",
            )
        last = self.numbered.get(year, 0)
        return DecisionsNumbered(meeting=meeting, year=year, first=last + 1, last=last + count)

    @evolves(DecisionsNumbered)
    def _decisions_numbered(self, entry: Entry[DecisionsNumbered]) -> None:
        self.numbered[entry.event.year] = entry.event.last


def decision_number(body: str, year: int, number: int) -> str:
    """What a decision is called: `SEG-2012-014`."""
    return f"{body}-{year}-{number:03}"


def usually_decides(kind: BodyKind) -> bool:
    """Committees refer; where the President meets a minister or a governor, decisions are taken."""
    return kind in PRIVATE


def usual_visibility(kind: BodyKind) -> Visibility:
    """Who knows of a body's meetings when nobody says otherwise."""
    return Visibility.RESERVED if kind in PRIVATE else Visibility.INTERNAL


def _known_by(visibility: Visibility, organizations: Iterable[str]) -> tuple[Visibility, frozenset[str]]:
    """Who knows of what has this visibility; with whom it is makes a difference only while it is reserved."""
    return visibility, frozenset(organizations if visibility is Visibility.RESERVED else ())


def check_body(
    code: str,
    description: BodyChanged,
    organizations: Container[str],
    bodies: Iterable[str] = (),
    heirs_on: guards.HeirsOn = guards.itself,
) -> None:
    """Hold the description of a body to the rules.

    Its code differs from those of the other `bodies` by more than capitals. From the day on which its protocol is in
    force, where it names one, it is presided and served by organisations that are there.
    """
    if _CODE.fullmatch(code) is None or looks_like_uuid(code):
        raise InvalidInput(
            "body-code-malformed",
            f"A body's code has 1 to {LONGEST_CODE} letters, digits, dots, hyphens or underscores, begins with "
            "a letter or digit, and does not look like a UUID.",
            pointer="/code",
        )
    for other in bodies:
        if other.casefold() == code.casefold() and other != code:
            raise RuleBroken(
                "body-code-taken",
                f"There is a body '{other}': the numbers of their decisions would look alike.",
            )
    guards.text_given(description.name, "The name", "/name")
    for field in ("presiding_organization", "secretariat"):
        if (named := getattr(description, field)) is not None:
            guards.known_organization(named, organizations, f"/{field}")
            if description.protocol is not None and description.protocol.in_force_from is not None:
                guards.still_there(named, description.protocol.in_force_from, heirs_on)
    guards.known_organizations(description.organizations, organizations, "/organizations")
    _check_seats(description.mandatory_attendance, organizations, "/mandatory_attendance")
    if description.kind in PRIVATE:
        if description.visibility is not Visibility.RESERVED:
            raise InvalidInput(
                "bilateral-not-reserved",
                "A bilateral is reserved; what is agreed there is published meeting by meeting, with a reason.",
                pointer="/visibility",
            )
        if not description.organizations:
            raise InvalidInput(
                "bilateral-without-organizations",
                "Name the ministries the bilateral is with.",
                pointer="/organizations",
            )
    if (protocol := description.protocol) is not None:
        _check_protocol(protocol)
        _check_seats(protocol.recipients, organizations, "/protocol/recipients")
        if protocol.recipients_required and not protocol.recipients:
            raise InvalidInput(
                "recipients-unnamed",
                "Name the recipients that the minutes have to be sent to.",
                pointer="/protocol/recipients",
            )


def office(text: str) -> str:
    """An office as it is compared: capitals and blanks make no difference."""
    return " ".join(text.split()).casefold()


def fits(seat: Seat, organization: str, position: str | None) -> bool:
    """Whether somebody named by organisation and office is who a seat is for."""
    if seat.organization is not None and seat.organization != organization:
        return False
    names = {office(name) for name in (seat.position, *seat.aliases) if name is not None}
    return not names or (position is not None and office(position) in names)


def _check_seats(seats: tuple[Seat, ...], organizations: Container[str], pointer: str) -> None:
    seen: set[tuple[str | None, ...]] = set()
    for index, seat in enumerate(seats):
        at = f"{pointer}/{index}"
        if seat.organization is None and seat.position is None:
            raise InvalidInput("seat-empty", "A seat is an organisation, an office, or both.", pointer=at)
        if seat.organization is not None:
            guards.known_organization(seat.organization, organizations, f"{at}/organization")
        if seat.aliases and seat.position is None:
            raise InvalidInput(
                "alias-of-no-position",
                "Aliases are other names of a position: give the position.",
                pointer=f"{at}/aliases",
            )
        names = [office(name) for name in (seat.position, *seat.aliases) if name is not None]
        if len(set(names)) < len(names):
            raise InvalidInput("named-twice", "This office has one of its names twice.", pointer=at)
        named = {(seat.organization, name, seat.condition) for name in names or (None,)}
        if not named.isdisjoint(seen):
            raise InvalidInput("named-twice", "This seat is named twice.", pointer=at)
        seen |= named


def _check_protocol(protocol: Protocol) -> None:
    expected = protocol.expected_meetings
    figures = {
        "expected_meetings/count": None if expected is None else expected.count,
        "days_to_minutes": protocol.days_to_minutes,
        "agenda_size": protocol.agenda_size,
        "duration_minutes": protocol.duration_minutes,
    }
    for member, figure in figures.items():
        if figure is not None and not 1 <= figure <= 1000:
            raise InvalidInput(
                "protocol-figure-impossible",
                "The figures of a protocol lie between 1 and 1000; leave out what is not asked of the body.",
                pointer=f"/protocol/{member}",
            )
