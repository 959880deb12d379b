"""The board, what changed on it, and the timeline of each commitment."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta
from pydantic import Field, create_model
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.queries.access import Scope
from services.reporting.queries.board import (
    COUNTED,
    DIMENSIONS,
    FILTERS,
    STATUS,
    Board,
    Group,
    Item,
    Totals,
    board_as_of,
    grouped_board_as_of,
)
from services.reporting.queries.changes import Change, Changes, Reconciled, changes_between
from services.reporting.queries.corrected import CorrectedSince
from services.reporting.queries.corrections import corrected_since
from services.reporting.queries.moments import AsOf
from services.reporting.queries.promises import CountBy
from services.reporting.queries.reconciliation import (
    Account,
    By,
    Counted,
    Entry,
    GroupAccount,
    Reconciliation,
    Term,
    reconciliation_between,
)
from services.reporting.queries.timeline import Days, DaysRemoved, Timeline, timeline_as_of
from services.reporting.queries.unknown_words import refuse_unknown_words
from services.reporting.reading import Reading
from services.reporting.routes.asking import (
    SHOWN,
    TOLD,
    Asked,
    Identifier,
    Judged,
    KnownOn,
    NextPage,
    Paged,
    Position,
    PositionTold,
    Reporting,
    RuleAsked,
    RuleName,
    ScopeName,
    filter_parameters,
    filters_in,
    going_on,
    heading,
    listed,
    next_page,
    tagged,
    values_in,
)
from shared.errors import InvalidInput
from shared.events.streams import resolve
from shared.events.types import CivilDay, Kind
from shared.http.moments import KNOWN_AT_BY_DAY, KnownAt, RecordedAt
from shared.http.names import Spelling, split_words
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Limit
from shared.http.routing import Router
from shared.http.schemas import one_of
from shared.rules.traffic_light import TRAFFIC_LIGHT_1, Status

GROUPS: Final = (STATUS, *DIMENSIONS)


_CountByAsked = Annotated[
    CountBy,
    Field(
        description="Every commitment by itself; or promises: what was split counts once, in the state of what it "
        "goes on in, and is filtered and grouped as it was made."
    ),
]


class _BoardQuery(Paged, Judged):
    status: Annotated[str | None, listed("A state, or how it goes on in others", COUNTED)] = None
    count_by: _CountByAsked = CountBy.COMMITMENT
    group_by: Annotated[str | None, listed("Count by one of these", GROUPS)] = None
    include: Annotated[
        Literal["total"] | None, Field(description="Adds how many items the whole list has.")
    ] = None


BoardQuery: Final = create_model("BoardQuery", __base__=_BoardQuery, **filter_parameters(FILTERS))


class ChangesQuery(Asked):
    """Two days, and how much of the log each side is to know: by default both as much."""

    first: Annotated[CivilDay, Field(alias="from", description="The earlier day.")]
    last: Annotated[CivilDay, Field(alias="to", description="The later day.")]
    from_known_at: Annotated[KnownAt | None, Field(description=f"Of the earlier side: {KNOWN_AT_BY_DAY}")] = (
        None
    )
    from_position: Annotated[
        Position | None, Field(description="Of the earlier side: as the log knew it at this position.")
    ] = None
    rule: RuleAsked = TRAFFIC_LIGHT_1
    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None

    @property
    def day(self) -> date | None:
        """See `Asked.day`."""
        return self.last


class BoardAnswer(msgspec.Struct, kw_only=True):
    """The board on a day."""

    status_rule: RuleName
    on: date
    position: PositionTold
    known_on: KnownOn
    known_at: RecordedAt
    scope: ScopeName
    corrected: CorrectedSince
    count_by: CountBy
    totals: Totals
    total: int | msgspec.UnsetType = msgspec.UNSET
    items: list[Item]
    next: NextPage


class GroupedBoardAnswer(BoardAnswer, kw_only=True):
    """The board on a day, counted by groups."""

    group_by: list[str]
    items: list[Group]


class _TwoSides(msgspec.Struct, kw_only=True):
    """What an answer that goes from one day to another says of both."""

    first: date = msgspec.field(name="from")
    last: date = msgspec.field(name="to")
    status_rule: RuleName
    position: PositionTold
    known_on: KnownOn
    known_at: RecordedAt
    scope: ScopeName
    from_position: PositionTold
    from_known_on: KnownOn
    from_known_at: RecordedAt
    corrected: Annotated[CorrectedSince, Meta(description="What the later day is told otherwise.")]
    from_corrected: Annotated[CorrectedSince, Meta(description="What the earlier day is told otherwise.")]


class ChangesAnswer(_TwoSides, kw_only=True):
    """What is different between two days."""

    sums: Reconciled
    items: list[Change]
    next: NextPage


class _ReconciliationQuery(ChangesQuery):
    by: Annotated[
        By,
        Field(
            description="What is reconciled apart. By state: everything on the board. By anything else: what is open, "
            "neither achieved nor discarded, nor gone on in others."
        ),
    ] = By.STATE
    count_by: _CountByAsked = CountBy.COMMITMENT
    term: Annotated[str | None, listed("List only what arrived or left for this reason", Term)] = None


ReconciliationQuery: Final = create_model(
    "ReconciliationQuery", __base__=_ReconciliationQuery, **filter_parameters(FILTERS)
)


class ReconciliationAnswer(_TwoSides, kw_only=True):
    """How the count of one day becomes that of another."""

    by: Annotated[By, Meta(description="What is reconciled apart.")]
    count_by: CountBy
    totals: Annotated[
        Account,
        Meta(description="The whole: what goes from one group to another neither arrives nor leaves."),
    ]
    groups: Annotated[list[GroupAccount], Meta(description="All of them, on every page.")]
    items: list[Entry]
    next: NextPage


class TimelineAnswer(msgspec.Struct, kw_only=True):
    """The life of a commitment in runs of days."""

    status_rule: RuleName
    on: date
    position: PositionTold
    known_on: KnownOn
    known_at: RecordedAt
    scope: ScopeName
    corrected: Annotated[
        CorrectedSince,
        Meta(
            description="What organisations were called, on whatever day; its own corrections stand by its days."
        ),
    ]
    id: UUID
    code: str
    title: str
    registered: Annotated[bool, Meta(description="Whether it existed on that day.")]
    status: Annotated[str, one_of(Status)] | None
    items: list[Days]
    removed: Annotated[
        list[DaysRemoved],
        Meta(
            description="Days on which it was there before its first day was corrected; none where none was."
        ),
    ]
    next: NextPage


def board_routes(reporting: Reporting) -> Router:
    """The routes of the board."""
    router = Router("board", "How commitments stand on a day, and what changed between two.")

    def earlier_side(request: Request, query: ChangesQuery, reading: Reading, at: AsOf, scope: Scope) -> AsOf:
        before = reporting.earlier_side(
            request, reading, at, query.first, query.from_known_at, query.from_position
        )
        return before._replace(corrected=corrected_since(reading, before, scope, TOLD))

    @router.get("/v1/board", access=SHOWN, answers=(BoardAnswer, GroupedBoardAnswer), query=BoardQuery)
    async def get_board(request: Request, query: _BoardQuery) -> Response:
        """Where every commitment stood on a day, as the log knew it at a moment or a position.

        Without `group_by` the items are commitments in order of code; with it they are groups with their counts, all of
        them. `totals` counts everything the filters admit and the asker may see, and names every term: `registered`
        is the sum of the six states, of what was merged or split, and of what was withdrawn from the asker's eyes
        since. The same question by `on` and `position` has the same answer for ever, but for what is withdrawn.
        """
        groups = _group_names(query.group_by)
        after, pinned = going_on(request, query.cursor, str)
        if after is not None and groups:
            raise InvalidInput("cursor-with-groups", "A grouped board has no pages.", pointer="/query/cursor")
        filters = filters_in(query, FILTERS)
        if states := values_in(query, STATUS, COUNTED):
            filters[STATUS] = states

        def answer(reading: Reading, at: AsOf, scope: Scope) -> Board:
            refuse_unknown_words(reading, at, scope, filters)
            if groups:
                return grouped_board_as_of(reading, at, scope, filters, groups, query.rule, query.count_by)
            return board_as_of(
                reading,
                at,
                scope,
                filters,
                after=None if after is None else after[0],
                limit=query.limit,
                rule=query.rule,
                count_by=query.count_by,
            )

        at, scope, found = await reporting.ask(request, query, answer, tells=TOLD, pinned=pinned)
        answered = partial(GroupedBoardAnswer, group_by=groups) if groups else BoardAnswer
        body = answered(
            status_rule=query.rule.name,
            **heading(at, scope),
            count_by=query.count_by,
            totals=found.totals,
            items=found.items,
            next=next_page(request, at, [found.items[-1].code] if found.more else None),
        )
        if query.include == "total":
            body.total = len(found.items) if groups else found.totals.shown
        return tagged(request, body, at)

    @router.get("/v1/board/changes", access=SHOWN, answers=ChangesAnswer, query=ChangesQuery)
    async def get_board_changes(request: Request, query: ChangesQuery) -> Response:
        """What is not as it was on the board of an earlier day, and the event behind each difference.

        Both days as known at one moment, or the earlier one as known at an earlier moment (`from_known_at`,
        `from_position`). `sums` reconcile: opening + entered - left = closing, of all and of each state.
        """
        _must_be_in_order(query)
        after, pinned = going_on(request, query.cursor, str)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[AsOf, Changes]:
            before = earlier_side(request, query, reading, at, scope)
            code = None if after is None else after[0]
            store, day_of = reporting.store, reporting.clock.day_of
            return before, changes_between(
                reading, store, day_of, before, at, scope, beyond=code, limit=query.limit, rule=query.rule
            )

        at, scope, (before, found) = await reporting.ask(request, query, answer, tells=TOLD, pinned=pinned)
        body = ChangesAnswer(
            **_heading_of_both(query, before, at, scope),
            sums=found.sums,
            items=found.items,
            next=next_page(request, at, [found.items[-1].code] if found.more else None),
        )
        return tagged(request, body, at)

    @router.get("/v1/reconciliation", access=SHOWN, answers=ReconciliationAnswer, query=ReconciliationQuery)
    async def get_reconciliation(request: Request, query: _ReconciliationQuery) -> Response:
        """How many there were on an earlier day, what arrived and left since and why, and how many there are.

        In each group opening + all that arrived - all that left = closing; `items` are the commitments, or promises,
        that did, by day and code, each with the event behind it. The days between are walked one by one, so that what
        was registered and achieved between the two is told as both. Where the earlier day is known at an earlier moment
        (`from_known_at`, `from_position`), what was `learned` of it since comes first.
        """
        _must_be_in_order(query)
        after, pinned = going_on(request, query.cursor, date, str)
        terms = values_in(query, "term", Term)
        asked = Counted(query.by, filters_in(query, FILTERS), query.count_by, query.rule)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> tuple[AsOf, Reconciliation]:
            refuse_unknown_words(reading, at, scope, asked.filters)
            before = earlier_side(request, query, reading, at, scope)
            beyond = None if after is None else (after[0], after[1])
            store, day_of = reporting.store, reporting.clock.day_of
            return before, reconciliation_between(
                reading,
                store,
                day_of,
                before,
                at,
                scope,
                asked,
                terms=terms,
                beyond=beyond,
                limit=query.limit,
            )

        at, scope, (before, found) = await reporting.ask(request, query, answer, tells=TOLD, pinned=pinned)
        last = found.items[-1] if found.more else None
        body = ReconciliationAnswer(
            **_heading_of_both(query, before, at, scope),
            by=query.by,
            count_by=query.count_by,
            totals=found.totals,
            groups=found.groups,
            items=found.items,
            next=next_page(request, at, None if last is None else [last.on.isoformat(), last.code]),
        )
        return tagged(request, body, at)

    @router.get(
        "/v1/commitments/{id}/timeline",
        access=SHOWN,
        answers=TimelineAnswer,
        query=Judged,
        tag="commitments",
        path_types={"id": Identifier},
    )
    async def get_timeline(request: Request, identifier: str, query: Judged) -> Response:
        """In which state a commitment was on which days, and which event made it so; `status` is that of the day `on`.

        A deadline that passes changes the state with nobody doing anything: such a run of days begins on the day after
        it.
        """
        spelling: Spelling = request.app.state.spelling
        commitment_id = resolve("commitment", await spelling("commitment", identifier) or identifier)

        def answer(reading: Reading, at: AsOf, scope: Scope) -> Timeline:
            day_of, store = reporting.clock.day_of, reporting.store
            return timeline_as_of(reading, store, at, scope, commitment_id, query.rule, day_of=day_of)

        at, scope, found = await reporting.ask(
            request, query, answer, tells=(Kind.ORGANIZATION,), every_day=True, rests_on=commitment_id
        )
        body = TimelineAnswer(
            status_rule=query.rule.name,
            **heading(at, scope),
            id=found.id,
            code=found.code,
            title=found.title,
            registered=found.registered,
            status=found.status,
            items=found.spans,
            removed=found.removed,
            next=None,
        )
        return tagged(request, body, at)

    return router


def _must_be_in_order(query: ChangesQuery) -> None:
    if query.first > query.last:
        raise InvalidInput("days-reversed", "The first day is later than the last.", pointer="/query/from")


def _heading_of_both(query: ChangesQuery, before: AsOf, at: AsOf, scope: Scope) -> dict[str, Any]:
    """What an answer about two days says of itself."""
    about, earlier = heading(at, scope), heading(before, scope)
    del about["on"]
    told = {f"from_{name}": earlier[name] for name in ("position", "known_on", "known_at", "corrected")}
    return {"first": query.first, "last": query.last, "status_rule": query.rule.name, **about, **told}


def _group_names(text: str | None) -> list[str]:
    """The names to group by, in the order given; InvalidInput for one that is none, or given twice."""
    if text is None:
        return []
    names = split_words(text)
    if not names or len(set(names)) != len(names) or not set(names) <= set(GROUPS):
        raise InvalidInput(
            "group-by-unknown",
            f"Group by one or several of {', '.join(GROUPS)}, each once, separated by commas.",
            pointer="/query/group_by",
        )
    return names
