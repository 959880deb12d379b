"""The routes of decisions: read with their history, acknowledged, tied to budget lines, and published."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Final
from uuid import UUID

import msgspec
from pydantic import Field

from services.meetings.decision.model import Decision
from shared.aggregate.command import Context
from shared.aggregate.documents import as_dated_entry, as_entries, entry_document, extended, members_of
from shared.aggregate.redaction import Readers, ReadersOf
from shared.aggregate.repository import Repository
from shared.events.meetings import (
    BudgetLineTied,
    DecisionAcknowledged,
    DecisionAgreed,
    DecisionAmended,
    DecisionPublished,
)
from shared.events.retractions import DecisionFactRetracted
from shared.events.types import MeetingId
from shared.http.catalogue import Catalogue, Explained
from shared.http.moments import RecordedAt, RecordedOn, recorded
from shared.http.resource import Private, Resource
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Actor, Role

OF_ITS_MEETING: Final = ("meeting", "agenda_item", "position_in_item", "circle", "correlation_id")
"""What a decision tells of its meeting: not for those to whom the decision alone was published.

The request that approved the minutes is that of everything which came of them, here and on commitments.
"""

_BUDGET_OFFICE: Final = Access(frozenset({Role.DIPRES}), if_match="required")
_ACKNOWLEDGEMENT: Final = entry_document(DecisionAcknowledged, effective_on=date)
_BUDGET_LINE: Final = entry_document(BudgetLineTied, effective_on=date)
_Number = Annotated[str, Field(examples=["SOCIAL-2012-014"])]

DECISION: Final = extended(
    "Decision",
    DecisionAgreed,
    "A decision: its text as sealed, what the budget office says of it, and the line it ended in.\n\n"
    "What it says of its meeting is for those who may know of that; what it names, for those who may know of it.",
    without=("circle",),
    id=UUID,
    number=_Number,
    meeting=MeetingId | None,
    position_in_item=int | None,
    acknowledgement=_ACKNOWLEDGEMENT | None,
    acknowledgements=list[_ACKNOWLEDGEMENT],  # type: ignore[valid-type]
    amendments=list[entry_document(DecisionAmended)],  # type: ignore[misc]
    amended_since_acknowledged=bool,
    budget_lines=list[_BUDGET_LINE],  # type: ignore[valid-type]
    publications=list[entry_document(DecisionPublished)],  # type: ignore[misc]
    updated_on=RecordedOn,
    updated_at=RecordedAt,
    version=int,
    position=int,
)


def decision_routes(
    decisions: Repository[Decision],
    readers_of: ReadersOf,
    meeting_readers: Callable[[UUID], Awaitable[Readers]],
) -> Router:
    """Every route of decisions; `meeting_readers` says who may know of the meeting that took one."""
    day_of = decisions.clock.day_of

    def decision_document(decision: Decision, _: date) -> msgspec.Struct:
        agreed = members_of(decision.agreed.event)
        del agreed["circle"]
        last = decision.acknowledgement(day_of)
        return DECISION(
            **agreed
            | {
                "id": decision.id,
                "visibility": decision.visibility,
                "acknowledgement": last and as_dated_entry(_ACKNOWLEDGEMENT, last, day_of),
                "acknowledgements": [
                    as_dated_entry(_ACKNOWLEDGEMENT, entry, day_of) for entry in decision.acknowledgements
                ],
                "amendments": as_entries(entry_document(DecisionAmended), decision.amendments),
                "amended_since_acknowledged": decision.amended_since_acknowledged(day_of),
                "budget_lines": [
                    as_dated_entry(_BUDGET_LINE, entry, day_of) for entry in decision.lines(day_of).values()
                ],
                "publications": as_entries(entry_document(DecisionPublished), decision.publications),
                **recorded("updated", decision.recorded_at, day_of),
                "version": decision.version,
                "position": decision.position,
            }
        )

    async def private(decision: Decision, actor: Actor) -> Private:
        meeting = await meeting_readers(decision.agreed.event.meeting)
        hidden = () if meeting.include(actor) else OF_ITS_MEETING
        return Private(hidden)

    async def publish(decision: Decision, proposed: DecisionPublished, context: Context) -> DecisionPublished:
        """Changes who may know of the decision: at least those who may know of its meeting."""
        meeting = await meeting_readers(decision.agreed.event.meeting)
        return decision.publish(proposed, meeting.visibility, context)

    router = Router(
        "decisions",
        "What meetings agreed, what the budget office said of it, and the lines it ended in.",
        number=Annotated[str, Field(description="The number, or the UUID.", examples=["SOCIAL-2012-014"])],
    )
    one: Resource[Decision] = Resource(
        router,
        "/v1/decisions/{number}",
        decisions,
        readers_of=readers_of,
        read=Access(EVERYONE, note="reserved ones: ministries only their own", etag=True, log_position=True),
        identity=lambda it: {"number": it.number},
        identity_types={"number": _Number},
        versioned=False,
        called=lambda it: it.number,
        private=private,
        whole=lambda it, actor: actor.is_of(it.readers().organizations),
    )
    one.document(
        DECISION,
        decision_document,
        doc="A decision: its text as it was sealed, with errata, acknowledgements and budget lines beside it.",
    )
    one.history(doc="Everything that was recorded of a decision, in order.")
    one.fact("acknowledgements", DecisionAcknowledged, Decision.acknowledge, access=_BUDGET_OFFICE)
    one.fact("budget-lines", BudgetLineTied, Decision.tie_budget_line, access=_BUDGET_OFFICE)
    one.fact(
        "publications",
        DecisionPublished,
        publish,
        access=Access(frozenset({Role.DCI}), if_match="required"),
    )
    one.retractions(
        DecisionFactRetracted,
        access=Access(
            frozenset({Role.DCI, Role.DIPRES}),
            own_organization=frozenset({Role.DIPRES}),
            if_match="required",
            note="acknowledgements and budget lines",
        ),
    )
    return router


ERRORS: Catalogue = {
    "unknown-decision": Explained(
        404, "Unknown decision", "There is no decision by this number, or none you may know of."
    ),
    "already-acknowledged": Explained(
        409,
        "Already acknowledged",
        "The budget office already said so. It may say the other thing, or speak again after an erratum.",
    ),
    "budget-line-already-tied": Explained(
        409, "Budget line already tied", "The line is tied with this very amount and request."
    ),
    "date-before-decision": Explained(
        422, "Before it was agreed", "Nobody says anything of a decision before the day it was agreed."
    ),
    "fiscal-year-impossible": Explained(422, "Impossible fiscal year", "A fiscal year is a calendar year."),
    "amount-malformed": Explained(
        422,
        "Malformed amount",
        'Decimal text such as "1234.5": 18 digits before the point and 6 after at most.',
    ),
    "target-value-malformed": Explained(
        422,
        "Malformed target",
        'Decimal text such as "28.56": 15 digits before the point and 20 after at most.',
    ),
    "amount-not-positive": Explained(
        422, "Amount not above zero", "What a decision costs, and what a budget line holds, is above zero."
    ),
    "not-a-reallocation": Explained(
        422,
        "Not a reallocation",
        "`reallocated_from` names the lines that moved money is taken from: leave it out, or say that the financing of "
        "the decision is `reallocation`.",
    ),
    "currency-malformed": Explained(422, "Malformed currency", "Three letters, as in CLP, CLF or USD."),
}
