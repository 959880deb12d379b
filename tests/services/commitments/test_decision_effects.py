"""What a decision does to the record, kind by kind, and each way in which it cannot."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from services.commitments.commitment.model import Commitment, Joined, Known, Successor
from services.commitments.indicator.model import Indicator
from services.commitments.outcome.model import Caused, Found, NotDone, effects_of
from shared.aggregate.command import OnStream
from shared.events.commitments import (
    Completed,
    DeadlineRevised,
    Discarded,
    Done,
    Escalated,
    InternalDeadline,
    LeadReassigned,
    Merged,
    Origin,
    PublicDeadline,
    Registered,
    Reopened,
    Split,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.indicators import Baseline, IndicatorDefined, TargetSet
from shared.events.meeting_vocabulary import BodyKind, DecisionKind
from shared.events.meetings import AgreedCompletion, AgreedTarget, DecisionAgreed, Effect
from shared.events.streams import stream_of
from shared.events.vocabulary import (
    DeadlineKind,
    Direction,
    DiscardReason,
    OriginKind,
    RelativeTo,
    Visibility,
)
from tests.services.commitments.decisions import (
    AGREED_ON,
    LAW,
    agreeing,
    aiming,
    completing,
    decision,
    giving_up,
    handing_to,
    merging,
    publishing,
    reopening,
    splitting,
    taking_to,
    until,
)
from tests.services.commitments.promises import (
    KNOWN,
    TODAY,
    completed,
    discarded,
    given,
    registered,
    reopened,
)
from tests.support.scenario import Told, on, told

NUMBER = "BIL-INT-2012-003"
REASON = "Decided on 2012-11-07."


def commitment(*history: Told) -> Commitment:
    it = given(*history).thing
    it.id = stream_of("commitment", it.code)
    return it


def indicator(*history: Event, **more: Any) -> Indicator:
    fields: dict[str, Any] = {
        "code": "VICTIMISATION",
        "name": "Households that were victims of crime",
        "unit": "%",
        "direction": Direction.DECREASE,
        "effective_on": date(2010, 5, 21),
        "baseline": Baseline(value=Decimal("33.6"), on=date(2009, 12, 31)),
    }
    return told(Indicator.begin, (IndicatorDefined(**fields | more), *history))


def target(value: str, **more: Any) -> TargetSet:
    fields: dict[str, Any] = {"number": 1, "on": date(2013, 12, 31), "effective_on": date(2010, 5, 21)}
    return TargetSet(value=Decimal(value), **fields | more)


def record(*commitments: Commitment, indicator: Indicator | None = None, known: Known = KNOWN) -> Found:
    return Found({one.code: one for one in commitments}, indicator, known)


def effects(
    agreed: DecisionAgreed, found: Found | None = None, body: BodyKind | None = BodyKind.BILATERAL
) -> list[Caused]:
    return effects_of(agreed, found or record(), on(TODAY), body=body)


def caused(stream_id: UUID, version: int, event: Event, done: Done) -> Caused:
    """The event as the next version of a stream, and how the outcome tells of it."""
    return Caused(OnStream(stream_id, version, event), done)


def effect_of(
    agreed: DecisionAgreed, found: Found | None = None, body: BodyKind | None = BodyKind.BILATERAL
) -> Caused:
    (only,) = effects(agreed, found, body)
    return only


def event_of(
    agreed: DecisionAgreed, found: Found | None = None, body: BodyKind | None = BodyKind.BILATERAL
) -> Event:
    return effect_of(agreed, found, body).on_stream.event


def refused(agreed: DecisionAgreed, found: Found | None = None) -> tuple[str, str | None]:
    """The code of the rule that stood against it, and what it stood with."""
    with pytest.raises(NotDone) as why:
        effects(agreed, found)
    assert why.value.reason.endswith(".")
    return why.value.code, why.value.commitment or why.value.indicator


# --- a new commitment ----------------------------------------------------------------------------------------------


def test_a_commitment_agreed_in_a_bilateral_is_registered_reserved_with_the_decision_as_its_origin() -> None:
    effect = agreeing(
        public_deadline_on=date(2014, 3, 10),
        internal_deadline_on=date(2013, 12, 31),
        pillar="SECURITY",
        collaborating_organizations=("JUSTICE",),
        goal="Twenty",
    )
    assert effect_of(decision(DecisionKind.AGREE_COMMITMENT, effect=effect)) == caused(
        stream_of("commitment", "SEG-77"),
        1,
        Registered(
            code="SEG-77",
            title="Twenty more police stations",
            lead_organization="INTERIOR",
            effective_on=AGREED_ON,
            visibility=Visibility.RESERVED,
            pillar="SECURITY",
            origin=Origin(kind=OriginKind.BILATERAL_MEETING, source_on=AGREED_ON, decision=NUMBER),
            public_deadline=PublicDeadline(on=date(2014, 3, 10)),
            internal_deadline=InternalDeadline(on=date(2013, 12, 31)),
            collaborating_organizations=("JUSTICE",),
            goal="Twenty",
        ),
        Done(type="commitments.registered", version=1, commitment="SEG-77"),
    )


@pytest.mark.parametrize(
    ("body", "visibility", "origin", "narrowed"),
    [
        (BodyKind.COMMITTEE, Visibility.INTERNAL, OriginKind.COMMITTEE, Visibility.INTERNAL),
        (BodyKind.COMMITTEE, Visibility.PUBLIC, OriginKind.COMMITTEE, Visibility.INTERNAL),
        (BodyKind.COMMITTEE, Visibility.RESERVED, OriginKind.COMMITTEE, Visibility.RESERVED),
        (BodyKind.BILATERAL, Visibility.PUBLIC, OriginKind.BILATERAL_MEETING, Visibility.RESERVED),
        (BodyKind.REGIONAL_BILATERAL, Visibility.INTERNAL, OriginKind.BILATERAL_MEETING, Visibility.RESERVED),
        (BodyKind.STOCKTAKE, Visibility.PUBLIC, OriginKind.OTHER, Visibility.INTERNAL),
        (None, Visibility.INTERNAL, OriginKind.OTHER, Visibility.INTERNAL),
    ],
)
def test_a_new_commitment_is_never_public_and_reserved_where_the_decision_or_a_bilateral_is(
    body: BodyKind | None, visibility: Visibility, origin: OriginKind, narrowed: Visibility
) -> None:
    agreed = decision(DecisionKind.AGREE_COMMITMENT, effect=agreeing(), visibility=visibility)
    event = event_of(agreed, body=body)
    assert isinstance(event, Registered)
    assert event.origin is not None
    assert (event.origin.kind, event.visibility) == (origin, narrowed)


@pytest.mark.parametrize(
    ("effect", "code"),
    [
        (agreeing(lead_organization="NOBODY"), "unknown-organization"),
        (agreeing(collaborating_organizations=("NOBODY",)), "unknown-organization"),
        (agreeing(pillar="NONE"), "unknown-pillar"),
        (agreeing(parent="NONE"), "parent-unknown"),
        (agreeing(title=" "), "text-required"),
        (
            agreeing(public_deadline_on=date(2013, 1, 1), internal_deadline_on=date(2013, 1, 2)),
            "internal-after-public",
        ),
    ],
)
def test_a_new_commitment_is_held_to_the_rules_of_every_registration(effect: Effect, code: str) -> None:
    assert refused(decision(DecisionKind.AGREE_COMMITMENT, effect=effect)) == (code, "SEG-77")


def test_a_code_is_given_once_and_must_be_one() -> None:
    agreed = decision(DecisionKind.AGREE_COMMITMENT, effect=agreeing("SEG-14"))
    assert refused(agreed, record(commitment())) == ("code-taken", "SEG-14")
    malformed = decision(DecisionKind.AGREE_COMMITMENT, effect=agreeing("no code"))
    assert refused(malformed) == ("code-malformed", "no code")


# --- commitments on record -----------------------------------------------------------------------------------------


def test_a_deadline_is_revised_on_every_commitment_named_as_of_the_day_it_was_agreed() -> None:
    one, other = commitment(), commitment(registered(code="SEG-15"), discarded(), reopened())
    agreed = decision(
        DecisionKind.REVISE_DEADLINE, commitments=("SEG-14", "SEG-15"), effect=until(date(2014, 3, 10))
    )
    revised = DeadlineRevised(
        deadline=DeadlineKind.PUBLIC,
        on=date(2014, 3, 10),
        previous=date(2013, 12, 31),
        effective_on=AGREED_ON,
        reason=REASON,
        decision=NUMBER,
    )
    assert effects(agreed, record(one, other)) == [
        caused(one.id, 2, revised, Done(type=revised.TYPE, version=2, commitment="SEG-14")),
        caused(other.id, 4, revised, Done(type=revised.TYPE, version=4, commitment="SEG-15")),
    ]


@pytest.mark.parametrize(("before", "moved"), [(date(2013, 12, 31), 2), (date(2013, 8, 31), 1)])
def test_a_public_deadline_pulled_ahead_of_the_internal_one_takes_that_along(
    before: date, moved: int
) -> None:
    """Where the public one is on that day already, the internal one still moves."""
    due = {"public_deadline": PublicDeadline(on=before)}
    late = commitment(registered(internal_deadline=InternalDeadline(on=before), **due))
    both = until(date(2013, 8, 31), internal_on=date(2013, 6, 30))
    agreed = decision(DecisionKind.REVISE_DEADLINE, commitments=("SEG-14",), effect=both)
    found = [one.on_stream.event for one in effects(agreed, record(late))]
    told = [(one.deadline, one.on) for one in found if isinstance(one, DeadlineRevised)]
    whole = [(DeadlineKind.PUBLIC, date(2013, 8, 31)), (DeadlineKind.INTERNAL, date(2013, 6, 30))]
    assert told == whole[-moved:]


def test_what_a_decision_does_is_dated_no_earlier_than_the_commitment_itself() -> None:
    young = commitment(registered(effective_on=date(2012, 11, 20)))
    agreed = decision(DecisionKind.REVISE_DEADLINE, commitments=("SEG-14",), effect=until(date(2014, 3, 10)))
    event = event_of(agreed, record(young))
    assert isinstance(event, DeadlineRevised)
    assert event.effective_on == date(2012, 11, 20)


def test_a_commitment_is_given_up_with_the_type_and_the_reason_that_were_agreed() -> None:
    agreed = decision(DecisionKind.DISCARD, commitments=("SEG-14",), effect=giving_up())
    assert event_of(agreed, record(commitment())) == Discarded(
        reason_type=DiscardReason.BUDGETARY,
        reason="No funds in 2013",
        effective_on=AGREED_ON,
        decision=NUMBER,
    )


@pytest.mark.parametrize(
    ("effect", "to", "remarks"),
    [
        (taking_to("The President", "before March"), "The President", "before March"),
        (taking_to("The President"), "The President", None),
        (None, None, None),
    ],
)
def test_an_escalation_is_noted_even_on_a_commitment_that_is_closed(
    effect: Effect | None, to: str | None, remarks: str | None
) -> None:
    agreed = decision(DecisionKind.ESCALATE, commitments=("SEG-14",), effect=effect)
    escalated = Escalated(effective_on=AGREED_ON, decision=NUMBER, to=to, remarks=remarks)
    assert event_of(agreed, record(commitment(registered(), completed()))) == escalated


def test_a_commitment_named_twice_is_changed_once() -> None:
    it = commitment()
    agreed = decision(DecisionKind.DISCARD, commitments=("SEG-14", str(it.id), "SEG-14"), effect=giving_up())
    assert len(effects(agreed, Found({"SEG-14": it, str(it.id): it}))) == 1


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        (DecisionKind.REVISE_DEADLINE, until(date(2014, 3, 10))),
        (DecisionKind.DISCARD, giving_up()),
        (DecisionKind.ESCALATE, None),
    ],
)
def test_one_commitment_that_is_not_on_record_keeps_the_whole_decision_from_being_carried_out(
    kind: DecisionKind, effect: Effect | None
) -> None:
    agreed = decision(kind, commitments=("SEG-14", "GONE"), effect=effect)
    assert refused(agreed, record(commitment())) == ("unknown-commitment", "GONE")
    assert refused(decision(kind, effect=effect)) == ("decision-without-commitments", None)


@pytest.mark.parametrize(
    ("kind", "effect", "code"),
    [
        (DecisionKind.REVISE_DEADLINE, until(date(2014, 3, 10)), "commitment-closed"),
        (DecisionKind.DISCARD, giving_up(), "commitment-closed"),
        (
            DecisionKind.REVISE_DEADLINE,
            until(date(2014, 1, 1), DeadlineKind.INTERNAL),
            "internal-after-public",
        ),
        (DecisionKind.DISCARD, giving_up(" "), "reason-required"),
    ],
)
def test_the_guards_of_a_commitment_hold_for_decisions_as_for_people(
    kind: DecisionKind, effect: Effect, code: str
) -> None:
    agreed = decision(kind, commitments=("SEG-14",), effect=effect)
    assert refused(agreed, record(commitment(registered(), completed()))) == (code, "SEG-14")


# --- indicators ----------------------------------------------------------------------------------------------------


def test_a_target_is_revised_with_the_decision_that_did_it() -> None:
    it = indicator(target("28.56"))
    made = effect_of(decision(DecisionKind.REVISE_TARGET, effect=aiming("28.56")), record(indicator=it))
    assert made == caused(
        it.id,
        3,
        TargetSet(
            number=2,
            value=Decimal("28.56"),
            on=date(2014, 12, 31),
            effective_on=AGREED_ON,
            reason=REASON,
            decision=NUMBER,
        ),
        Done(type="commitments.target_set", version=3, indicator="VICTIMISATION"),
    )


def test_a_decision_may_promise_a_change_in_percent_of_the_baseline() -> None:
    effect = aiming("-15", relative_to=RelativeTo.BASELINE)
    agreed = decision(DecisionKind.REVISE_TARGET, effect=effect)
    event = event_of(agreed, record(indicator=indicator(target("30"))))
    assert isinstance(event, TargetSet)
    assert (event.value, event.level, event.relative_to) == (
        Decimal(-15),
        Decimal("28.56"),
        RelativeTo.BASELINE,
    )
    assert refused(agreed, record(indicator=indicator(baseline=None))) == (
        "baseline-missing",
        "VICTIMISATION",
    )


def test_a_value_to_be_maintained_may_stray_as_far_as_before() -> None:
    it = indicator(target("30", tolerance=Decimal("1.5")), direction=Direction.MAINTAIN)
    event = event_of(decision(DecisionKind.REVISE_TARGET, effect=aiming("31")), record(indicator=it))
    assert isinstance(event, TargetSet)
    assert event.tolerance == Decimal("1.5")


def test_a_target_for_an_indicator_defined_later_holds_from_its_first_day() -> None:
    it = indicator(effective_on=date(2012, 11, 20))
    event = event_of(decision(DecisionKind.REVISE_TARGET, effect=aiming("28.56")), record(indicator=it))
    assert isinstance(event, TargetSet)
    assert event.effective_on == date(2012, 11, 20)


@pytest.mark.parametrize(
    ("effect", "code"),
    [
        (aiming("28.56", date(2009, 12, 31)), "target-before-baseline"),
        (aiming("much less"), "target-value-malformed"),
        (aiming("Infinity"), "target-value-malformed"),
    ],
)
def test_the_guards_of_an_indicator_hold_for_decisions_as_for_people(effect: Effect, code: str) -> None:
    agreed = decision(DecisionKind.REVISE_TARGET, effect=effect)
    assert refused(agreed, record(indicator=indicator(target("28.56")))) == (code, "VICTIMISATION")


def test_a_target_needs_an_indicator_on_record() -> None:
    agreed = decision(DecisionKind.REVISE_TARGET, effect=aiming("28.56"))
    assert refused(agreed) == ("unknown-indicator", "VICTIMISATION")


# --- ending, taking up again, handing on, showing --------------------------------------------------------------------


def on_segment(kind: DecisionKind, effect: Effect, **more: Any) -> DecisionAgreed:
    return decision(kind, commitments=("SEG-14",), effect=effect, **more)


def open_successor(code: str = "SEG-1", **more: Any) -> Successor:
    return Successor(code, **{"open": True} | more)


@pytest.mark.parametrize(
    ("kind", "effect", "history", "event"),
    [
        (
            DecisionKind.MERGE,
            merging(),
            (),
            Merged(into="SEG-1", reason=REASON, effective_on=AGREED_ON, decision=NUMBER),
        ),
        (
            DecisionKind.REASSIGN,
            handing_to("HEALTH"),
            (),
            LeadReassigned(
                lead_organization="HEALTH",
                previous="INTERIOR",
                effective_on=AGREED_ON,
                reason=REASON,
                decision=NUMBER,
            ),
        ),
        (
            DecisionKind.REOPEN,
            reopening(),
            (completed(),),
            Reopened(reason="The law was struck down", effective_on=AGREED_ON, decision=NUMBER),
        ),
        (
            DecisionKind.COMPLETE,
            completing(),
            (),
            Completed(completed_on=AGREED_ON, evidence=(LAW,), remarks="As promised", decision=NUMBER),
        ),
        (
            DecisionKind.COMPLETE,
            completing(date(2012, 10, 31)),
            (),
            Completed(
                completed_on=date(2012, 10, 31), evidence=(LAW,), remarks="As promised", decision=NUMBER
            ),
        ),
        (
            DecisionKind.PUBLISH,
            publishing(),
            (),
            VisibilityChanged(
                visibility=Visibility.PUBLIC,
                previous=Visibility.INTERNAL,
                reason=REASON,
                decision=NUMBER,
            ),
        ),
    ],
)
def test_a_decision_merges_reassigns_reopens_completes_and_publishes_naming_itself(
    kind: DecisionKind, effect: Effect, history: tuple[Event, ...], event: Event
) -> None:
    it = commitment(registered(), *history)
    found = record(it)._replace(successor=open_successor())
    agreed = on_segment(kind, effect)
    done = Done(type=event.TYPE, version=len(history) + 2, commitment="SEG-14")
    assert effect_of(agreed, found) == caused(it.id, len(history) + 2, event, done)


@pytest.mark.parametrize(
    ("kind", "effect", "history", "code"),
    [
        (DecisionKind.MERGE, merging("SEG-14"), (), "merger-into-itself"),
        (DecisionKind.MERGE, merging("CLOSED"), (), "merger-into-closed"),
        (DecisionKind.MERGE, merging("FROM-IT"), (), "merger-in-a-circle"),
        (DecisionKind.MERGE, merging("GONE"), (), "merger-into-unknown"),
        (DecisionKind.MERGE, merging(), (completed(),), "commitment-closed"),
        (DecisionKind.REASSIGN, handing_to("NOBODY"), (), "unknown-organization"),
        (DecisionKind.REASSIGN, handing_to(), (discarded(),), "commitment-closed"),
        (DecisionKind.REOPEN, reopening(), (), "not-closed"),
        (DecisionKind.COMPLETE, completing(), (discarded(),), "commitment-closed"),
        (DecisionKind.COMPLETE, completing(date(2031, 1, 1)), (), "date-in-future"),
        (DecisionKind.COMPLETE, Effect(completion=AgreedCompletion(evidence=())), (), "evidence-required"),
    ],
)
def test_what_the_record_refuses_of_a_decision_says_why_and_of_which_commitment(
    kind: DecisionKind, effect: Effect, history: tuple[Event, ...], code: str
) -> None:
    successors = {
        "SEG-1": open_successor(),
        "SEG-14": open_successor("SEG-14"),
        "CLOSED": open_successor("CLOSED", open=False),
        "FROM-IT": Successor("FROM-IT", False, ("SEG-14",)),
    }
    into = effect.merger and effect.merger.into
    found = record(commitment(registered(), *history))._replace(successor=successors.get(into or ""))
    assert refused(on_segment(kind, effect), found) == (code, "SEG-14")


def split_found(it: Commitment, *others: Commitment) -> Found:
    return record(it, *others)._replace(parts=(KNOWN, KNOWN))


def test_a_decision_splits_a_commitment_into_parts_that_inherit_what_it_promised() -> None:
    it = commitment()
    agreed = on_segment(DecisionKind.SPLIT, splitting(public_deadline_on=date(2014, 3, 10)))
    first, second, split = effects(agreed, split_found(it))
    assert [one.done for one in (first, second, split)] == [
        Done(type="commitments.registered", version=1, commitment="SEG-A"),
        Done(type="commitments.registered", version=1, commitment="SEG-B"),
        Done(type="commitments.split", version=2, commitment="SEG-14"),
    ]
    assert split.on_stream.event == Split(
        parts=("SEG-A", "SEG-B"), reason=REASON, effective_on=AGREED_ON, decision=NUMBER
    )
    part = first.on_stream.event
    assert isinstance(part, Registered)
    assert (part.split_from, part.lead_organization, part.effective_on) == ("SEG-14", "INTERIOR", AGREED_ON)
    assert part.public_deadline == PublicDeadline(on=date(2014, 3, 10))
    assert part.internal_deadline == InternalDeadline(on=date(2013, 10, 31))


def test_a_split_that_the_record_refuses_says_why() -> None:
    it, taken = commitment(), commitment(registered(code="SEG-B"))
    agreed = on_segment(DecisionKind.SPLIT, splitting())
    assert refused(agreed, split_found(it, taken)) == ("code-taken", "SEG-B")
    assert refused(agreed, split_found(commitment(registered(), discarded()))) == (
        "commitment-closed",
        "SEG-14",
    )
    both = decision(DecisionKind.SPLIT, commitments=("SEG-14", "SEG-B"), effect=splitting())
    assert refused(both, split_found(it, taken)) == ("split-of-one", None)
    one = on_segment(DecisionKind.SPLIT, splitting("SEG-A"))
    assert refused(one, record(it)._replace(parts=(KNOWN,))) == ("split-too-few", "SEG-14")
    nobody = on_segment(DecisionKind.SPLIT, splitting(lead_organization="NOBODY"))
    assert refused(nobody, split_found(it)) == ("unknown-organization", "SEG-14")


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        (DecisionKind.REASSIGN, handing_to("INTERIOR")),
        (DecisionKind.PUBLISH, publishing(Visibility.INTERNAL)),
    ],
)
def test_a_lead_or_a_visibility_that_is_so_already_needs_no_doing(kind: DecisionKind, effect: Effect) -> None:
    assert effects(on_segment(kind, effect), record(commitment())) == []


def test_a_decision_on_several_commitments_is_done_on_all_or_on_none() -> None:
    other = commitment(registered(code="SEG-15"))
    agreed = decision(DecisionKind.COMPLETE, commitments=("SEG-15", "SEG-14"), effect=completing())
    assert len(effects(agreed, record(other, commitment()))) == 2
    assert refused(agreed, record(other, commitment(registered(), discarded()))) == (
        "commitment-closed",
        "SEG-14",
    )


# --- shape ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [DecisionKind.BUDGET, DecisionKind.REFER, DecisionKind.OTHER])
def test_other_kinds_ask_nothing_of_the_record(kind: DecisionKind) -> None:
    agreed = decision(kind, commitments=("SEG-14",), effect=taking_to())
    assert effects(agreed, record(commitment(registered()))) == []


@pytest.mark.parametrize("kind", DecisionKind)
def test_whatever_its_kind_a_decision_names_commitments_that_are_there(kind: DecisionKind) -> None:
    effects = {
        DecisionKind.AGREE_COMMITMENT: agreeing(),
        DecisionKind.REVISE_DEADLINE: until(date(2014, 3, 10)),
        DecisionKind.REVISE_TARGET: aiming("28.56"),
        DecisionKind.DISCARD: giving_up(),
        DecisionKind.MERGE: merging(),
        DecisionKind.REASSIGN: handing_to(),
        DecisionKind.SPLIT: splitting(),
        DecisionKind.REOPEN: reopening(),
        DecisionKind.COMPLETE: completing(),
        DecisionKind.PUBLISH: publishing(),
    }
    agreed = decision(kind, commitments=("GONE",), effect=effects.get(kind))
    assert refused(agreed, record(indicator=indicator())) == ("unknown-commitment", "GONE")


def test_what_holds_already_needs_no_doing() -> None:
    same_day = decision(
        DecisionKind.REVISE_DEADLINE, commitments=("SEG-14",), effect=until(date(2013, 12, 31))
    )
    assert effects(same_day, record(commitment())) == []
    same_value = decision(DecisionKind.REVISE_TARGET, effect=aiming("28.56", date(2013, 12, 31)))
    assert effects(same_value, record(indicator=indicator(target("28.56")))) == []


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        (DecisionKind.AGREE_COMMITMENT, None),
        (DecisionKind.REVISE_DEADLINE, Effect()),
        (DecisionKind.REVISE_TARGET, giving_up()),
        (DecisionKind.DISCARD, until(date(2014, 3, 10))),
        (DecisionKind.MERGE, None),
        (DecisionKind.REASSIGN, merging()),
        (DecisionKind.SPLIT, merging()),
        (DecisionKind.REOPEN, Effect()),
        (DecisionKind.COMPLETE, reopening()),
        (DecisionKind.PUBLISH, completing()),
        (DecisionKind.ESCALATE, giving_up()),
        (
            DecisionKind.REVISE_TARGET,
            Effect(
                target=AgreedTarget(indicator="VICTIMISATION", value="1", on=date(2014, 1, 1)),
                discard=giving_up().discard,
            ),
        ),
    ],
)
def test_a_decision_that_does_not_say_what_its_kind_does_is_not_guessed_at(
    kind: DecisionKind, effect: Effect | None
) -> None:
    agreed = decision(kind, commitments=("SEG-14",), effect=effect)
    found = record(commitment(), indicator=indicator())
    assert refused(agreed, found) == ("decision-effect-malformed", None)


def test_the_text_of_a_decision_is_not_written_on_what_it_concerns() -> None:
    agreed = [
        decision(DecisionKind.AGREE_COMMITMENT, effect=agreeing()),
        decision(DecisionKind.REVISE_DEADLINE, commitments=("SEG-14",), effect=until(date(2014, 3, 10))),
        decision(DecisionKind.REVISE_TARGET, effect=aiming("20")),
        decision(DecisionKind.DISCARD, commitments=("SEG-14",), effect=giving_up()),
        decision(DecisionKind.ESCALATE, commitments=("SEG-14",)),
    ]
    found = record(commitment(), indicator=indicator())
    assert not any("only those" in str(event_of(one, found)) for one in agreed)


# --- what was merged into it ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "effect"),
    [
        (DecisionKind.COMPLETE, completing()),
        (DecisionKind.DISCARD, giving_up()),
        (DecisionKind.MERGE, merging("SEG-1")),
        (DecisionKind.SPLIT, splitting()),
    ],
)
def test_a_decision_closes_nothing_before_what_was_merged_into_it(kind: DecisionKind, effect: Effect) -> None:
    agreed = decision(kind, commitments=("SEG-14",), effect=effect)
    carries = record(commitment())._replace(successor=Successor("SEG-1", open=True), parts=[KNOWN, KNOWN])
    for days, expected in ((1, ("merger-into-closed", "SEG-14")), (0, None)):
        merged = {"SEG-14": [Joined("SEG-9", AGREED_ON + timedelta(days=days))]}
        found = carries._replace(merged=merged)
        if expected is None:
            assert effects(agreed, found)
        else:
            assert refused(agreed, found) == expected
