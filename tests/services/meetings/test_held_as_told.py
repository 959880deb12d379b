"""Meetings of which a source tells that they were held, and not who came."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.meetings.meeting.model import held_or_corrected
from shared.errors import BitacoraError, InvalidInput, RuleBroken
from shared.events.facts import Event
from shared.events.meetings import AttendanceCorrected, MeetingHeld, Seat
from tests.services.meetings.gatherings import (
    AUGUST_14,
    CANCELLED,
    DIRECTOR,
    NOW,
    SEALED,
    by,
    convened,
    given,
    held,
)

HOUR = timedelta(hours=1)
DIPRES = Seat(organization="DIPRES")


def test_it_is_held_by_nobody_that_we_know_of_and_nobody_is_absent() -> None:
    scenario = given(convened()).when(
        lambda meeting: meeting.hold_as_told(
            held_or_corrected(held_at=AUGUST_14, ended_at=AUGUST_14 + HOUR, attendance=()), by()
        )
    )
    scenario.then(MeetingHeld(held_at=AUGUST_14, ended_at=AUGUST_14 + HOUR, attendance=()))


def test_another_time_leaves_those_who_were_noted_and_those_who_were_missed() -> None:
    noted = held(attendance=(DIRECTOR,), mandatory_absences=(DIPRES,))
    scenario = given(convened(), noted).when(
        lambda meeting: meeting.hold_as_told(
            held_or_corrected(
                held_at=AUGUST_14 + HOUR, ended_at=None, attendance=(), reason="According to the pages."
            ),
            by(),
        )
    )
    scenario.then(
        AttendanceCorrected(
            held_at=AUGUST_14 + HOUR,
            attendance=(DIRECTOR,),
            mandatory_absences=(DIPRES,),
            reason="According to the pages.",
        )
    )


@pytest.mark.parametrize(
    ("history", "held_at", "code", "kind"),
    [
        ((convened(), CANCELLED), AUGUST_14, "meeting-cancelled", RuleBroken),
        ((convened(), held()), AUGUST_14, "meeting-already-held", RuleBroken),
        (SEALED, AUGUST_14, "minutes-approved", RuleBroken),
        ((convened(agenda=()),), AUGUST_14, "meeting-without-agenda", RuleBroken),
        ((convened(),), NOW + HOUR, "instant-in-future", InvalidInput),
    ],
)
def test_the_rules_are_those_of_any_meeting(
    history: tuple[Event, ...], held_at: datetime, code: str, kind: type[BitacoraError]
) -> None:
    scenario = given(*history).when(
        lambda meeting: meeting.hold_as_told(
            held_or_corrected(held_at=held_at, ended_at=None, attendance=()), by()
        )
    )
    scenario.refused(code, kind)


def test_it_does_not_end_before_it_began() -> None:
    scenario = given(convened()).when(
        lambda meeting: meeting.hold_as_told(
            held_or_corrected(held_at=AUGUST_14, ended_at=AUGUST_14 - HOUR, attendance=()), by()
        )
    )
    scenario.refused("ends-before-start", InvalidInput, "/ended_at")
