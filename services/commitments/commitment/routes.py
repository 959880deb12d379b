"""The routes of commitments: one is registered and read, shows its history, and takes facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, cast
from uuid import UUID

import msgspec
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from services.commitments.commitment.model import ANYTHING, Commitment, Revision, Successor, usual_visibility
from services.commitments.commitment.repository import (
    ENDING,
    NAMING,
    PLACING,
    REPARENTING,
    Commitments,
    Restating,
)
from services.commitments.commitment.splitting import Splitting
from shared.aggregate.aggregate import DayOf
from shared.aggregate.command import Context, Decided
from shared.aggregate.deadline_corrections import deadline_corrections
from shared.aggregate.documents import (
    as_entries,
    as_entry,
    as_optional_entry,
    document_of,
    entry_document,
    extended,
    members_of,
)
from shared.aggregate.redaction import ReadersOf
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    Changed,
    Commented,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    Escalated,
    Evidence,
    InternalDeadline,
    LeadReassigned,
    Merged,
    MilestoneCompleted,
    MilestoneSet,
    ProgressReported,
    ProgressReviewed,
    PublicDeadline,
    Registered,
    Reopened,
    RisksAssessed,
    Split,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.retractions import CommitmentFactRetracted
from shared.events.types import MOST_ITEMS, CivilDay, CommitmentCode, DecisionNumber, IndicatorCode
from shared.events.vocabulary import DiscardReason, Judgement, Visibility
from shared.http.body import ROOMY
from shared.http.catalogue import Catalogue, Explained
from shared.http.context import actor_of
from shared.http.moments import RecordedAt, RecordedOn, recorded
from shared.http.requests import request_of
from shared.http.resource import Now, Private, Resource, caught_up, command_of
from shared.http.responses import encoded, read_answer, written_answer
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Actor, Role
from shared.rules.commitment_warnings import (
    CommitmentSign,
    CommitmentWarning,
    DeadlineCorrection,
    commitment_signs,
)
from shared.rules.dated_facts import FIELD_TYPES
from shared.rules.periods import stored_period
from shared.rules.sign_texts import PARAMETERS_ABOUT
from shared.rules.traffic_light import CURRENT_RULE, Closure, Status
from shared.rules.visibility import reads_everything, without_internal_deadline

UNIT: Final = frozenset({Role.DCI})
_JUDGES: Final = Access(UNIT, if_match="required", note="judges")
_KEEPS: Final = Access(UNIT, if_match="required", note="keeps the record")
_DELIVERS: Final = Access(
    UNIT | {Role.MINISTRY},
    own_organization=frozenset({Role.MINISTRY}),
    if_match="required",
    note="lead, responsible service and collaborating organisations tell of their own",
)
_READS: Final = Access(
    EVERYONE, note="reserved ones: ministries only where they are concerned", etag=True, log_position=True
)

InternalDay = Annotated[
    CivilDay | None,
    Field(
        description="With the public deadline: the internal one moves to this day in the same transaction."
    ),
]
Identifier = Annotated[str, Field(description="The UUID or the code.", examples=["SEG-014"])]

# --- requests ---------------------------------------------------------------------------------------------------------


def _splitting(*, parts: Sequence[Mapping[str, Any]], **split: Any) -> Splitting:
    return Splitting(Split(**split), parts)


_PART: Final = request_of(
    msgspec.defstruct(
        "SplitPart",
        [
            *((name, FIELD_TYPES[name]) for name in ("code", "title")),
            *(
                (name, hint | msgspec.UnsetType, msgspec.UNSET)
                for name, hint in FIELD_TYPES.items()
                if name not in {"code", "title", "split_from", "effective_on"}
            ),
        ],
        kw_only=True,
    ),
    name="SplitPart",
    doc="One part of a split: its code, its title, and whatever is not as it is with the original.",
    made_by=dict,
)
_SPLIT: Final = request_of(
    Split,
    made_by=_splitting,
    example={
        "parts": [
            {"code": "SEG-014-A", "title": "Reduce burglary by 15 %"},
            {"code": "SEG-014-B", "title": "Reduce robbery by 15 %", "weight": 2},
        ]
    },
    parts=Annotated[
        tuple[_PART, ...],  # type: ignore[valid-type]
        Field(
            max_length=MOST_ITEMS,
            description="Two or more.",
            json_schema_extra={"minItems": 2},
        ),
    ],
)

# --- documents -------------------------------------------------------------------------------------------------------

_PUBLIC: Final = document_of(PublicDeadline)
_INTERNAL: Final = document_of(InternalDeadline)
_REPORT: Final = entry_document(ProgressReported, review=entry_document(ProgressReviewed) | None)
_MILESTONE: Final = entry_document(MilestoneSet, completion=entry_document(MilestoneCompleted) | None)
_CLOSING: Final = msgspec.defstruct(
    "Closing",
    [
        ("kind", Closure),
        ("recorded_by", Actor),
        ("position", int),
        *(
            (name, hint | msgspec.UnsetType, msgspec.UNSET)
            for name, hint in {
                "effective_on": date,
                "completed_on": date,
                "evidence": list[document_of(Evidence)],  # type: ignore[misc]
                "remarks": str | None,
                "reason_type": DiscardReason,
                "reason": str,
                "into": CommitmentCode | None,
                "parts": list[CommitmentCode],
                "decision": DecisionNumber | None,
            }.items()
        ),
    ],
    namespace={"__doc__": "How it was closed; the members that its kind has not are absent."},
    kw_only=True,
)

COMMITMENT: Final = extended(
    "Commitment",
    Registered,
    "A commitment as the record tells of it.",
    id=UUID,
    status=Annotated[Status | None, Field(description="Null for what goes on in others: merged or split.")],
    status_rule=Annotated[str, Field(examples=[CURRENT_RULE])],
    status_because=Annotated[
        int | None, Field(description="The position of the event that the status follows from.")
    ],
    judgement=Judgement | None,
    lead_organization=Annotated[str, Field(description="Who answers for it now.")],
    public_deadline=_PUBLIC | None,
    internal_deadline=_INTERNAL | None,
    merged_into=CommitmentCode | None,
    split_into=Annotated[
        list[CommitmentCode], Field(description="The parts it goes on in; each names it as `split_from`.")
    ],
    stage=Annotated[str | None, Field(description="As last reported.")],
    percent=Annotated[Decimal | None, Field(description="How much is done, by the last accepted report.")],
    percent_unreviewed=Annotated[
        Decimal | None, Field(description="How much is done, by the last report that was not sent back.")
    ],
    assessment=entry_document(Assessed) | None,
    risks=entry_document(RisksAssessed) | None,
    budget=entry_document(BudgetEstimated) | None,
    closing=_CLOSING | None,
    progress_reports=list[_REPORT],  # type: ignore[valid-type]
    milestones=list[_MILESTONE],  # type: ignore[valid-type]
    deadline_revisions=list[entry_document(DeadlineRevised)],  # type: ignore[misc]
    reassignments=list[entry_document(LeadReassigned)],  # type: ignore[misc]
    reopenings=list[entry_document(Reopened)],  # type: ignore[misc]
    comments=list[entry_document(Commented)],  # type: ignore[misc]
    changes=list[entry_document(Changed)],  # type: ignore[misc]
    corrections=list[entry_document(Corrected)],  # type: ignore[misc]
    escalations=list[entry_document(Escalated)],  # type: ignore[misc]
    indicators=Annotated[
        list[IndicatorCode],
        Field(description="Those that measure it, by their codes.", examples=[["ENUSC-VIC"]]),
    ],
    registered_on=RecordedOn,
    registered_at=RecordedAt,
    updated_on=RecordedOn,
    updated_at=RecordedAt,
    version=int,
    position=int,
)


def commitment_document(commitment: Commitment, day: date, day_of: DayOf) -> msgspec.Struct:
    """A commitment with everything that was recorded of it, and what follows from that on a day."""
    dated = commitment.dated
    verdict = commitment.verdict_on(day)
    public, internal = dated.public_deadlines.on(day)[0], dated.internal_deadlines.on(day)[0]
    promised = commitment.registration.public_deadline
    return COMMITMENT(
        **members_of(dated.registration_on(day))
        | {
            "id": commitment.id,
            "visibility": commitment.visibility,
            "status": verdict and verdict.status,
            "status_rule": CURRENT_RULE,
            "status_because": verdict and verdict.because,
            "judgement": dated.judgements.on(day)[0],
            "lead_organization": commitment.lead_on(day),
            "public_deadline": public and _PUBLIC(on=public, origin=promised and promised.origin),
            "internal_deadline": internal and _INTERNAL(on=internal),
            "merged_into": commitment.merged_into,
            "split_into": list(commitment.split_into),
            "stage": commitment.stage_on(date.max),
            "percent": commitment.progress.percent_on(date.max),
            "percent_unreviewed": commitment.progress.percent_unreviewed_on(date.max),
            "assessment": as_optional_entry(entry_document(Assessed), commitment.assessments.on(day)[0]),
            "risks": as_optional_entry(entry_document(RisksAssessed), commitment.risks.on(day)[0]),
            "budget": as_optional_entry(entry_document(BudgetEstimated), commitment.budgets.on(day)[0]),
            "closing": _closing(commitment, day),
            "progress_reports": [
                as_entry(
                    _REPORT,
                    report.entry,
                    period=stored_period(report.entry.event.period).name,
                    review=as_optional_entry(entry_document(ProgressReviewed), report.review),
                )
                for report in commitment.reports
            ],
            "milestones": [
                as_entry(
                    _MILESTONE,
                    milestone.plan,
                    completion=as_optional_entry(entry_document(MilestoneCompleted), milestone.completion),
                )
                for milestone in commitment.milestones
            ],
            "deadline_revisions": as_entries(entry_document(DeadlineRevised), commitment.revisions),
            "reassignments": as_entries(entry_document(LeadReassigned), commitment.reassignments),
            "reopenings": as_entries(entry_document(Reopened), commitment.reopenings),
            "comments": as_entries(entry_document(Commented), commitment.comments),
            "changes": as_entries(entry_document(Changed), commitment.changes),
            "corrections": as_entries(entry_document(Corrected), commitment.corrections),
            "escalations": as_entries(entry_document(Escalated), commitment.escalations),
            # Which they are is known to another repository: `commitment_routes` puts them in.
            "indicators": [],
            **recorded("registered", commitment.began_at, day_of),
            **recorded("updated", commitment.recorded_at, day_of),
            "version": commitment.version,
            "position": commitment.position,
        }
    )


def _closing(commitment: Commitment, day: date) -> msgspec.Struct | None:
    entry = commitment.closing_on(day)
    if entry is None:
        return None
    return _CLOSING(
        kind=commitment.dated.closures.on(day)[0],
        **members_of(entry.event),
        recorded_by=entry.recorded_by,
        position=entry.position,
    )


async def _private(commitment: Commitment, actor: Actor) -> Private:
    """To whom neither everything nor this commitment is open as its own, it has no internal deadline."""
    if (
        reads_everything(actor)
        or not commitment.internal_deadline_known()
        or actor.is_of(commitment.organizations())
    ):
        return Private()
    return Private(told=without_internal_deadline)


# --- warning signs ---------------------------------------------------------------------------------------------------


class SignsQuery(Now):
    """A question for the warning signs."""

    reporting_on: Annotated[CivilDay | None, Field(description="The day of a report.")] = None


class CommitmentWarningDocument(msgspec.Struct, kw_only=True):
    """What makes a reader look twice, which proves nothing."""

    code: Annotated[CommitmentWarning, Field(description="The same as `sign`, as it was called first.")]
    sign: Annotated[CommitmentWarning, Field(description="The kind of sign.")]
    detail: Annotated[str, Field(description="What was seen, in words.")]
    parameters: Annotated[dict[str, Any], Field(description=PARAMETERS_ABOUT)]
    events: Annotated[list[int], Field(description="The positions of the events it follows from.")]


class CommitmentWarnings(msgspec.Struct, kw_only=True):
    """The warning signs of a commitment, in the order of their events."""

    items: list[CommitmentWarningDocument]


def _deadline_corrections(commitment: Commitment, day_of: DayOf) -> Iterator[DeadlineCorrection]:
    """Every time the public deadline was set right."""
    retracted = commitment.retracted
    entries = ((one, retracted[one.event.version].entry) for one in commitment.retractions)
    taken = ((one, entry.event, entry.position) for one, entry in entries)
    return deadline_corrections(
        commitment.dated, commitment.began_position, commitment.corrections, taken, day_of
    )


# --- routes ----------------------------------------------------------------------------------------------------------


def commitment_routes(
    commitments: Commitments, readers_of: ReadersOf, indicators_of: Callable[[str, int], list[str]]
) -> Router:
    """Every route of commitments; `indicators_of` names those of the commitment with a code, up to a position."""
    router = Router(
        "commitments",
        "What the President committed to, and every fact about it.",
        id=Identifier,
        n=Annotated[int, Field(ge=1, le=100_000, description="Its number, from 1.")],
    )
    one = Resource(
        router,
        "/v1/commitments/{id}",
        commitments,
        readers_of=readers_of,
        read=_READS,
        identity=lambda it: {"code": it.code},
        identity_types={"code": Annotated[str, Field(examples=["SEG-014"])]},
        private=_private,
    )
    registration = request_of(
        Registered,
        optional=("visibility",),
        name="RegistrationRequest",
        doc="A commitment, with all that is known of it on the first day. It is `internal` by default, and `reserved` "
        "when it was agreed in a bilateral meeting.",
    )

    @router.post(
        "/v1/commitments",
        access=Access(UNIT, note="registers"),
        body=registration,
        largest_body=ROOMY,
        answers=one.written(),
    )
    async def register_commitment(request: Request, body: Any) -> Response:
        """Registers a commitment. What was agreed in a bilateral meeting is `reserved` until it is published."""
        visibility = body.visibility or usual_visibility(body.origin.kind if body.origin else None)
        proposed = body.struct(commitments.clock.today(), visibility=Visibility(visibility))
        outcome = await commitments.register(proposed, await command_of(request))
        registered: Any = await commitments.last_event(outcome)
        return written_answer(request, outcome, f"/v1/commitments/{outcome.stream_id}", code=registered.code)

    one.document(
        COMMITMENT,
        lambda it, day: commitment_document(it, day, commitments.clock.day_of),
        doc="A commitment as it is today, at a version, or as the log knew it at a moment.\n\n"
        "Past views give the status as of the day the version was recorded, or of the moment. The ETag is the "
        "version; a status that changed because a deadline passed since is sent whole even to a caller who holds that "
        "version.",
        same_on=lambda it, then, now: it.verdict_on(then) == it.verdict_on(now),
        beside=lambda it, position: {"indicators": indicators_of(it.code, position)},
    )

    @router.get(
        "/v1/commitments/{id}/warning-signs",
        access=_READS,
        query=SignsQuery,
        answers=CommitmentWarnings,
    )
    async def get_commitment_warning_signs(request: Request, identifier: str, asked: SignsQuery) -> Response:
        """What makes a reader look twice at a commitment, each sign with its events: it proves nothing.

        What was achieved in the last days before a report is a sign where `reporting_on` gives the day of the report.
        """
        await caught_up(request, commitments.live, asked.wait_for)
        found = await one.told(identifier, actor_of(request))
        clock = commitments.clock
        corrections = list(_deadline_corrections(found, clock.day_of))

        def signs_on(day: date) -> list[CommitmentSign]:
            return commitment_signs(found.dated, corrections, day, asked.reporting_on)

        signs = signs_on(clock.today())
        body = {
            "items": [
                CommitmentWarningDocument(sign=sign.code, detail=sign.detail, **sign._asdict())
                for sign in signs
            ]
        }
        return read_answer(
            request,
            encoded(body),
            version=found.version,
            position=commitments.reflected(found),
            told=found.position,
            quarantined=found.quarantined,
            unchanged=lambda: signs_on(clock.day_of(found.recorded_at)) == signs,
        )

    one.history(
        doc="Everything that was recorded of a commitment, in order: what, when, by whom, and on which decision."
    )
    one.fact("assessments", Assessed, Commitment.assess, access=_JUDGES)
    one.fact(
        "progress-reports",
        ProgressReported,
        Commitment.report_progress,
        access=_DELIVERS,
        request=request_of(ProgressReported, optional=("effective_on",)),
        tells={"number": "number"},
    )
    one.fact(
        "progress-reports/{n}/reviews",
        ProgressReviewed,
        Commitment.review_progress,
        access=Access(UNIT, if_match="required", note="never the author of the report"),
        path_fields={"n": "report"},
    )
    one.fact(
        "deadline-revisions",
        DeadlineRevised,
        # What is asked is a little more than the event: `Revision`.
        cast("Callable[[Commitment, Any, Context], Decided]", Commitment.revise_deadlines),
        access=_JUDGES,
        request=request_of(
            DeadlineRevised,
            made_by=_revision,
            internal_on=(InternalDay, None),
            name="DeadlineRevisionRequest",
        ),
        again=Commitment.revise_deadline,
    )
    one.fact("reassignments", LeadReassigned, commitments.reassign_lead, access=_JUDGES)
    one.fact(
        "completions",
        Completed,
        commitments.ending(Commitment.complete),
        access=_JUDGES,
        considering=lambda _: (Merged,),
        again=Commitment.complete,
    )
    one.fact(
        "discards",
        Discarded,
        commitments.ending(Commitment.discard),
        access=_JUDGES,
        considering=lambda _: (Merged,),
        again=Commitment.discard,
    )
    one.fact("reopenings", Reopened, Commitment.reopen, access=_JUDGES)
    one.fact(
        "mergers",
        Merged,
        commitments.merge,
        access=_JUDGES,
        considering=lambda _: ENDING,
        again=lambda it, told, context: it.merge(told, context, Successor(told.into, open=True)),
    )
    one.fact(
        "splits",
        Split,
        commitments.split,
        largest_body=ROOMY,
        access=_JUDGES,
        request=_SPLIT,
        considering=lambda _: (Merged,),
        again=lambda it, told, context: it.split(told, context, told.parts),
    )
    one.fact(
        "milestones",
        MilestoneSet,
        Commitment.set_milestone,
        access=_JUDGES,
        request=request_of(MilestoneSet, optional=("number",)),
        tells={"number": "number"},
    )
    one.fact(
        "milestones/{n}/completions",
        MilestoneCompleted,
        Commitment.complete_milestone,
        access=_DELIVERS,
        path_fields={"n": "number"},
    )
    one.fact("risk-assessments", RisksAssessed, Commitment.assess_risks, access=_JUDGES)
    one.fact(
        "budget-estimates",
        BudgetEstimated,
        Commitment.estimate_budget,
        access=Access(UNIT | {Role.DIPRES}, if_match="required", note="the budget office says what it costs"),
    )
    one.fact(
        "comments",
        Commented,
        Commitment.comment,
        access=Access(
            UNIT | {Role.MINISTRY, Role.DIPRES},
            own_organization=frozenset({Role.MINISTRY}),
            if_match="required",
            note="ministries on their own",
        ),
    )
    one.fact("publications", VisibilityChanged, Commitment.change_visibility, access=_KEEPS)
    one.fact(
        "corrections",
        Corrected,
        commitments.knowing(Commitment.correct),
        access=_KEEPS,
        considering=_moving,
        again=lambda it, told, context: it.correct(told, context, ANYTHING),
    )
    one.fact(
        "changes",
        Changed,
        commitments.knowing(Commitment.change),
        access=_JUDGES,
        considering=_moving,
        again=lambda it, told, context: it.change(told, context, ANYTHING),
    )
    one.retractions(
        CommitmentFactRetracted,
        access=Access(
            UNIT | {Role.MINISTRY, Role.DIPRES},
            own_organization=frozenset({Role.MINISTRY, Role.DIPRES}),
            if_match="required",
            note="ministries and the budget office what they recorded themselves",
        ),
        considering=(*NAMING, *ENDING),
    )
    return router


def _moving(proposed: Restating) -> tuple[type[Event], ...]:
    """What else may tell that a commitment is part of another one than before.

    A registration does not close a circle: no other commitment can be part of one that was not there yet. It may make
    a part of a layer that another kind could not contain, or of a day on which the other would count no more.
    """
    considered = {"parent": REPARENTING, "kind": PLACING, "effective_on": NAMING}
    return considered.get(proposed.field, ())


def _revision(internal_on: date | None = None, **members: Any) -> Revision:
    return Revision(DeadlineRevised(**members), internal_on)


# --- refusals --------------------------------------------------------------------------------------------------------

ERRORS: Catalogue = {
    # 403
    "not-your-commitment": Explained(
        403,
        "Not your commitment",
        "A ministry reports, comments and completes milestones only where it leads, is the responsible service or "
        "collaborates.",
    ),
    # 404
    "unknown-commitment": Explained(
        404, "Unknown commitment", "There is no commitment by this id or code, or none you may know of."
    ),
    "report-not-found": Explained(
        404,
        "No such report",
        "The commitment has no progress report by this number; they are numbered from 1.",
    ),
    "milestone-not-found": Explained(
        404, "No such milestone", "The commitment has no milestone by this number; they are numbered from 1."
    ),
    # 409
    "commitment-closed": Explained(
        409,
        "Commitment closed",
        "On that day the commitment had been completed, discarded, merged or split. Facts dated before that day are "
        "still taken; for later ones reopen it first.",
    ),
    "not-closed": Explained(409, "Nothing to reopen", "The commitment is open: nothing closed it."),
    "reopening-before-closure": Explained(
        409,
        "Reopened before it was closed",
        "A reopening takes effect on the day of the closing or after it.",
    ),
    "reopened-later": Explained(
        409,
        "Reopened later",
        "It was reopened as of a later day. What closes or reopens it is told in the order of its days; a reopening "
        "entered by mistake is retracted first.",
    ),
    "organization-dissolved": Explained(
        409,
        "Organisation dissolved",
        "On that day the organisation was no more: name one of its successors, which `detail` lists.",
    ),
    "deadline-unchanged": Explained(
        409, "Deadline unchanged", "A revision gives the deadline another day than the one it had."
    ),
    "internal-after-public": Explained(
        409,
        "Internal deadline after the public one",
        "The internal deadline warns ahead of the public one: it falls on the same day at the latest. A revision of "
        "the public one takes an `internal_on`, which moves both.",
    ),
    "lead-unchanged": Explained(
        409, "Lead unchanged", "That organisation led the commitment already on that day."
    ),
    "merger-into-itself": Explained(409, "Merger into itself", "Name another commitment as `into`."),
    "merger-in-a-circle": Explained(
        409, "Merger in a circle", "The other commitment itself goes on in this one: reopen it first."
    ),
    "merger-into-closed": Explained(
        409,
        "Merger into a closed commitment",
        "What it is merged into was closed on that day: reopen that one first, or name the one it went on in. And "
        "nothing is closed before what was merged into it: close it on a later day.",
    ),
    "successor-not-there-yet": Explained(
        409,
        "Successor not there yet",
        "What it is merged into counts from a later day on only: merge on that day, or correct its `effective_on`. And "
        "what goes on in another commitment is not left without it when that one's `effective_on` is corrected.",
    ),
    "part-before-split": Explained(
        409,
        "Part before its split",
        "A part counts from the day of the split on that made it: retract a split of the wrong day, record it anew.",
    ),
    "split-not-reopened": Explained(
        409,
        "Split not reopened",
        "What was split goes on in its parts. A split made by mistake is retracted.",
    ),
    "reviewer-is-author": Explained(
        409, "Reviewer is the author", "A progress report is reviewed by somebody else than its author."
    ),
    "report-already-reviewed": Explained(
        409,
        "Report already reviewed",
        "A report is reviewed once; one that was returned is answered by a new report.",
    ),
    "no-change-contradicted": Explained(
        409,
        "Change reported as no change",
        "With `no_change` leave `stage` and `percent` out, or give them as they stand.",
    ),
    "milestone-completed": Explained(
        409, "Milestone completed", "The milestone was reached: it is neither planned anew nor reached again."
    ),
    "milestone-unchanged": Explained(
        409, "Milestone unchanged", "Planning a milestone anew changes its name, its day or its description."
    ),
    "visibility-unchanged": Explained(
        409, "Visibility unchanged", "The commitment already has this visibility."
    ),
    "correction-changes-nothing": Explained(
        409, "Correction changes nothing", "The field already has this value in the registration."
    ),
    "correction-without-effect": Explained(
        409,
        "Correction without effect",
        "Another fact says what the field is on every day on which it is shown: record a change, or retract that fact.",
    ),
    "change-changes-nothing": Explained(
        409, "Change changes nothing", "On that day the field already had this value."
    ),
    "before-registration": Explained(
        409,
        "Before the first day",
        "Nothing happens to a commitment before the first day it counts. If it was there already, correct its "
        "`effective_on`.",
    ),
    "part-there-before": Explained(
        409,
        "Part there before it",
        "What is part of it counts from an earlier day on than it would: correct that part first.",
    ),
    "parent-is-descendant": Explained(
        409,
        "Parent is part of it",
        "A commitment cannot be part of itself, nor of something that is part of it.",
    ),
    "parent-below": Explained(
        409,
        "Parent of a lower layer",
        "A strategic objective contains actions, and these contain commitments; never the other way round. That holds "
        "for a corrected `kind`, too.",
    ),
    # 422
    "code-malformed": Explained(
        422,
        "Malformed code",
        "A code has 1 to 64 letters, digits, dots, hyphens or underscores, begins with a letter or digit, and does "
        "not look like a UUID.",
    ),
    "date-in-future": Explained(
        422,
        "Date in the future",
        "Facts took effect today or earlier, in the government's time zone; only deadlines and targets lie ahead.",
    ),
    "reason-required": Explained(422, "Reason required", "Say why, in words somebody can read years later."),
    "text-required": Explained(422, "Text required", "The text cannot be blank."),
    "unseen-character": Explained(
        422, "Unseen character", "A text of one line has no control, bidirectional or zero-width characters."
    ),
    "text-too-long": Explained(422, "Text too long", "`errors` says how many characters fit."),
    "too-many-items": Explained(422, "Too many items", "A list takes at most 200 items."),
    "named-twice": Explained(422, "Named twice", "Name each item of the list once."),
    "evidence-required": Explained(
        422, "Evidence required", "A completion rests on at least one piece of evidence that says what it is."
    ),
    "judgement-or-rating-required": Explained(
        422,
        "Judgement or rating required",
        "Give a judgement, or the rating on the assessor's own scale, or both.",
    ),
    "internal-on-misplaced": Explained(
        422,
        "Internal day beside the internal deadline",
        "`internal_on` goes with a revision of the public deadline; one of the internal deadline says its day as `on`.",
    ),
    "period-to-come": Explained(
        422, "Period to come", "A report is about a period that has begun on the day it is of."
    ),
    "percent-out-of-range": Explained(422, "Percentage out of range", "A percentage lies between 0 and 100."),
    "nothing-reported": Explained(
        422, "Nothing reported", "Give the progress observed, a stage or a percentage, or say `no_change`."
    ),
    "no-risk-rated": Explained(422, "No risk rated", "Rate at least one risk."),
    "risk-out-of-range": Explained(422, "Risk out of range", "Risks are rated from 1 (low) to 4 (high)."),
    "budget-lines-missing": Explained(422, "No budget figures", "An estimate has at least one figure."),
    "budget-line-repeated": Explained(
        422, "Budget figure repeated", "Within one estimate, give each figure once for each year."
    ),
    "amount-malformed": Explained(
        422,
        "Malformed amount",
        "Amounts are decimal text, such as `1234.5`: at most 18 digits and 6 decimals.",
    ),
    "currency-malformed": Explained(
        422, "Malformed currency", "Give the three letters of the currency, as in CLP."
    ),
    "milestone-out-of-sequence": Explained(
        422,
        "Milestone out of sequence",
        "Leave `number` out for a new milestone, or give that of an existing one.",
    ),
    "merger-into-unknown": Explained(422, "Merger into an unknown commitment", "`into` names no commitment."),
    "bilateral-not-public": Explained(
        422,
        "Bilateral agreement not public",
        "What was agreed in a bilateral meeting is registered as `reserved` or `internal`, and published later with "
        "a reason.",
    ),
    "field-not-correctable": Explained(
        422,
        "Field not correctable",
        "Every field of the registration can be corrected except the code, which never changes, and the visibility, "
        "which a publication changes.",
    ),
    "correction-value-invalid": Explained(
        422, "Value does not fit the field", "Give the value in the shape the field has in a registration."
    ),
    "change-value-invalid": Explained(
        422, "Value does not fit the field", "Give the value in the shape the field has in a registration."
    ),
    "parent-not-there-yet": Explained(
        422,
        "Parent not there yet",
        "What it is part of counts from a later day on, which `detail` names: correct the `effective_on` of one of "
        "them.",
    ),
    "parent-unknown": Explained(422, "Unknown parent", "`parent` is the code of a commitment on record."),
    "split-from-not-registered": Explained(
        422,
        "Part registered by itself",
        "Leave `split_from` out. The parts of a commitment are registered by its split: "
        "`POST /v1/commitments/{id}/splits`.",
    ),
    "split-too-few": Explained(422, "Too few parts", "A split makes at least two parts."),
    "part-wider-than-original": Explained(
        422,
        "Part more public than its original",
        "A part is for the readers of its original or for fewer; publish it afterwards, with a reason.",
    ),
    "weight-out-of-range": Explained(
        422, "Weight out of range", "A weight is above 0, at most 1000000, and has at most 6 decimals."
    ),
    "unknown-organization": Explained(
        422, "Unknown organisation", "Register the organisation first: `PUT /v1/organizations/{code}`."
    ),
    "unknown-pillar": Explained(422, "Unknown pillar", "Declare the pillar first: `PUT /v1/pillars/{code}`."),
}
