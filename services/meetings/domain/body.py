"""A body that holds meetings: what it is for, what it holds itself to, and the numbers of its decisions.

Decisions are numbered per body and year, and the body's own stream says which numbers are given, so that approvals in
several processes at once cannot give one number twice or leave one out. Whoever sees some of a body's numbers could
tell from the gaps how many others there are: so a meeting is never known to fewer than its body is, who knows of a body
is settled once it has numbered decisions, and a meeting that was convened for others gets no numbers.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import NamedTuple, Self
from uuid import UUID

from services.meetings.domain import guards
from services.meetings.domain.folding import Entry, Folded, changed_by
from shared.errors import Forbidden, InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.meeting_vocabulary import BodyKind, Cadence
from shared.events.meetings import (
    BodyChanged,
    BodyRegistered,
    DecisionsNumbered,
    MeetingConvened,
    Protocol,
    Seat,
)
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role

PRIVATE = frozenset({BodyKind.BILATERAL, BodyKind.REGIONAL_BILATERAL})
"""The kinds of body in which decisions are taken between few, and are theirs until they are published."""


class BodyDescription(NamedTuple):
    """Everything a body is described by; a new description replaces the whole of the old one."""

    name: str
    kind: BodyKind
    decides: bool
    visibility: Visibility
    presiding_organization: str | None = None
    secretariat: str | None = None
    cadence: Cadence | None = None
    mandatory_attendance: tuple[Seat, ...] = ()
    organizations: tuple[str, ...] = ()
    protocol: Protocol | None = None


class Body(Folded):
    """One body, folded from its events."""

    __slots__ = ("code", "description", "numbered", "once_reserved")

    def __init__(self, event: BodyRegistered, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.code = event.code
        self.description = _described(event)
        self.once_reserved = event.visibility is Visibility.RESERVED
        """Whether it is reserved, or ever was."""
        self.numbered: dict[int, int] = {}
        """The last number given in each year."""

    @classmethod
    def begin(cls, recorded: Recorded) -> Self | None:
        """The body that the first event of a stream tells of, if it tells of one."""
        return cls(recorded.data, recorded) if isinstance(recorded.data, BodyRegistered) else None

    def describe(self, description: BodyDescription, organizations: Container[str]) -> list[Event]:
        """Describe it anew; the same description again records nothing."""
        if description == self.description:
            return []
        _check(description, organizations)
        if self.numbered and _circle(description) != _circle(self.description):
            raise RuleBroken(
                "body-circle-settled",
                "This body has numbered decisions, and who knows of them is settled: register another body.",
            )
        return [BodyChanged(**description._asdict())]

    @changed_by(BodyChanged)
    def _changed(self, entry: Entry[BodyChanged]) -> None:
        self.description = _described(entry.said)
        self.once_reserved = self.once_reserved or entry.said.visibility is Visibility.RESERVED

    @property
    def asks_for_four_eyes(self) -> bool:
        """Whether whoever told of a meeting leaves the approval of its minutes to somebody else."""
        protocol = self.description.protocol
        return protocol is not None and protocol.four_eyes

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
        """The next numbers of a year, for a meeting that was convened for the circle that knows of the series."""
        if count and _known_by(convened.visibility, convened.organizations) != _circle(self.description):
            raise RuleBroken(
                "meeting-of-another-circle",
                "The body was opened to others, or closed to some, since this meeting was convened: its decisions and "
                "later ones cannot be numbered in one series.",
            )
        last = self.numbered.get(year, 0)
        return DecisionsNumbered(meeting=meeting, year=year, first=last + 1, last=last + count)

    @changed_by(DecisionsNumbered)
    def _decisions_numbered(self, entry: Entry[DecisionsNumbered]) -> None:
        self.numbered[entry.said.year] = entry.said.last


def register_body(
    code: str, description: BodyDescription, organizations: Container[str], others: Iterable[str] = ()
) -> list[Event]:
    """Enter a body into the record; its code differs from those of all `others` by more than capitals."""
    guards.well_formed_body_code(code)
    for other in others:
        if other.casefold() == code.casefold():
            raise RuleBroken(
                "body-code-taken",
                f"There is a body '{other}': the numbers of their decisions would look alike.",
            )
    _check(description, organizations)
    return [BodyRegistered(code=code, **description._asdict())]


def decision_number(body: str, year: int, number: int) -> str:
    """What a decision is called: `SEG-2012-014`."""
    return f"{body}-{year}-{number:03}"


def usually_decides(kind: BodyKind) -> bool:
    """Committees refer; where the President meets a minister or a governor, decisions are taken."""
    return kind in PRIVATE


def usual_visibility(kind: BodyKind) -> Visibility:
    """Who knows of a body's meetings when nobody says otherwise."""
    return Visibility.RESERVED if kind in PRIVATE else Visibility.INTERNAL


def _described(event: BodyRegistered | BodyChanged) -> BodyDescription:
    return BodyDescription(**{name: getattr(event, name) for name in BodyDescription._fields})


def _circle(description: BodyDescription) -> tuple[Visibility, frozenset[str]]:
    return _known_by(description.visibility, description.organizations)


def _known_by(visibility: Visibility, organizations: Iterable[str]) -> tuple[Visibility, frozenset[str]]:
    """Who knows of what has this visibility; with whom it is makes a difference only while it is reserved."""
    return visibility, frozenset(organizations if visibility is Visibility.RESERVED else ())


def _check(description: BodyDescription, organizations: Container[str]) -> None:
    guards.text_given(description.name, "The name", "/name")
    if description.presiding_organization is not None:
        guards.known_organization(
            description.presiding_organization, organizations, "/presiding_organization"
        )
    if description.secretariat is not None:
        guards.known_organization(description.secretariat, organizations, "/secretariat")
    guards.known_organizations(description.organizations, organizations, "/organizations")
    _check_seats(description.mandatory_attendance, organizations)
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
    if description.protocol is not None:
        _check_protocol(description.protocol)


def _check_seats(seats: tuple[Seat, ...], organizations: Container[str]) -> None:
    for index, seat in enumerate(seats):
        at = f"/mandatory_attendance/{index}"
        if seat.organization is None and seat.position is None:
            raise InvalidInput("seat-empty", "A seat is an organisation, an office, or both.", pointer=at)
        if seat.organization is not None:
            guards.known_organization(seat.organization, organizations, f"{at}/organization")
        if seat in seats[:index]:
            raise InvalidInput("named-twice", "This seat is named twice.", pointer=at)


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
