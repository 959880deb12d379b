"""Who came to a meeting, and which of the body's seats nobody took."""

from __future__ import annotations

from collections.abc import Container, Sequence

from services.meetings.domain import guards
from shared.errors import InvalidInput
from shared.events.meeting_vocabulary import Presence, Rights
from shared.events.meetings import Attendee, Seat


def mandatory_absences(seats: Sequence[Seat], attendance: Sequence[Attendee]) -> tuple[Seat, ...]:
    """The seats that were missed.

    A seat is taken by whoever is present for it, with full rights or invited, or has sent somebody: who is
    represented is not absent. A seat with a condition is missed only when the list says that it stayed empty,
    because only those who were there know whether its condition held.
    """
    return tuple(seat for seat in seats if _missed(seat, attendance))


def _missed(seat: Seat, attendance: Sequence[Attendee]) -> bool:
    lines = [line for line in attendance if _fits(seat, line)]
    if any(line.presence is not Presence.ABSENT for line in lines):
        return False
    return bool(lines) or seat.condition is None


def _fits(seat: Seat, line: Attendee) -> bool:
    if seat.organization is not None and seat.organization != line.organization:
        return False
    return seat.position is None or seat.position.casefold() == line.position.casefold()


def check(attendance: Sequence[Attendee], agenda: Container[int], organizations: Container[str]) -> None:
    """Holds an attendance list to its rules: somebody came, and each line says what its presence asks for."""
    if not any(line.presence is not Presence.ABSENT for line in attendance):
        raise InvalidInput(
            "nobody-attended", "A meeting was held by those who came: name somebody.", pointer="/attendance"
        )
    seen: set[tuple[str, str, str | None]] = set()
    for index, line in enumerate(attendance):
        at = f"/attendance/{index}"
        guards.known_organization(line.organization, organizations, f"{at}/organization")
        guards.text_given(line.position, "The position", f"{at}/position")
        who = (line.organization, line.position.casefold(), line.subject)
        if who in seen:
            raise InvalidInput("named-twice", "This attendee is named twice.", pointer=at)
        seen.add(who)
        if (line.presence is Presence.REPRESENTED) != (line.represented_by is not None):
            raise InvalidInput(
                "representative-misplaced",
                "Say who stood in for somebody who was represented, and only then.",
                pointer=f"{at}/represented_by",
            )
        if line.agenda_items and line.rights is Rights.FULL:
            raise InvalidInput(
                "full-rights-for-issues",
                "With full rights one attends the whole meeting; name issues only for somebody invited.",
                pointer=f"{at}/agenda_items",
            )
        for place, number in enumerate(line.agenda_items):
            if number not in agenda:
                raise InvalidInput(
                    "unknown-agenda-item",
                    f"There is no item {number} on the agenda.",
                    pointer=f"{at}/agenda_items/{place}",
                )
