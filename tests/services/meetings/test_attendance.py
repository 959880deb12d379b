"""Which of a body's seats were missed."""

from __future__ import annotations

import pytest

from services.meetings.meeting.model import mandatory_absences, recipients_missing
from shared.events.meeting_vocabulary import Presence, Rights
from shared.events.meetings import Attendee, Recipient, Seat

DIPRES = Seat(organization="DIPRES")
PRESIDENT = Seat(position="President")
CHIEF = Seat(organization="DCI", position="Chief")
MINISTER = Seat(organization="MINSAL", position="Ministro ", aliases=("Ministra", "Ministro (S)"))
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
        (CHIEF, [line("DCI", " Chief  ")], False),
        (MINISTER, [line("MINSAL", "ministro")], False),
        (MINISTER, [line("MINSAL", "Ministra ")], False),
        (MINISTER, [line("MINSAL", "Ministro  (S)")], False),
        (MINISTER, [line("MINSAL", "Ministra", Presence.ABSENT)], True),
        (MINISTER, [line("MINSAL", "Subsecretario")], True),
        (COUNSEL, [line("DCI", "Chief")], False),
        (COUNSEL, [line("DCI", "Legal counsel", Presence.ABSENT)], True),
    ],
)
def test_a_seat_is_missed_when_nobody_came_for_it_nor_was_sent(
    seat: Seat, lines: list[Attendee], missed: bool
) -> None:
    assert mandatory_absences([seat], lines) == ((seat,) if missed else ())


THE_FOUR = (
    Seat(organization="SEGPRES"),
    Seat(organization="DIPRES"),
    Seat(organization="DCI", position="Division head", condition="of the divisions concerned"),
    Seat(organization="DIPRES", position="Coordinator", aliases=("Coordinadora",)),
)


@pytest.mark.parametrize(
    ("sent", "missing"),
    [
        ([], [0, 1, 2, 3]),
        ([("SEGPRES", None), ("DIPRES", None)], [2, 3]),
        ([("SEGPRES", "Minister"), ("DIPRES", "coordinadora ")], [1, 2]),
        ([("DIPRES", "Coordinator"), ("DIPRES", "Sector specialist"), ("DCI", " division  head")], [0]),
        ([("DCI", None), ("SEGPRES", None), ("DIPRES", None), ("DIPRES", "Coordinator")], [2]),
    ],
)
def test_a_recipient_is_missing_when_neither_it_nor_its_office_was_sent_the_minutes(
    sent: list[tuple[str, str | None]], missing: list[int]
) -> None:
    recipients = [Recipient(organization=organization, position=position) for organization, position in sent]
    assert recipients_missing(THE_FOUR, recipients) == tuple(THE_FOUR[number] for number in missing)
