"""A fact is judged by the day it speaks of, and not by the present."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from services.commitments.commitment.model import Successor, register, replace
from shared.errors import BitacoraError, Forbidden, InvalidInput, RuleBroken
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    BudgetLine,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    Document,
    Escalated,
    Evidence,
    InternalDeadline,
    LeadReassigned,
    Merged,
    MilestoneCompleted,
    MilestoneSet,
    Origin,
    ProgressReported,
    ProgressReviewed,
    PublicDeadline,
    RisksAssessed,
    VisibilityChanged,
)
from shared.events.vocabulary import (
    CommitmentKind,
    DeadlineKind,
    DiscardReason,
    Judgement,
    OriginKind,
    ReviewOutcome,
    Visibility,
)
from shared.identity.actor import Actor, Heir, Role
from tests.services.commitments.promises import (
    HEALTH,
    INTERIOR,
    JULY,
    JUNE,
    KNOWN,
    LAW,
    MAY,
    TODAY,
    TOMORROW,
    completed,
    given,
    registered,
    reopened,
)
from tests.support.scenario import on

BEFORE = MAY - timedelta(days=1)
Q1, Q2, Q3 = "2012-Q1", "2012-Q2", "2012-Q3"
RISKS = RisksAssessed(effective_on=BEFORE, change_management=1)
ESTIMATE = BudgetEstimated(effective_on=BEFORE, lines=(BudgetLine(amount="1", currency="CLP"),))
MILESTONE = MilestoneSet(number=1, name="Bill sent", due_on=JULY)


# --- the first day -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        lambda it, now: it.complete(Completed(completed_on=BEFORE, evidence=(LAW,)), now),
        lambda it, now: it.discard(
            Discarded(reason_type=DiscardReason.TECHNICAL, reason="r", effective_on=BEFORE), now
        ),
        lambda it, now: it.merge(
            Merged(into="SEG-1", reason="r", effective_on=BEFORE), now, Successor("SEG-1", open=True)
        ),
        lambda it, now: it.assess(Assessed(effective_on=BEFORE, judgement=Judgement.ON_TRACK), now),
        lambda it, now: it.revise_deadline(
            DeadlineRevised(
                deadline=DeadlineKind.PUBLIC, on=date(2014, 1, 1), effective_on=BEFORE, reason="r"
            ),
            now,
        ),
        lambda it, now: it.reassign_lead(
            LeadReassigned(lead_organization="HEALTH", effective_on=BEFORE, reason="r"), now, KNOWN
        ),
        lambda it, now: it.report_progress(
            ProgressReported(period=Q1, effective_on=BEFORE, no_change=True), now
        ),
        lambda it, now: it.complete_milestone(MilestoneCompleted(number=1, completed_on=BEFORE), now),
        lambda it, now: it.assess_risks(RISKS, now),
        lambda it, now: it.estimate_budget(ESTIMATE, now),
        lambda it, now: it.note_escalation(Escalated(decision="D-1", effective_on=BEFORE), now),
    ],
)
def test_nothing_happens_to_a_commitment_before_its_first_day(ask: Any) -> None:
    given(registered(), MILESTONE).when(lambda it: ask(it, on(TODAY))).refused(
        "before-registration", RuleBroken
    )


def test_the_first_day_is_not_moved_past_what_is_on_record() -> None:
    def moved(day: date) -> Any:
        proposed = Corrected(field="effective_on", value=day.isoformat(), reason="Misread")
        return lambda it: it.correct(proposed, on(TODAY), KNOWN)

    past = (registered(), Assessed(effective_on=JUNE, judgement=Judgement.ON_TRACK))
    given(*past).when(moved(JULY)).refused("before-registration", RuleBroken)
    for day in (JUNE, BEFORE):
        given(*past).when(moved(day)).then(
            Corrected(field="effective_on", value=day.isoformat(), reason="Misread", previous=MAY.isoformat())
        )


# --- mergers -------------------------------------------------------------------------------------------------------


def test_a_commitment_goes_on_in_one_that_was_there_and_open_on_that_day() -> None:
    def into(successor: Successor) -> Any:
        return lambda it: it.merge(Merged(into="SEG-1", reason="r", effective_on=JUNE), on(TODAY), successor)

    given().when(into(Successor("SEG-1", open=True, first_day=JULY))).refused(
        "successor-not-there-yet", RuleBroken
    )
    given().when(into(Successor("SEG-1", open=False))).refused("merger-into-closed", RuleBroken)
    given().when(into(Successor("SEG-1", open=True, first_day=JUNE))).then(
        Merged(into="SEG-1", reason="r", effective_on=JUNE)
    )


# --- who may tell of a day -----------------------------------------------------------------------------------------

MINVU = Actor(subject="builder", organization="MINVU", role=Role.MINISTRY)
HANDED_OVER = LeadReassigned(
    lead_organization="HEALTH", previous="INTERIOR", effective_on=JULY, reason="New ministry"
)


def tells(actor: Actor, day: date) -> list[Any]:
    now = on(TODAY, actor)
    return [
        lambda it: it.report_progress(ProgressReported(period="2012", effective_on=day, no_change=True), now),
        lambda it: it.complete_milestone(MilestoneCompleted(number=1, completed_on=day), now),
    ]


def allowed(ask: Any) -> bool:
    try:
        ask(given(registered(), MILESTONE, HANDED_OVER).thing)
    except Forbidden:
        return False
    return True


@pytest.mark.parametrize(
    ("actor", "day", "may"),
    [
        (INTERIOR, JUNE, True),  # it led on that day
        (INTERIOR, JULY, False),
        (HEALTH, JULY, True),
        (HEALTH, JUNE, True),  # the present lead tells of what came before, too
        (MINVU, JUNE, False),
    ],
)
def test_whoever_had_the_right_on_a_day_tells_of_it_and_so_does_the_present_lead(
    actor: Actor, day: date, may: bool
) -> None:
    assert [allowed(ask) for ask in tells(actor, day)] == [may, may]


def test_who_succeeded_a_dissolved_organisation_has_its_right() -> None:
    heir = Heir(MINVU.subject, MINVU.organization, MINVU.role, inherited=("INTERIOR",))
    assert [allowed(ask) for ask in tells(heir, JUNE)] == [True, True]
    assert not any(allowed(ask) for ask in tells(heir, JULY))


# --- progress reports ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "day"),
    [(Q2, JUNE), (Q3, date(2012, 9, 30)), (Q1, MAY), ("2012-Q4", TODAY), ("2012-05", date(2012, 5, 31))],
)
def test_a_report_without_a_day_is_of_the_last_day_of_its_period(period: str, day: date) -> None:
    """Or of today, if that has not come; never of a day before the first."""
    given().when(
        lambda it: it.report_progress(ProgressReported(period=period, no_change=True), on(TODAY))
    ).then(ProgressReported(number=1, period=period, effective_on=day, no_change=True))


@pytest.mark.parametrize("day", [{}, {"effective_on": JUNE}])
def test_nothing_is_reported_of_a_period_to_come(day: dict[str, Any]) -> None:
    proposed = ProgressReported(period="2031-Q1", no_change=True, **day)
    given().when(lambda it: it.report_progress(proposed, on(TODAY))).refused(
        "period-to-come", InvalidInput, "/period"
    )


def test_a_late_report_does_not_overtake_that_of_a_later_period() -> None:
    later = ProgressReported(number=1, period=Q3, effective_on=TODAY, stage="Senate", percent=Decimal(60))
    late = ProgressReported(number=2, period=Q2, effective_on=TODAY, stage="House", percent=Decimal(20))
    it = given(registered(), later, late).thing
    assert (it.stage_on(TODAY), it.progress.percent_unreviewed_on(TODAY)) == ("Senate", Decimal(60))
    assert it.progress.percent_on(TODAY) is None
    accepted = ProgressReviewed(report=2, outcome=ReviewOutcome.ACCEPTED)
    it = given(registered(), later, late, accepted).thing
    assert (it.progress.percent_on(TODAY), it.progress.percent_unreviewed_on(TODAY)) == (
        Decimal(20),
        Decimal(60),
    )


def test_no_change_is_judged_by_the_day_of_the_report() -> None:
    senate = ProgressReported(number=1, period=Q3, effective_on=TODAY, stage="Senate")
    proposed = ProgressReported(period=Q2, no_change=True, stage="design")
    given(registered(), senate).when(lambda it: it.report_progress(proposed, on(TODAY))).then(
        ProgressReported(number=2, period=Q2, effective_on=JUNE, no_change=True, stage="design")
    )


def test_a_period_under_its_former_name_still_folds() -> None:
    old = ProgressReported(number=1, period="2012-T2", effective_on=TODAY, percent=Decimal(10))
    assert given(registered(), old).thing.progress.percent_unreviewed_on(TODAY) == 10


# --- evidence ------------------------------------------------------------------------------------------------------

TO_COME = Evidence(description="A law to come", dated_on=TOMORROW)


@pytest.mark.parametrize(
    ("ask", "pointer"),
    [
        (
            lambda it, now: it.complete(Completed(completed_on=JUNE, evidence=(LAW, TO_COME)), now),
            "/evidence/1/dated_on",
        ),
        (
            lambda it, now: it.report_progress(
                ProgressReported(period=Q2, no_change=True, evidence=(TO_COME,)), now
            ),
            "/evidence/0/dated_on",
        ),
        (
            lambda it, now: it.complete_milestone(
                MilestoneCompleted(number=1, completed_on=JUNE, evidence=(TO_COME,)), now
            ),
            "/evidence/0/dated_on",
        ),
        (
            lambda it, now: it.correct(
                Corrected(
                    field="documents",
                    value=[{"title": "Study", "dated_on": TOMORROW.isoformat()}],
                    reason="r",
                ),
                now,
                KNOWN,
            ),
            "/value/0/dated_on",
        ),
        (
            lambda _, now: register(
                registered(code="N", origin=Origin(kind=OriginKind.COMMITTEE, source_on=TOMORROW)), now, KNOWN
            ),
            "/origin/source_on",
        ),
        (
            lambda _, now: register(
                registered(code="N", documents=(Document(title="Study", dated_on=TOMORROW),)), now, KNOWN
            ),
            "/documents/0/dated_on",
        ),
    ],
)
def test_nothing_is_dated_after_the_day_on_which_it_is_recorded(ask: Any, pointer: str) -> None:
    given(registered(), MILESTONE).when(lambda it: ask(it, on(TODAY))).refused(
        "date-in-future", InvalidInput, pointer
    )


def test_evidence_dated_after_the_fact_it_speaks_of_is_taken_as_it_is() -> None:
    later = Evidence(description="Law 20.595", dated_on=TODAY)
    given().when(lambda it: it.complete(Completed(completed_on=JUNE, evidence=(later,)), on(TODAY))).then(
        Completed(completed_on=JUNE, evidence=(later,))
    )


# --- organisations that are no more --------------------------------------------------------------------------------

GONE = KNOWN._replace(
    heirs_on=lambda code, day: ("HEALTH",) if code == "JUSTICE" and day >= JUNE else (code,)
)


@pytest.mark.parametrize("field", ["lead_organization", "responsible_service", "collaborating_organizations"])
def test_an_organisation_takes_part_only_as_long_as_it_is_there(field: str) -> None:
    named: Any = ("JUSTICE",) if field == "collaborating_organizations" else "JUSTICE"
    proposed = registered(code="N", effective_on=JUNE, **{"collaborating_organizations": ()} | {field: named})
    with pytest.raises(RuleBroken, match="successors: HEALTH") as refused:
        register(proposed, on(TODAY), GONE)
    assert refused.value.code == "organization-dissolved"
    register(registered(code="N", effective_on=MAY, **{field: named}), on(TODAY), GONE)


def test_nothing_is_handed_to_an_organisation_that_is_no_more() -> None:
    def handed(day: date) -> Any:
        proposed = LeadReassigned(lead_organization="JUSTICE", effective_on=day, reason="r")
        return lambda it: it.reassign_lead(proposed, on(TODAY), GONE)

    given().when(handed(JUNE)).refused("organization-dissolved", RuleBroken)
    given().when(handed(MAY)).then(
        LeadReassigned(lead_organization="JUSTICE", effective_on=MAY, reason="r", previous="INTERIOR")
    )


# --- corrections that would set nothing right ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "field", "value"),
    [
        (ProgressReported(number=1, period=Q2, effective_on=JUNE, stage="House"), "stage", "draft"),
        (
            LeadReassigned(lead_organization="HEALTH", previous="INTERIOR", effective_on=MAY, reason="r"),
            "lead_organization",
            "POLICE",
        ),
        (
            DeadlineRevised(deadline=DeadlineKind.PUBLIC, on=TOMORROW, effective_on=MAY, reason="r"),
            "public_deadline",
            {"on": "2014-01-01"},
        ),
    ],
)
def test_a_correction_that_shows_on_no_day_is_refused(told: Any, field: str, value: Any) -> None:
    proposed = Corrected(field=field, value=value, reason="Misread")
    given(registered(), told).when(lambda it: it.correct(proposed, on(TODAY), KNOWN)).refused(
        "correction-without-effect", RuleBroken
    )


# --- parts ---------------------------------------------------------------------------------------------------------


def test_a_kind_is_not_corrected_to_one_that_cannot_contain_its_parts() -> None:
    known = KNOWN._replace(parts={"SEG-14-A": CommitmentKind.ACTION})
    whole = registered(kind=CommitmentKind.STRATEGIC_OBJECTIVE)
    proposed = Corrected(field="kind", value="commitment", reason="Misread")
    given(whole).when(lambda it: it.correct(proposed, on(TODAY), known)).refused("parent-below", RuleBroken)
    allowed = Corrected(field="kind", value="action", reason="Misread")
    assert given(whole).thing.correct(allowed, on(TODAY), known).value == "action"


# --- whatever is told, in whatever order ---------------------------------------------------------------------------

DAYS = st.dates(date(2012, 5, 1), TODAY)
CLOSINGS = st.one_of(
    DAYS.map(lambda day: lambda it: it.complete(completed(day), on(TODAY))),
    DAYS.map(lambda day: lambda it: it.reopen(reopened(day), on(TODAY))),
)


@drawn(st.lists(CLOSINGS, max_size=12))
def test_closings_and_reopenings_alternate_whatever_is_asked_in_whatever_order(asks: list[Any]) -> None:
    told: list[Any] = [registered()]
    for ask in asks:
        try:
            told.append(ask(given(*told).thing))
        except BitacoraError:
            continue
    days = [getattr(one, "completed_on", None) or one.effective_on for one in told]
    assert days == sorted(days), "each is the last word when it is told"
    assert all(isinstance(one, Completed) is bool(number % 2) for number, one in enumerate(told[1:], 1))


# --- publications --------------------------------------------------------------------------------------------------


def published(day: date | None, visibility: Visibility = Visibility.PUBLIC) -> VisibilityChanged:
    return VisibilityChanged(visibility=visibility, reason="Speech", effective_on=day)


def publish(*args: Any) -> Any:
    return lambda it: it.change_visibility(published(*args), on(TODAY))


def test_a_publication_has_a_day_of_the_life_of_the_commitment() -> None:
    given().when(publish(BEFORE)).refused("before-registration", RuleBroken)
    given().when(publish(TOMORROW)).refused("date-in-future", InvalidInput, "/effective_on")
    given().when(publish(JUNE)).then(replace(published(JUNE), previous=Visibility.INTERNAL))


def test_a_publication_is_judged_by_its_day() -> None:
    past = (registered(), replace(published(JUNE), previous=Visibility.INTERNAL))
    given(*past).when(publish(JULY)).refused("visibility-unchanged", RuleBroken)
    given(*past).when(publish(MAY)).then(replace(published(MAY), previous=Visibility.INTERNAL))
    # On all its days, and not from June on only.
    given(*past).when(publish(None)).then(replace(published(None), previous=Visibility.PUBLIC))
    everywhere = replace(published(None), previous=Visibility.INTERNAL)
    given(registered(), everywhere).when(publish(None)).refused("visibility-unchanged", RuleBroken)
    narrowed = replace(published(JULY, Visibility.RESERVED), previous=Visibility.PUBLIC)
    it = given(*past, narrowed).thing
    assert it.visibility is Visibility.RESERVED
    assert it.visibilities.shown_on(JUNE) is Visibility.RESERVED


# --- two deadlines, corrected --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("revised", "field", "day"),
    [
        (DeadlineKind.INTERNAL, "public_deadline", date(2013, 2, 28)),
        (DeadlineKind.PUBLIC, "internal_deadline", date(2013, 4, 1)),
    ],
)
def test_a_corrected_deadline_is_in_order_with_revisions_of_the_other_one(
    revised: DeadlineKind, field: str, day: date
) -> None:
    deadlines = registered(
        public_deadline=PublicDeadline(on=date(2013, 12, 31)),
        internal_deadline=InternalDeadline(on=date(2013, 1, 31)),
    )
    moved = DeadlineRevised(deadline=revised, on=date(2013, 3, 31), reason="r", effective_on=JULY)
    wrong = Corrected(field=field, value={"on": day.isoformat()}, reason="Misread")
    given(deadlines, moved).when(lambda it: it.correct(wrong, on(TODAY), KNOWN)).refused(
        "internal-after-public", RuleBroken
    )
