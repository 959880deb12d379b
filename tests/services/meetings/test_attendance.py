"""Which of a body's seats were missed."""

from __future__ import annotations

import pytest

from services.meetings.meeting.model import mandatory_absences
from shared.events.meeting_vocabulary import Presence, Rights
from shared.events.meetings import Attendee, Seat

DIPRES = Seat(organization="DIPRES")
PRESIDENT = Seat(position="President")
CHIEF = Seat(organization="DCI", position="Chief")
COUNSEL = Seat(organization="DCI", position="Legal counsel", condition="where there is a bill")


def line(
    organization: str, position: str, presence: Presence = Presence.PRESENT, rights: Rights = Rights.FULL
) -> Attendee:
    by = "Deputy" if presence is Presence.REPRESENTED else None
    return Attendee(
        organization=organization, position=position, presence=presence, rights=rights, represented_by=by
    )


@pytest.mark.parametrize(
    ("seat", "lines", "missed"),
    [
        (DIPRES, [line("DIPRES", "Director")], False),
        (DIPRES, [line("DIPRES", "Director", rights=Rights.INVITED)], False),
        (DIPRES, [line("DIPRES", "Director", Presence.REPRESENTED)], False),
        (DIPRES, [line("DIPRES", "Director", Presence.ABSENT)], True),
        (DIPRES, [line("DIPRES", "Director", Presence.ABSENT), line("DIPRES", "Head of sector")], False),
        (DIPRES, [line("MINSAL", "Minister")], True),
        (PRESIDENT, [line("PRESIDENCY", "president")], False),
        (PRESIDENT, [line("PRESIDENCY", "Adviser")], True),
        (CHIEF, [line("DCI", "Coordinator")], True),
        (CHIEF, [line("MINSAL", "Chief")], True),
        (CHIEF, [line("DCI", "Chief")], False),
        (COUNSEL, [line("DCI", "Chief")], False),
        (COUNSEL, [line("DCI", "Legal counsel", Presence.ABSENT)], True),
    ],
)
def test_a_seat_is_missed_when_nobody_came_for_it_nor_was_sent(
    seat: Seat, lines: list[Attendee], missed: bool
) -> None:
    assert mandatory_absences([seat], lines) == ((seat,) if missed else ())
