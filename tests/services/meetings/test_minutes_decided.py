"""What minutes may hold, who may say what of them, and what their approval brings into being."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from services.meetings.body.model import Body
from services.meetings.decision.model import Decision
from services.meetings.meeting.model import Meeting
from shared.aggregate.command import OnStream
from shared.errors import BitacoraError, Forbidden, InvalidInput, NotFound, RuleBroken
from shared.eventlog import codec
from shared.events.commitments import Evidence
from shared.events.facts import Event
from shared.events.meeting_vocabulary import DecisionKind, Financing, ItemOutcome, MeetingState
from shared.events.meetings import (
    AgreedCommitment,
    AgreedCompletion,
    AgreedDeadline,
    AgreedDiscard,
    AgreedMerger,
    AgreedPart,
    AgreedPublication,
    AgreedReassignment,
    AgreedReopening,
    AgreedSplit,
    AgreedTarget,
    AttendanceCorrected,
    BudgetImpact,
    DecisionAmended,
    DecisionsNumbered,
    DraftDecision,
    Effect,
    ErratumAdded,
    MinutesCirculated,
    MinutesDrafted,
    MinutesItem,
    ObservationAnswered,
    ObservationRaised,
    Protocol,
    Recipient,
    Referral,
    Seat,
)
from shared.events.vocabulary import DeadlineKind, DiscardReason, Visibility
from shared.identity.actor import Actor, Role
from tests.services.meetings.gatherings import (
    ADVISER,
    BRUNO,
    BUDGET,
    EDUCATION,
    HEALTH,
    HELD_ON,
    MINISTER,
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
    referral,
    said,
    task,
)
from tests.support.scenario import ANA, STREAM, told

COMMITMENT = Effect(
    commitment=AgreedCommitment(code="SAL-1", title="Ten hospitals", lead_organization="MINSAL")
)
DEADLINE = Effect(deadline=AgreedDeadline(deadline=DeadlineKind.PUBLIC, on=date(2013, 12, 31)))
TARGET = Effect(target=AgreedTarget(indicator="WAIT", value="28.5", on=date(2013, 12, 31)))
DISCARD = Effect(discard=AgreedDiscard(reason_type=DiscardReason.BUDGETARY, reason="No funds"))
REFERRAL = Effect(referral=Referral(to="President"))
MERGER = Effect(merger=AgreedMerger(into="SAL-9"))
PARTS = (AgreedPart(code="SAL-A", title="In the north"), AgreedPart(code="SAL-B", title="In the south"))
SPLIT = Effect(split=AgreedSplit(parts=PARTS))
REASSIGNMENT = Effect(reassignment=AgreedReassignment(lead_organization="MINSAL"))
REOPENING = Effect(reopening=AgreedReopening(reason="The law was struck down"))
COMPLETION = Effect(completion=AgreedCompletion(evidence=(Evidence(description="Law 20.595"),)))
PUBLICATION = Effect(publication=AgreedPublication(visibility=Visibility.PUBLIC))
IMPACT = BudgetImpact(amount="1200", currency="CLP", fiscal_year=2013, financing=Financing.INCREASE)


def draft(it: Meeting, *items: MinutesItem, of: Body | None = None) -> Event:
    return it.draft_minutes(MinutesDrafted(items=items), by(), known(of))


def observe(it: Meeting, actor: Actor, **more: Any) -> Event:
    return it.observe(ObservationRaised(**more), by(actor))


def answer(it: Meeting, accepted: bool, answer: str, number: int = 1) -> Event:
    proposed = ObservationAnswered(number=number, accepted=accepted, answer=answer)
    return it.answer_observation(proposed, by(), known())


def decision(kind: DecisionKind, **more: Any) -> DraftDecision:
    return DraftDecision(text="So decided", kind=kind, **more)


def gone(code: str, _day: date) -> tuple[str, ...]:
    return ("DIPRES",) if code == "MINSAL" else (code,)


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        (DecisionKind.AGREE_COMMITMENT, COMMITMENT),
        (DecisionKind.REASSIGN, REASSIGNMENT),
        (
            DecisionKind.SPLIT,
            Effect(
                split=AgreedSplit(
                    parts=(PARTS[0], msgspec.structs.replace(PARTS[1], lead_organization="MINSAL"))
                )
            ),
        ),
    ],
)
def test_nothing_is_agreed_for_an_organisation_that_was_no_more_on_that_day(
    kind: DecisionKind, effect: Effect
) -> None:
    items = (said(decision(kind, effect=effect, commitments=() if effect is COMMITMENT else ("SAL-1",))),)
    there = known(body(decides=True))
    given(convened(), held()).when(
        lambda it: it.draft_minutes(MinutesDrafted(items=items), by(), there._replace(heirs_on=gone))
    ).refused("organization-dissolved", RuleBroken)
    given(convened(), held()).when(
        lambda it: it.draft_minutes(MinutesDrafted(items=items), by(), there)
    ).then(MinutesDrafted(draft=1, items=items))


@pytest.mark.parametrize(
    ("agreed", "code", "error"),
    [
        ((DeadlineKind.INTERNAL, date(2013, 6, 1)), "internal-on-misplaced", InvalidInput),
        ((DeadlineKind.PUBLIC, date(2013, 5, 30)), "internal-after-public", RuleBroken),
    ],
)
def test_an_internal_deadline_goes_with_the_public_one_and_never_beyond_it(
    agreed: tuple[DeadlineKind, date], code: str, error: type[BitacoraError]
) -> None:
    effect = Effect(deadline=AgreedDeadline(deadline=agreed[0], on=agreed[1], internal_on=date(2013, 5, 31)))
    items = said(decision(DecisionKind.REVISE_DEADLINE, effect=effect, commitments=("SAL-1",)))
    given(convened(), held()).when(lambda it: draft(it, items, of=body(decides=True))).refused(code, error)


# --- drafting ------------------------------------------------------------------------------------------------------


def test_minutes_are_drafted_item_by_item_and_drafted_again_under_the_next_number() -> None:
    given(convened(), held()).when(lambda it: draft(it, said())).then(
        MinutesDrafted(draft=1, items=(said(),))
    )
    given(*UP_TO_CIRCULATION).when(lambda it: draft(it, said(item=2))).then(
        MinutesDrafted(draft=2, items=(said(item=2),))
    )
    given(*UP_TO_CIRCULATION).when(lambda it: draft(it, said(referral()))).refused(
        "draft-unchanged", RuleBroken
    )


def test_minutes_may_tell_of_what_was_not_on_the_agenda_under_a_title() -> None:
    other = MinutesItem(title="Any other business", outcome=ItemOutcome.NOTED)
    given(convened(), held()).when(lambda it: draft(it, said(), other)).then(
        MinutesDrafted(draft=1, items=(said(), other))
    )


@pytest.mark.parametrize(
    ("items", "code", "pointer"),
    [
        ([], "minutes-empty", "/items"),
        ([said(item=None)], "text-required", "/items/0/title"),
        ([said(item=9)], "unknown-agenda-item", "/items/0/agenda_item"),
        ([said(), said()], "agenda-item-twice", "/items/1/agenda_item"),
        ([MinutesItem(agenda_item=1, summary=" ")], "item-says-nothing", "/items/0/summary"),
        ([said(referral(text=" "))], "text-required", "/items/0/decisions/0/text"),
        (
            [said(referral(organizations=("NOBODY",)))],
            "unknown-organization",
            "/items/0/decisions/0/organizations/0",
        ),
        (
            [said(referral(organizations=("MINEDUC",)))],
            "organization-outside-circle",
            "/items/0/decisions/0/organizations/0",
        ),
        ([said(referral(commitments=("A", "A")))], "named-twice", "/items/0/decisions/0/commitments"),
        ([said(action_items=(task(text=""),))], "text-required", "/items/0/action_items/0/text"),
        (
            [said(action_items=(task(owner_organization="NOBODY"),))],
            "unknown-organization",
            "/items/0/action_items/0/owner_organization",
        ),
        (
            [said(action_items=(task(due_on=date(2012, 8, 13)),))],
            "due-before-meeting",
            "/items/0/action_items/0/due_on",
        ),
        (
            [said(referral(), action_items=(task(decision=2),))],
            "unknown-decision-of-item",
            "/items/0/action_items/0/decision",
        ),
    ],
)
def test_minutes_that_make_no_sense_are_refused_where_they_do_not(
    items: list[MinutesItem], code: str, pointer: str
) -> None:
    given(convened(), held()).when(lambda it: draft(it, *items)).refused(code, InvalidInput, pointer)


@pytest.mark.parametrize("kind", [kind for kind in DecisionKind if kind is not DecisionKind.REFER])
def test_a_body_that_does_not_decide_can_only_refer(kind: DecisionKind) -> None:
    given(convened(), held()).when(lambda it: draft(it, said(decision(kind)), of=committee())).refused(
        "body-only-refers", RuleBroken
    )
    given(convened(), held()).when(lambda it: draft(it, said(referral()), of=committee())).then(drafted())


@pytest.mark.parametrize(
    "good",
    [
        decision(DecisionKind.AGREE_COMMITMENT, effect=COMMITMENT),
        decision(DecisionKind.REVISE_DEADLINE, effect=DEADLINE, commitments=("SAL-1",)),
        decision(DecisionKind.REVISE_TARGET, effect=TARGET),
        decision(DecisionKind.DISCARD, effect=DISCARD, commitments=("SAL-1",), budget_impact=IMPACT),
        decision(DecisionKind.MERGE, effect=MERGER, commitments=("SAL-1",)),
        decision(DecisionKind.SPLIT, effect=SPLIT, commitments=("SAL-1",)),
        decision(DecisionKind.REASSIGN, effect=REASSIGNMENT, commitments=("SAL-1",)),
        decision(DecisionKind.REOPEN, effect=REOPENING, commitments=("SAL-1",)),
        decision(DecisionKind.COMPLETE, effect=COMPLETION, commitments=("SAL-1",)),
        decision(DecisionKind.PUBLISH, effect=PUBLICATION, commitments=("SAL-1", "SAL-2")),
        decision(DecisionKind.BUDGET, budget_impact=IMPACT),
        decision(DecisionKind.ESCALATE, commitments=("SAL-1",)),
        decision(DecisionKind.ESCALATE, effect=REFERRAL, commitments=("SAL-1",)),
        decision(DecisionKind.REFER, effect=REFERRAL),
        decision(DecisionKind.OTHER),
    ],
)
def test_each_kind_of_decision_says_what_it_does(good: DraftDecision) -> None:
    given(convened(), held()).when(lambda it: draft(it, said(good))).then(drafted(said(good)))


@pytest.mark.parametrize(
    ("bad", "code", "pointer"),
    [
        (decision(DecisionKind.AGREE_COMMITMENT), "effect-required", "effect/commitment"),
        (
            decision(DecisionKind.REVISE_DEADLINE, commitments=("A",)),
            "effect-required",
            "effect/deadline",
        ),
        (
            decision(DecisionKind.REVISE_DEADLINE, effect=DEADLINE),
            "decision-without-commitment",
            "commitments",
        ),
        (decision(DecisionKind.DISCARD, effect=DISCARD), "decision-without-commitment", "commitments"),
        (decision(DecisionKind.ESCALATE), "decision-without-commitment", "commitments"),
        (decision(DecisionKind.REVISE_TARGET), "effect-required", "effect/target"),
        (decision(DecisionKind.REVISE_TARGET, effect=DEADLINE), "effect-of-another-kind", "effect"),
        *(
            (
                decision(
                    DecisionKind.REVISE_TARGET,
                    effect=Effect(target=AgreedTarget(indicator="WAIT", value=value, on=date(2013, 12, 31))),
                ),
                "target-value-malformed",
                "effect/target/value",
            )
            for value in ("2,5", "Infinity", "1e3", "1000000000000001", "0." + 21 * "1")
        ),
        (decision(DecisionKind.OTHER, effect=REFERRAL), "effect-of-another-kind", "effect"),
        *(
            (decision(kind, effect=effect), "decision-without-commitment", "commitments")
            for kind, effect in (
                (DecisionKind.MERGE, MERGER),
                (DecisionKind.SPLIT, SPLIT),
                (DecisionKind.REASSIGN, REASSIGNMENT),
                (DecisionKind.REOPEN, REOPENING),
                (DecisionKind.COMPLETE, COMPLETION),
                (DecisionKind.PUBLISH, PUBLICATION),
            )
        ),
        (
            decision(DecisionKind.MERGE, effect=MERGER, commitments=("SAL-9",)),
            "merged-into-itself",
            "effect/merger/into",
        ),
        (
            decision(DecisionKind.SPLIT, effect=SPLIT, commitments=("SAL-1", "SAL-2")),
            "split-of-one",
            "commitments",
        ),
        (
            decision(
                DecisionKind.SPLIT,
                effect=Effect(split=AgreedSplit(parts=PARTS[:1])),
                commitments=("SAL-1",),
            ),
            "split-too-few",
            "effect/split/parts",
        ),
        (
            decision(
                DecisionKind.REASSIGN,
                effect=Effect(reassignment=AgreedReassignment(lead_organization="NOBODY")),
                commitments=("SAL-1",),
            ),
            "unknown-organization",
            "effect/reassignment/lead_organization",
        ),
        (
            decision(
                DecisionKind.REOPEN,
                effect=Effect(reopening=AgreedReopening(reason=" ")),
                commitments=("SAL-1",),
            ),
            "reason-required",
            "effect/reopening/reason",
        ),
        (
            decision(
                DecisionKind.COMPLETE,
                effect=Effect(completion=AgreedCompletion(evidence=())),
                commitments=("SAL-1",),
            ),
            "evidence-required",
            "effect/completion/evidence",
        ),
        (
            decision(
                DecisionKind.COMPLETE,
                effect=Effect(
                    completion=AgreedCompletion(
                        evidence=(
                            Evidence(description="It"),
                            Evidence(description="It", dated_on=date(2031, 1, 1)),
                        )
                    )
                ),
                commitments=("SAL-1",),
            ),
            "date-in-future",
            "effect/completion/evidence/1/dated_on",
        ),
        (
            decision(
                DecisionKind.COMPLETE,
                effect=Effect(
                    completion=AgreedCompletion(
                        evidence=(Evidence(description="It"),), completed_on=date(2031, 1, 1)
                    )
                ),
                commitments=("SAL-1",),
            ),
            "completed-after-meeting",
            "effect/completion/completed_on",
        ),
        (decision(DecisionKind.BUDGET), "budget-impact-required", "budget_impact"),
        (
            decision(DecisionKind.BUDGET, budget_impact=msgspec.structs.replace(IMPACT, amount="1e9")),
            "amount-malformed",
            "budget_impact/amount",
        ),
        *(
            (
                decision(DecisionKind.BUDGET, budget_impact=msgspec.structs.replace(IMPACT, amount=amount)),
                "amount-not-positive",
                "budget_impact/amount",
            )
            for amount in ("-3", "0", "0.00")
        ),
        (
            decision(DecisionKind.BUDGET, budget_impact=msgspec.structs.replace(IMPACT, currency="peso")),
            "currency-malformed",
            "budget_impact/currency",
        ),
        (
            decision(DecisionKind.BUDGET, budget_impact=msgspec.structs.replace(IMPACT, fiscal_year=13)),
            "fiscal-year-impossible",
            "budget_impact/fiscal_year",
        ),
        (
            decision(
                DecisionKind.BUDGET, budget_impact=msgspec.structs.replace(IMPACT, reallocated_from=("1",))
            ),
            "not-a-reallocation",
            "budget_impact/reallocated_from",
        ),
    ],
)
def test_a_decision_without_what_its_kind_asks_for_is_refused(
    bad: DraftDecision, code: str, pointer: str
) -> None:
    given(convened(), held()).when(lambda it: draft(it, said(bad))).refused(
        code, InvalidInput, f"/items/0/decisions/0/{pointer}"
    )


# --- circulating and observing -------------------------------------------------------------------------------------


def test_minutes_are_sent_to_named_recipients() -> None:
    to = (Recipient(organization="DIPRES", position="Coordinator"), Recipient(organization="MINSAL"))
    given(convened(), held(), drafted()).when(lambda it: circulate(it, to)).then(
        MinutesCirculated(draft=1, recipients=to, effective_on=TODAY)
    )
    for recipients, code in (([], "recipients-missing"), ([to[0], to[0]], "named-twice")):
        given(convened(), held(), drafted()).when(
            lambda it, recipients=recipients: circulate(it, recipients)  # type: ignore[misc]
        ).refused(code, InvalidInput)


def test_minutes_are_sent_on_any_day_from_that_of_the_meeting_to_today() -> None:
    for day in (HELD_ON, TODAY):
        given(*UP_TO_DRAFT).when(lambda it, day=day: circulate(it, day=day)).then(circulated(day=day))  # type: ignore[misc]
    for day, code in ((date(2012, 8, 13), "date-before-meeting"), (date(2012, 11, 22), "date-in-future")):
        given(*UP_TO_DRAFT).when(lambda it, day=day: circulate(it, day=day)).refused(  # type: ignore[misc]
            code, InvalidInput, "/effective_on"
        )


def test_the_day_of_a_meeting_is_the_civil_day_on_which_it_was_held() -> None:
    """Late in the evening in Santiago it is the next day in UTC."""
    late = held(held_at=datetime(2012, 8, 15, 1, tzinfo=UTC))
    given(convened(), late, drafted()).when(lambda it: circulate(it, day=HELD_ON)).then(
        circulated(day=HELD_ON)
    )


def test_who_was_sent_a_draft_may_be_said_to_have_been_sent_it_earlier_but_not_again() -> None:
    september = circulated(day=date(2012, 9, 3))
    for day in (date(2012, 9, 3), TODAY):
        given(*UP_TO_DRAFT, september).when(lambda it, day=day: circulate(it, day=day)).refused(  # type: ignore[misc]
            "already-circulated", RuleBroken
        )
    given(*UP_TO_DRAFT, september).when(lambda it: circulate(it, day=date(2012, 8, 20))).then(
        circulated(day=date(2012, 8, 20))
    )


@pytest.mark.parametrize("actor", [BUDGET, ANA])
def test_a_recipient_and_the_unit_may_observe_upon_a_draft(actor: Actor) -> None:
    given(*UP_TO_CIRCULATION).when(
        lambda it: observe(it, actor, text="The figure is in thousands", agenda_item=1)
    ).then(ObservationRaised(number=1, draft=1, text="The figure is in thousands", agenda_item=1))


@pytest.mark.parametrize("actor", [HEALTH, EDUCATION, ADVISER])
def test_whoever_was_not_sent_the_minutes_has_no_say_in_them(actor: Actor) -> None:
    given(*UP_TO_CIRCULATION).when(lambda it: observe(it, actor, text="No")).refused(
        "not-a-recipient", Forbidden
    )


def test_an_observation_says_something_of_an_item_that_is_there() -> None:
    given(*UP_TO_CIRCULATION).when(lambda it: observe(it, ANA, text=" ")).refused(
        "text-required", InvalidInput, "/text"
    )
    given(*UP_TO_CIRCULATION).when(lambda it: observe(it, ANA, text="x", agenda_item=2)).refused(
        "unknown-agenda-item", InvalidInput, "/agenda_item"
    )


OBSERVED = (BUDGET, ObservationRaised(number=1, draft=1, text="Thousands"))


def answered(accepted: bool) -> ObservationAnswered:
    return ObservationAnswered(number=1, accepted=accepted, answer="Right" if accepted else "No")


def test_an_observation_is_answered_once() -> None:
    given(*UP_TO_CIRCULATION, OBSERVED).when(lambda it: answer(it, True, "Right")).then(answered(True))
    given(*UP_TO_CIRCULATION, OBSERVED, answered(True)).when(lambda it: answer(it, False, "No")).refused(
        "observation-already-answered", RuleBroken
    )
    for number in (0, 2):
        given(*UP_TO_CIRCULATION, OBSERVED).when(
            lambda it, number=number: answer(it, True, "x", number)  # type: ignore[misc]
        ).refused("observation-not-found", NotFound)


# --- approving -----------------------------------------------------------------------------------------------------


def test_where_four_eyes_are_asked_for_nobody_approves_what_they_wrote_or_the_attendance_they_told() -> None:
    strict = body(protocol=Protocol(four_eyes=True))
    given(*UP_TO_CIRCULATION).when(lambda it: approve(it, ANA, of=strict)).refused(
        "approver-is-author", RuleBroken
    )
    corrected = AttendanceCorrected(held_at=held().held_at, attendance=(MINISTER,), reason="He left")
    by_bruno = (*UP_TO_CIRCULATION, (BRUNO, corrected), circulated())
    given(*by_bruno).when(lambda it: approve(it, BRUNO, of=strict)).refused("approver-is-author", RuleBroken)
    asked_by_ana = Actor("key:k", "DCI", Role.DCI, "carla", ("ana",))
    given(*UP_TO_CIRCULATION).when(lambda it: approve(it, asked_by_ana, of=strict)).refused(
        "approver-is-author", RuleBroken
    )
    asked_by_bruno = Actor("key:k", "DCI", Role.DCI, "ana", ("bruno",))
    told_by_key = (*UP_TO_CIRCULATION, (asked_by_bruno, corrected), circulated())
    given(*told_by_key).when(lambda it: approve(it, BRUNO, of=strict)).refused(
        "approver-is-author", RuleBroken
    )
    approve(meeting(*by_bruno), HEALTH, of=strict)
    system = Actor(subject="ana", organization="DCI", role=Role.SYSTEM)
    approve(meeting(*UP_TO_CIRCULATION), system, of=strict)
    approve(meeting(*UP_TO_CIRCULATION), ANA)


def test_the_protocol_of_the_day_of_the_act_says_whether_four_eyes_are_asked_for() -> None:
    later = body(protocol=Protocol(four_eyes=True, in_force_from=date(2013, 1, 1)))
    approve(meeting(*UP_TO_CIRCULATION), ANA, of=later)


SEGPRES = Seat(organization="SEGPRES")
HEADS = Seat(organization="DCI", position="Division head", condition="of the divisions concerned")


def test_an_approval_says_who_was_to_be_sent_the_minutes_and_was_not() -> None:
    it = meeting(*UP_TO_CIRCULATION)
    asked = Protocol(recipients=(Seat(organization="DIPRES"), SEGPRES, HEADS))
    assert approve(it, of=body(protocol=asked)).approved.recipients_missing == (SEGPRES, HEADS)
    # Asked for from a day after the meeting, it was not asked of that one.
    later = Protocol(recipients=(SEGPRES,), recipients_required=True, in_force_from=date(2012, 8, 15))
    assert approve(it, of=body(protocol=later)).approved.recipients_missing == ()


def test_where_the_protocol_demands_it_minutes_are_approved_when_all_recipients_were_sent_them() -> None:
    strict = body(
        protocol=Protocol(recipients=(Seat(organization="DIPRES"), SEGPRES, HEADS), recipients_required=True)
    )
    given(*UP_TO_CIRCULATION).when(lambda it: approve(it, of=strict)).refused(
        "recipients-not-sent", RuleBroken
    )
    to_segpres = circulated(recipients=(Recipient(organization="SEGPRES"),))
    # Whoever is concerned is for people to say.
    sent = meeting(*UP_TO_CIRCULATION, to_segpres)
    assert approve(sent, of=strict).approved.recipients_missing == (HEADS,)
    # What was sent is not the text that is sealed: another draft, or another attendance.
    corrected = AttendanceCorrected(held_at=held().held_at, attendance=(MINISTER,), reason="He left")
    for change, again in (
        (drafted(said(), draft=2), circulated(2)),
        (corrected, circulated()),
    ):
        given(*UP_TO_CIRCULATION, to_segpres, change, again).when(lambda it: approve(it, of=strict)).refused(
            "recipients-not-sent", RuleBroken
        )


def test_observations_are_answered_before_and_what_was_accepted_is_in_the_text() -> None:
    given(*UP_TO_CIRCULATION, OBSERVED).when(approve).refused("observation-open", RuleBroken)
    given(*UP_TO_CIRCULATION, OBSERVED, answered(True)).when(approve).refused(
        "accepted-observation-pending", RuleBroken
    )
    approve(meeting(*UP_TO_CIRCULATION, OBSERVED, answered(False)))
    rewritten = (drafted(said(), draft=2), circulated(2))
    approve(meeting(*UP_TO_CIRCULATION, OBSERVED, answered(True), *rewritten))


def test_a_body_that_lost_the_right_to_decide_does_not_decide_by_an_old_draft() -> None:
    minutes = drafted(said(decision(DecisionKind.OTHER)))
    given(convened(), held(), minutes, circulated()).when(
        lambda it: approve(it, of=body(decides=False))
    ).refused("body-only-refers", RuleBroken)


def test_an_approval_numbers_decisions_and_assigns_action_items() -> None:
    items = (
        said(referral("First"), decision(DecisionKind.OTHER), action_items=(task(decision=2),)),
        said(referral("Third"), item=2, action_items=(task(text="Other", commitment="SAL-1"),)),
    )
    it = meeting(convened(), held(), drafted(*items), circulated())
    earlier = DecisionsNumbered(meeting=STREAM, year=2012, first=1, last=13)
    approval = approve(it, of=body(earlier))
    assert approval.numbered == DecisionsNumbered(meeting=it.id, year=2012, first=14, last=16)
    assert [one.number for one in approval.decisions] == [
        "BIL-MINSAL-2012-014",
        "BIL-MINSAL-2012-015",
        "BIL-MINSAL-2012-016",
    ]
    assert approval.approved.decisions == tuple(one.number for one in approval.decisions)
    second = approval.decisions[1]
    assert (second.agenda_item, second.position_in_item, second.agreed_on) == (1, 2, HELD_ON)
    assert (second.visibility, second.organizations) == (Visibility.RESERVED, ("MINSAL",))
    assert second.circle == ("MINSAL", "DIPRES")
    (first_id, first), (second_id, other) = approval.action_items
    assert (first.number, first.decision, first.assigned_on) == (1, "BIL-MINSAL-2012-015", HELD_ON)
    assert (other.number, other.decision, other.commitment) == (2, None, "SAL-1")
    assert approval.approved.action_items == (first_id, second_id)
    assert first_id != second_id
    assert [one for one, _ in approve(it).action_items] == [first_id, second_id]


def test_a_meeting_late_on_new_years_eve_is_numbered_in_the_year_of_its_civil_day() -> None:
    """Half past two in the morning of January 1, in UTC, is still December 31 in Santiago."""
    late = held(held_at=datetime(2012, 1, 1, 2, 30, tzinfo=UTC))
    approval = approve(meeting(convened(), late, drafted(), circulated()))
    assert approval.decisions[0].number == "BIL-MINSAL-2011-001"


def test_minutes_without_decisions_take_no_number() -> None:
    approval = approve(meeting(convened(), held(), drafted(said()), circulated()))
    assert (approval.numbered, approval.decisions) == (None, ())


def test_an_observation_on_who_came_is_met_by_correcting_the_attendance() -> None:
    raised = ObservationRaised(number=1, draft=1, text="I was there")
    answered = ObservationAnswered(number=1, accepted=True, answer="So you were")
    corrected = AttendanceCorrected(held_at=held().held_at, attendance=(MINISTER,), reason="Forgotten")
    before = (*UP_TO_CIRCULATION, (BUDGET, raised), answered)
    given(*before).when(approve).refused("accepted-observation-pending", RuleBroken)
    approve(meeting(*before, corrected, circulated()))


def test_whoever_told_of_the_attendance_first_is_not_forgotten_when_another_corrects_it() -> None:
    strict = body(protocol=Protocol(four_eyes=True))
    corrected = AttendanceCorrected(held_at=held().held_at, attendance=(MINISTER,), reason="He left")
    history = (convened(), (BRUNO, held()), drafted(), corrected, circulated())
    given(*history).when(lambda it: approve(it, BRUNO, of=strict)).refused("approver-is-author", RuleBroken)


def test_the_seal_can_be_computed_again_from_the_feed() -> None:
    """What its events hold, names sorted, no spaces, UTF-8."""
    minutes = drafted(said(decision(DecisionKind.REVISE_TARGET, effect=TARGET, organizations=())))
    corrected = AttendanceCorrected(held_at=held().held_at, attendance=(MINISTER,), reason="Él se fue")
    settled = agreed()
    it = meeting(convened(), settled, held(), minutes, corrected, circulated())
    from_the_feed = {
        "agenda": json.loads(codec.encode_data(settled))["agenda"],
        "held": json.loads(codec.encode_data(corrected)),
        "meeting": str(it.id),
        "minutes": json.loads(codec.encode_data(minutes)),
    }
    canonical = json.dumps(from_the_feed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    approval = approve(it).approved
    assert approval.digest == hashlib.sha256(canonical.encode()).hexdigest()
    assert approval.covers == tuple(from_the_feed)


# --- errata --------------------------------------------------------------------------------------------------------


def erratum(it: Meeting, decision: Decision | None = None, **more: Any) -> Any:
    fields: dict[str, Any] = {"reads": "list", "should_read": "lists", "reason": "A typo"}
    if decision is not None:
        fields["decision"] = decision.number
    return it.add_erratum(ErratumAdded(**fields | more), decision)


def test_an_erratum_stands_beside_the_sealed_text() -> None:
    it = meeting(*SEALED)
    (added,) = erratum(it)
    assert added == ErratumAdded(number=1, reads="list", should_read="lists", reason="A typo")
    after = meeting(*SEALED, added)
    assert after.state is MeetingState.APPROVED
    assert after.latest_draft == it.latest_draft
    (back,) = erratum(after, reads="lists", should_read="list", reason="It was right")
    (again,) = erratum(meeting(*SEALED, added, back), reason="It was not")
    assert again.number == 3
    given(*SEALED, added).when(lambda it: erratum(it, reason="Here, too", agenda_item=1)).refused(
        "erratum-already-added", RuleBroken
    )
    (second,) = erratum(after, reads="lists", should_read="the lists")
    assert second.number == 2
    given(*SEALED, added).when(lambda it: erratum(it, reason="Again")).refused(
        "erratum-already-added", RuleBroken
    )


def test_an_erratum_that_concerns_a_decision_is_noted_there_too() -> None:
    it = meeting(*SEALED)
    approval = approve(meeting(*UP_TO_CIRCULATION))
    concerned = told(Decision.begin, [approval.decisions[0]])
    amended, added = erratum(it, concerned, reads="committee", should_read="President")
    assert added.decision == "BIL-MINSAL-2012-001"
    assert amended == OnStream(
        concerned.id,
        2,
        DecisionAmended(erratum=1, reads="committee", should_read="President", reason="A typo"),
    )


@pytest.mark.parametrize(
    ("asked", "code", "pointer"),
    [
        ({"reads": "nowhere"}, "erratum-misquotes", "/reads"),
        ({"should_read": "list"}, "erratum-changes-nothing", "/should_read"),
        ({"reason": ""}, "reason-required", "/reason"),
        ({"agenda_item": 2}, "unknown-agenda-item", "/agenda_item"),
        ({"should_read": " "}, "text-required", "/should_read"),
    ],
)
def test_an_erratum_quotes_what_is_there_and_says_what_it_should_be(
    asked: Any, code: str, pointer: str
) -> None:
    given(*SEALED).when(lambda it: erratum(it, **asked)).refused(code, InvalidInput, pointer)
