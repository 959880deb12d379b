"""A meeting is convened, prepared, moved, called off, held; what makes no sense is refused by its own name."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest

from services.meetings.body.model import Body
from services.meetings.meeting.model import Held, Meeting, convene, held_or_corrected
from shared.errors import BitacoraError, Forbidden, InvalidInput, RuleBroken
from shared.events.facts import Event
from shared.events.meeting_vocabulary import MeetingState, Presence, Rights
from shared.events.meetings import (
    AgendaAgreed,
    AgendaItem,
    AgendaRevised,
    Appointment,
    AttendanceCorrected,
    Attendee,
    ErratumAdded,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingPublished,
    MeetingRescheduled,
    MinutesDrafted,
    ObservationRaised,
    Protocol,
    Seat,
)
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor
from tests.services.meetings.gatherings import (
    ADVISER,
    AGENDA,
    AUGUST_14,
    BRUNO,
    CANCELLED,
    DIRECTOR,
    HELD_ON,
    MINISTER,
    NOW,
    SEALED,
    TODAY,
    UP_TO_CIRCULATION,
    UP_TO_DRAFT,
    agreed,
    approve,
    body,
    by,
    circulate,
    circulated,
    committee,
    convened,
    drafted,
    given,
    held,
    known,
    meeting,
    said,
    task,
)
from tests.support.scenario import Told

AUGUST_21 = AUGUST_14 + timedelta(days=7)
OTHER_AGENDA = (AgendaItem(number=1, title="Nurses"),)

Ask = Callable[[Meeting], Any]


def course(held_at: datetime, *attendance: Attendee, **more: Any) -> Held:
    return held_or_corrected(held_at=held_at, attendance=attendance, **more)


COURSE = course(AUGUST_14, MINISTER, DIRECTOR)


def revise(
    it: Meeting,
    agenda: tuple[AgendaItem, ...] = OTHER_AGENDA,
    agreed_with: tuple[str, ...] = (),
    reason: str | None = None,
) -> Event:
    return it.revise_agenda(
        AgendaAgreed(agenda=agenda, agreed_with=agreed_with, reason=reason), by(), known()
    )


def hold(it: Meeting, proposed: Held = COURSE) -> Event:
    return it.hold(proposed, by(), known())


def move(it: Meeting, **more: Any) -> Event:
    fields: dict[str, Any] = {"scheduled_at": AUGUST_21, "reason": "A trip"}
    return it.reschedule(MeetingRescheduled(**fields | more), by(), known())


def cancel(it: Meeting, reason: str = "No quorum") -> Event:
    return it.cancel(MeetingCancelled(reason=reason), by(), known())


def draft(it: Meeting) -> Event:
    return it.draft_minutes(MinutesDrafted(items=(said(),)), by(), known())


def publish(it: Meeting, visibility: Visibility, reason: str = "x") -> Event:
    (published,) = it.publish(MeetingPublished(visibility=visibility, reason=reason), by())
    assert isinstance(published, Event)
    return published


TYPO = ErratumAdded(reads="list", should_read="lists", reason="typo")


ASKED: dict[str, Ask] = {
    "revise the agenda": revise,
    "reschedule": move,
    "cancel": cancel,
    "hold": hold,
    "draft minutes": draft,
    "circulate": circulate,
    "observe": lambda it: it.observe(ObservationRaised(text="A typo"), by(BRUNO)),
    "approve": approve,
    "add an erratum": lambda it: it.add_erratum(TYPO, None),
}


STATES: dict[MeetingState, tuple[Told, ...]] = {
    MeetingState.CONVENED: (convened(),),
    MeetingState.AGENDA_AGREED: (convened(), agreed()),
    MeetingState.HELD: (convened(), held()),
    MeetingState.MINUTES_DRAFTED: UP_TO_DRAFT,
    MeetingState.CIRCULATED: UP_TO_CIRCULATION,
    MeetingState.APPROVED: SEALED,
    MeetingState.CANCELLED: (convened(), CANCELLED),
}
AHEAD_ONLY = dict.fromkeys(
    [MeetingState.HELD, MeetingState.MINUTES_DRAFTED, MeetingState.CIRCULATED, MeetingState.APPROVED],
    "meeting-already-held",
)
BEFORE = [MeetingState.CONVENED, MeetingState.AGENDA_AGREED]
REFUSED: dict[str, dict[MeetingState, str]] = {
    "revise the agenda": {**AHEAD_ONLY, MeetingState.AGENDA_AGREED: "reason-required"},
    "reschedule": AHEAD_ONLY,
    "cancel": AHEAD_ONLY,
    "hold": {**AHEAD_ONLY, MeetingState.APPROVED: "minutes-approved"},
    "draft minutes": {**dict.fromkeys(BEFORE, "meeting-not-held"), MeetingState.APPROVED: "minutes-approved"},
    "circulate": {
        **dict.fromkeys(BEFORE, "meeting-not-held"),
        MeetingState.HELD: "minutes-not-drafted",
        MeetingState.CIRCULATED: "already-circulated",
        MeetingState.APPROVED: "minutes-approved",
    },
    "observe": {
        **dict.fromkeys(BEFORE, "meeting-not-held"),
        MeetingState.HELD: "minutes-not-drafted",
        MeetingState.MINUTES_DRAFTED: "minutes-not-circulated",
        MeetingState.APPROVED: "minutes-approved",
    },
    "approve": {
        **dict.fromkeys(BEFORE, "meeting-not-held"),
        MeetingState.HELD: "minutes-not-drafted",
        MeetingState.MINUTES_DRAFTED: "minutes-not-circulated",
        MeetingState.APPROVED: "minutes-approved",
    },
    "add an erratum": {
        **dict.fromkeys(BEFORE, "meeting-not-held"),
        MeetingState.HELD: "minutes-not-drafted",
        MeetingState.MINUTES_DRAFTED: "minutes-not-approved",
        MeetingState.CIRCULATED: "minutes-not-approved",
    },
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("asked", ASKED)
def test_each_change_is_possible_or_refused_by_its_own_name_in_each_state(
    asked: str, state: MeetingState
) -> None:
    it = meeting(*STATES[state])
    assert it.state is state
    wanted = REFUSED[asked].get(state)
    if state is MeetingState.CANCELLED:
        wanted = "meeting-cancelled"
    if wanted is None:
        ASKED[asked](it)
        return
    with pytest.raises(BitacoraError) as refused:
        ASKED[asked](it)
    assert refused.value.code == wanted


# --- convening -----------------------------------------------------------------------------------------------------


def call(actor: Actor = BRUNO, of: Body | None = None, **more: Any) -> Event:
    known_body = of or body()
    fields: dict[str, Any] = {"scheduled_at": AUGUST_14, "place": "La Moneda", "agenda": AGENDA}
    proposed = MeetingConvened(body=known_body.code, **fields | more)
    return convene(proposed, by(actor), known(known_body))


def test_a_meeting_is_known_to_those_its_body_is_known_to() -> None:
    assert call() == convened()
    internal = call(of=committee())
    assert internal == convened(body="SOCIAL", visibility=Visibility.INTERNAL, organizations=())


def test_the_advisory_unit_convenes_bilaterals_and_no_committees() -> None:
    call(actor=ADVISER)
    with pytest.raises(Forbidden) as refused:
        call(actor=ADVISER, of=committee())
    assert refused.value.code == "not-a-bilateral"


@pytest.mark.parametrize(
    ("agenda", "code", "pointer"),
    [
        ([AgendaItem(number=1, title=" ")], "text-required", "/agenda/0/title"),
        ([AgendaItem(number=2, title="x")], "agenda-misnumbered", "/agenda/0"),
        ([AgendaItem(number=1, title="x", sponsor="NOBODY")], "unknown-organization", "/agenda/0/sponsor"),
        ([AgendaItem(number=1, title="x", minutes=0)], "duration-impossible", "/agenda/0/minutes"),
    ],
)
def test_an_agenda_has_items_that_can_be_dealt_with(agenda: Any, code: str, pointer: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        call(agenda=agenda)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_a_meeting_does_not_end_before_it_begins() -> None:
    for ends_at in (AUGUST_14, AUGUST_14 - timedelta(hours=1)):
        with pytest.raises(InvalidInput) as refused:
            call(ends_at=ends_at)
        assert refused.value.code == "ends-before-start"


# --- the agenda ----------------------------------------------------------------------------------------------------


def test_an_agenda_is_revised_until_it_is_agreed_with_somebody() -> None:
    given().when(revise).then(AgendaRevised(agenda=OTHER_AGENDA))
    given().when(lambda it: revise(it, agreed_with=("MINSAL",))).then(
        AgendaAgreed(agenda=OTHER_AGENDA, agreed_with=("MINSAL",))
    )
    given().when(lambda it: revise(it, AGENDA, agreed_with=("MINSAL",))).then(agreed())


def test_leaving_an_agreed_agenda_needs_a_reason_and_takes_the_meeting_back() -> None:
    given(convened(), agreed()).when(revise).refused("reason-required", InvalidInput, "/reason")
    left = AgendaRevised(agenda=OTHER_AGENDA, reason="Urgent")
    given(convened(), agreed()).when(lambda it: revise(it, reason="Urgent")).then(left)
    it = meeting(convened(), agreed(), left)
    assert (it.state, it.agenda, it.agreed_with) == (MeetingState.CONVENED, OTHER_AGENDA, ())


def test_an_agenda_that_is_the_same_is_no_revision() -> None:
    given().when(lambda it: revise(it, AGENDA)).refused("agenda-unchanged", RuleBroken)
    given(convened(), agreed()).when(
        lambda it: revise(it, AGENDA, agreed_with=("MINSAL",), reason="again")
    ).refused("agenda-unchanged", RuleBroken)


def test_nobody_agrees_to_an_empty_agenda_or_is_unknown() -> None:
    given().when(lambda it: revise(it, (), agreed_with=("MINSAL",))).refused(
        "agenda-empty", InvalidInput, "/agenda"
    )
    given().when(lambda it: revise(it, agreed_with=("NOBODY",))).refused(
        "unknown-organization", InvalidInput, "/agreed_with/0"
    )


# --- moving and calling off ----------------------------------------------------------------------------------------


def test_a_meeting_that_is_moved_remembers_when_and_where_it_was_to_be() -> None:
    before = Appointment(scheduled_at=AUGUST_14, place="La Moneda")
    moved = MeetingRescheduled(scheduled_at=AUGUST_21, place="La Moneda", previous=before, reason="A trip")
    given().when(move).then(moved)
    it = meeting(convened(), agreed(), moved)
    assert (it.scheduled_at, it.state) == (AUGUST_21, MeetingState.AGENDA_AGREED)


def test_moving_a_meeting_needs_a_reason_and_another_time_or_place() -> None:
    given().when(lambda it: move(it, reason=" ")).refused("reason-required", InvalidInput, "/reason")
    given().when(lambda it: move(it, scheduled_at=AUGUST_14)).refused("appointment-unchanged", RuleBroken)
    given().when(lambda it: move(it, ends_at=AUGUST_14)).refused(
        "ends-before-start", InvalidInput, "/ends_at"
    )


def test_a_meeting_is_called_off_for_a_reason() -> None:
    given().when(lambda it: cancel(it, "The minister is ill")).then(
        MeetingCancelled(reason="The minister is ill")
    )
    given().when(lambda it: cancel(it, "")).refused("reason-required", InvalidInput)


# --- holding -------------------------------------------------------------------------------------------------------


def test_a_meeting_is_held_by_those_who_came() -> None:
    given().when(hold).then(MeetingHeld(held_at=AUGUST_14, attendance=(MINISTER, DIRECTOR)))


def test_the_seats_nobody_took_follow_from_the_list() -> None:
    given().when(lambda it: hold(it, course(AUGUST_14, MINISTER))).then(
        MeetingHeld(
            held_at=AUGUST_14, attendance=(MINISTER,), mandatory_absences=(Seat(organization="DIPRES"),)
        )
    )


def test_a_meeting_is_not_held_tomorrow_nor_without_an_agenda() -> None:
    tomorrow = course(NOW + timedelta(days=1), MINISTER)
    given().when(lambda it: hold(it, tomorrow)).refused("instant-in-future", InvalidInput, "/held_at")
    backwards = course(AUGUST_14, MINISTER, ended_at=AUGUST_14)
    given().when(lambda it: hold(it, backwards)).refused("ends-before-start", InvalidInput, "/ended_at")
    given(convened(agenda=())).when(hold).refused("meeting-without-agenda", RuleBroken)


def test_an_attendance_list_is_corrected_for_a_reason_until_the_minutes_are_sealed() -> None:
    given(convened(), held()).when(hold).refused("meeting-already-held", RuleBroken)
    corrected = AttendanceCorrected(
        held_at=AUGUST_14,
        attendance=(MINISTER,),
        mandatory_absences=(Seat(organization="DIPRES"),),
        reason="The director had left",
    )
    sent = (*UP_TO_DRAFT, circulated(day=HELD_ON))
    given(*sent).when(lambda it: hold(it, course(AUGUST_14, MINISTER, reason="The director had left"))).then(
        corrected
    )
    it = meeting(*sent, corrected)
    assert it.held is not None
    assert it.held.event.mandatory_absences == (Seat(organization="DIPRES"),)
    given(*SEALED).when(lambda it: hold(it, course(AUGUST_14, MINISTER, reason="Late"))).refused(
        "minutes-approved", RuleBroken
    )
    again = given(convened(), held(), corrected).when(
        lambda it: hold(it, course(AUGUST_14, MINISTER, reason="To be sure"))
    )
    again.refused("attendance-unchanged", RuleBroken)


def test_an_agreement_is_taken_back_or_corrected_with_a_reason() -> None:
    settled = (convened(), agreed("MINSAL", "DIPRES"))

    def agree(it: Meeting, *with_whom: str) -> Any:
        return revise(it, AGENDA, with_whom, "DIPRES had not agreed")

    given(*settled).when(lambda it: agree(it, "MINSAL")).then(
        AgendaAgreed(agenda=AGENDA, agreed_with=("MINSAL",), reason="DIPRES had not agreed")
    )
    given(*settled).when(agree).then(AgendaRevised(agenda=AGENDA, reason="DIPRES had not agreed"))
    given(*settled).when(lambda it: agree(it, "DIPRES", "MINSAL")).refused("agenda-unchanged", RuleBroken)


def test_a_meeting_was_not_held_after_something_its_minutes_ask_for_was_due() -> None:
    asks = drafted(said(action_items=(task(due_on=HELD_ON + timedelta(days=2)),)))
    later = course(AUGUST_14 + timedelta(days=3), MINISTER, reason="It was Friday")
    given(convened(), held(), asks).when(lambda it: hold(it, later)).refused(
        "held-after-due-day", InvalidInput, "/held_at"
    )


def test_a_meeting_was_not_held_after_its_minutes_were_sent() -> None:
    sent = circulated(day=HELD_ON + timedelta(days=3))
    later = course(AUGUST_14 + timedelta(days=4), MINISTER, reason="It was Friday")
    given(*UP_TO_DRAFT, sent).when(lambda it: hold(it, later)).refused(
        "held-after-circulation", InvalidInput, "/held_at"
    )
    in_time = course(AUGUST_14 + timedelta(days=3), MINISTER, reason="It was Friday")
    hold(meeting(*UP_TO_DRAFT, sent), in_time)


def test_an_attendance_list_that_is_corrected_takes_circulated_minutes_back() -> None:
    """It is part of what is sealed, and nobody was sent it like this."""
    corrected = AttendanceCorrected(held_at=AUGUST_14, attendance=(MINISTER,), reason="The director had left")
    for history, after in (
        ((convened(), held()), MeetingState.HELD),
        (UP_TO_DRAFT, MeetingState.MINUTES_DRAFTED),
        (UP_TO_CIRCULATION, MeetingState.MINUTES_DRAFTED),
    ):
        assert meeting(*history, corrected).state is after
    given(*UP_TO_CIRCULATION, corrected).when(circulate).then(circulated(day=TODAY))


@pytest.mark.parametrize(
    ("line", "code", "pointer"),
    [
        ({"presence": Presence.ABSENT}, "nobody-attended", "/attendance"),
        ({"organization": "NOBODY"}, "unknown-organization", "/attendance/0/organization"),
        ({"position": " "}, "text-required", "/attendance/0/position"),
        ({"presence": Presence.REPRESENTED}, "representative-misplaced", "/attendance/0/represented_by"),
        ({"represented_by": "Deputy"}, "representative-misplaced", "/attendance/0/represented_by"),
        ({"agenda_items": (1,)}, "full-rights-for-issues", "/attendance/0/agenda_items"),
        (
            {"rights": Rights.INVITED, "agenda_items": (7,)},
            "unknown-agenda-item",
            "/attendance/0/agenda_items/0",
        ),
    ],
)
def test_each_line_of_an_attendance_list_makes_sense(line: Any, code: str, pointer: str) -> None:
    fields: dict[str, Any] = {
        "organization": "MINSAL",
        "position": "Minister",
        "presence": Presence.PRESENT,
    }
    alone = course(AUGUST_14, Attendee(**fields | line))
    given().when(lambda it: hold(it, alone)).refused(code, InvalidInput, pointer)


def test_nobody_is_on_the_attendance_list_twice() -> None:
    again = Attendee(organization="MINSAL", position=" minister ", presence=Presence.PRESENT)
    for twice in (course(AUGUST_14, MINISTER, MINISTER), course(AUGUST_14, MINISTER, again)):
        given().when(lambda it, twice=twice: hold(it, twice)).refused(  # type: ignore[misc]
            "named-twice", InvalidInput, "/attendance/1"
        )


def test_a_seat_is_missed_that_the_body_counted_on_when_the_meeting_was_held() -> None:
    later = body(protocol=Protocol(in_force_from=date(2012, 8, 15)))
    alone = course(AUGUST_14, MINISTER)
    missed = [meeting().hold(alone, by(), known(of)).mandatory_absences for of in (body(), later)]
    assert missed == [(Seat(organization="DIPRES"),), ()]


# --- publication ---------------------------------------------------------------------------------------------------


def test_a_meeting_is_published_for_a_reason_and_never_hidden_from_those_who_knew() -> None:
    given().when(lambda it: publish(it, Visibility.PUBLIC, "Asked for")).then(
        MeetingPublished(visibility=Visibility.PUBLIC, previous=Visibility.RESERVED, reason="Asked for")
    )
    given().when(lambda it: publish(it, Visibility.RESERVED, "x")).refused("visibility-unchanged", RuleBroken)
    internal = convened(visibility=Visibility.INTERNAL)
    given(internal).when(lambda it: publish(it, Visibility.RESERVED, "x")).refused(
        "narrower-than-convened", RuleBroken
    )
    opened = MeetingPublished(visibility=Visibility.PUBLIC, previous=Visibility.INTERNAL, reason="x")
    given(internal, opened).when(lambda it: publish(it, Visibility.INTERNAL, "y")).then(
        MeetingPublished(visibility=Visibility.INTERNAL, previous=Visibility.PUBLIC, reason="y")
    )


def test_a_meeting_entered_late_is_published_as_of_a_day_that_has_come() -> None:
    early, late = date(2012, 9, 1), date(2012, 10, 1)

    def opened(day: date | None) -> MeetingPublished:
        return MeetingPublished(visibility=Visibility.PUBLIC, reason="x", effective_on=day)

    def asked(day: date | None) -> Ask:
        return lambda it: it.publish(opened(day), by())[-1]

    past = msgspec.structs.replace(opened(late), previous=Visibility.RESERVED)
    given().when(asked(late)).then(past)
    given().when(asked(TODAY + timedelta(days=1))).refused("date-in-future", InvalidInput, "/effective_on")
    given(convened(), past).when(asked(date(2012, 11, 1))).refused("visibility-unchanged", RuleBroken)
    for day, previous in [(early, Visibility.RESERVED), (None, Visibility.PUBLIC)]:
        given(convened(), past).when(asked(day)).then(msgspec.structs.replace(opened(day), previous=previous))
    assert meeting(convened(), past).visibility is Visibility.PUBLIC


def test_minutes_may_be_drafted_again_after_they_were_circulated() -> None:
    it = meeting(*UP_TO_CIRCULATION, drafted(said(), draft=2))
    assert it.state is MeetingState.MINUTES_DRAFTED
