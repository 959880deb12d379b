"""Warning signs over everything on a day: what makes a reader look twice, with its events; it accuses nobody.

Those of indicators lie in the read model. A commitment without a deadline, or achieved just before a report, is found
by its state; how its deadline was corrected is read from the log for those of a page. Those of decisions are the gaps
between their budget impact and their lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    cast,
    literal,
    null,
    select,
    tuple_,
    union_all,
)

from services.reporting.datasets import (
    END_OF_LOG,
    budget_gaps,
    commitment_details,
    commitment_states,
    decision_commitments,
    decisions,
    indicators,
    readers,
    warning_signs,
)
from services.reporting.queries.access import Scope, read_by_among
from services.reporting.queries.board import readable_codes
from services.reporting.queries.decision_items import Reader
from services.reporting.queries.decisions import DecisionFilters, admitted, with_acknowledgement
from services.reporting.queries.indicators import IndicatorFilters, indicators_there, measured_by
from services.reporting.queries.moments import AsOf
from services.reporting.queries.states import rows_there
from services.reporting.reading import Reading
from shared.aggregate.deadline_corrections import dated_facts_in, deadline_corrections_in
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.store import Store
from shared.rules.budget_gaps import BudgetGap
from shared.rules.commitment_warnings import (
    COMMITMENT_DETAILS,
    REPORT_DAYS,
    CommitmentWarning,
    deadline_corrected_after_due,
    without_deadline,
)
from shared.rules.indicator_warnings import DETAILS, WarningCode
from shared.rules.sign_texts import PARAMETERS_ABOUT, Parameters, filled
from shared.rules.traffic_light import Closure

_state: Final = commitment_states.c
DayOf = Callable[[datetime], date]


class Subject(StrEnum):
    """What a sign is of."""

    COMMITMENT = "commitment"
    DECISION = "decision"
    INDICATOR = "indicator"


GAPS: Final = (BudgetGap.NO_LINE_IN_FIRST_REQUEST, BudgetGap.OVER, BudgetGap.SOURCE_NOT_NAMED)
SIGNS: Final = (*CommitmentWarning, *WarningCode, *(gap.value for gap in GAPS))
"""The kinds of sign."""

_TOLD: Final[Mapping[str, str]] = {
    **{str(code): text for texts in (COMMITMENT_DETAILS, DETAILS) for code, text in texts.items()},
    # As on the board, where the days before a report are not counted.
    CommitmentWarning.ACHIEVED_BEFORE_REPORT: "It was achieved on {on}, in the last days before the report.",
    BudgetGap.NO_LINE_IN_FIRST_REQUEST: "The lines of the first request lack {amount} {currency} of what it costs.",
    BudgetGap.OVER: "The lines of the first request come to {amount} {currency} more than it costs.",
    BudgetGap.SOURCE_NOT_NAMED: "The money is moved within the budget, and nobody says from where.",
}


class SignFilters(NamedTuple):
    """Which signs a list is of; an empty sequence admits all."""

    subject: Sequence[str] = ()
    sign: Sequence[str] = ()
    organization: Sequence[str] = ()
    commitment: Sequence[str] = ()
    reporting_on: date | None = None
    """The day of a report before which achievements are a sign; without one they are none."""


class Sign(msgspec.Struct, frozen=True):
    """What makes a reader look twice at something, which proves nothing."""

    subject: Annotated[Subject, Meta(description="Of which kind of thing it is a sign.")]
    id: UUID
    code: Annotated[
        str, Meta(description="The code of the commitment or indicator, the number of the decision.")
    ]
    sign: Annotated[str, Meta(description="The kind of sign.", extra_json_schema={"enum": list(SIGNS)})]
    detail: Annotated[str, Meta(description="What was seen, in words.")]
    parameters: Annotated[
        dict[str, Any],
        Meta(description=PARAMETERS_ABOUT),
    ]
    because: Annotated[int, Meta(description="The position of the last of the events it follows from.")]
    events: Annotated[list[int], Meta(description="The positions of all the events it follows from.")]
    organizations: Annotated[
        list[str],
        Meta(description="Who leads the commitment, or those it measures, or whom the decision concerns."),
    ]
    commitments: Annotated[
        list[str],
        Meta(
            description="The commitment, or those that are measured or decided on, that the asker may know of."
        ),
    ]


class Key(NamedTuple):
    """Where a sign stands in the list: those of one thing stand together."""

    subject: str
    code: str
    sign: str
    because: int
    number: int


class _Found(NamedTuple):
    """A sign before it is shown."""

    key: Key
    thing_id: UUID
    parameters: Parameters
    events: list[int]


def signs_as_of(
    reading: Reading,
    store: Store,
    at: AsOf,
    reader: Reader,
    filters: SignFilters,
    *,
    day_of: DayOf,
    after: Key | None = None,
    limit: int = 50,
) -> tuple[list[Sign], Key | None]:
    """The signs there are on the day of `at`, in order of what they are of; and where the next page begins."""
    subjects = filters.subject or list(Subject)
    parts: list[Select[Any]] = []
    if Subject.COMMITMENT in subjects:
        parts += _of_commitments(reading, at, reader.scope, filters)
    if Subject.DECISION in subjects:
        parts.append(_of_decisions(reading, at, reader, filters))
    if Subject.INDICATOR in subjects:
        parts.append(_of_indicators(reading, at, reader.scope, filters))
    rows = union_all(*parts).subquery()
    columns = rows.c
    order = (columns.subject, columns.code, columns.sign, columns.because, columns.number)
    wanted = [columns.sign.in_(filters.sign)] if filters.sign else []
    found: list[_Found] = []
    begun: Sequence[Any] | None = after
    # A row may stand for no sign, or for one told on the page before: only the end of the rows is the end of the list.
    while len(found) <= limit:
        beyond = [] if begun is None else [tuple_(*order) > tuple_(*(literal(one) for one in begun))]
        page = reading.connection.execute(
            select(rows).where(*wanted, *beyond).order_by(*order).limit(limit + 2)
        ).all()
        found += [
            one for row in page for one in _signs_in(row, store, at, day_of) if not _passed(one.key, after)
        ]
        if len(page) < limit + 2:
            break
        begun = Key(page[-1].subject, page[-1].code, page[-1].sign, page[-1].because, page[-1].number)
    last = found[limit - 1].key if len(found) > limit else None
    return _shown(reading, at, reader, found[:limit]), last


def _passed(key: Key, after: Key | None) -> bool:
    """Whether a sign was told on the page before: only of one kind and thing may some have been, and others not."""
    return after is not None and key[:3] == after[:3] and key[3:] <= after[3:]


def _columns(
    subject: Subject,
    thing_id: Any,
    code: Any,
    sign: Any,
    because: Any,
    *,
    number: Any = 0,
    parameters: Any = None,
    events: Any = None,
    amount: Any = None,
    currency: Any = None,
    on: Any = None,
) -> list[ColumnElement[Any]]:
    def text(value: Any) -> ColumnElement[Any]:
        return cast(null() if value is None else value, Text)

    return [
        literal(subject.value, Text).label("subject"),
        cast(thing_id, Uuid).label("thing_id"),
        code.label("code"),
        (literal(sign.value, Text) if isinstance(sign, StrEnum) else sign).label("sign"),
        cast(because, BigInteger).label("because"),
        cast(number, BigInteger).label("number"),
        text(parameters).label("parameters"),
        text(events).label("events"),
        text(amount).label("amount"),
        text(currency).label("currency"),
        text(on).label("on_day"),
    ]


def _of_commitments(reading: Reading, at: AsOf, scope: Scope, filters: SignFilters) -> Iterator[Select[Any]]:
    admits: list[ColumnElement[bool]] = []
    if filters.organization:
        admits.append(_state.lead_organization.in_(filters.organization))
    if filters.commitment:
        admits.append(_state.code.in_(filters.commitment))
    there = and_(rows_there(reading, at, scope), *admits)

    def signs(sign: CommitmentWarning, because: Any, *, on: Any = None) -> list[ColumnElement[Any]]:
        return _columns(Subject.COMMITMENT, _state.commitment_id, _state.code, sign, because, on=on)

    missing = signs(CommitmentWarning.DEADLINE_MISSING, _state.registered_at)
    yield select(*missing).where(there, _state.closure.is_(None), _state.public_deadline.is_(None))
    # Which events these are is read from the log; until then they come after all others of the same kind.
    corrected = signs(CommitmentWarning.DEADLINE_CORRECTED_AFTER_DUE, END_OF_LOG)
    yield select(*corrected).where(there, _state.corrected_after_due > 0)
    if filters.reporting_on is not None:
        reported = at._replace(on=filters.reporting_on)
        details = commitment_details.c
        achieved = signs(CommitmentWarning.ACHIEVED_BEFORE_REPORT, _state.closure_at, on=details.achieved_on)
        before = min(REPORT_DAYS, (filters.reporting_on - date.min).days)
        first = filters.reporting_on - timedelta(days=before)
        yield select(*achieved).where(
            rows_there(reading, reported, scope),
            *admits,
            _state.closure == Closure.ACHIEVED.value,
            details.commitment_id == _state.commitment_id,
            commitment_details.holds(filters.reporting_on, at.position),
            details.achieved_on >= first,
        )


def _of_decisions(reading: Reading, at: AsOf, reader: Reader, filters: SignFilters) -> Select[Any]:
    chosen = DecisionFilters(organization=filters.organization, commitment=filters.commitment)
    gap = budget_gaps.c
    columns = _columns(
        Subject.DECISION,
        decisions.c.decision_id,
        decisions.c.number,
        gap.gap,
        gap.because,
        amount=gap.amount,
        currency=decisions.c.currency,
    )
    return (
        select(*columns)
        .select_from(
            with_acknowledgement(at, reader).join(
                budget_gaps.table, gap.decision_id == decisions.c.decision_id
            )
        )
        .where(
            admitted(reading, at, reader, chosen),
            gap.gap.in_([one.value for one in GAPS]),
            gap.since_on.is_not(None),
            budget_gaps.holds(reader.until, at.position),
        )
    )


def _of_indicators(reading: Reading, at: AsOf, scope: Scope, filters: SignFilters) -> Select[Any]:
    sign = warning_signs.c
    columns = _columns(
        Subject.INDICATOR,
        sign.thing_id,
        indicators.c.code,
        sign.sign,
        sign.because,
        number=sign.number,
        parameters=sign.parameters,
        events=sign.events,
    )
    chosen = IndicatorFilters({}, commitment=filters.commitment, organization=filters.organization)
    return select(*columns).where(
        indicators_there(reading, at, scope, chosen),
        sign.thing_id == indicators.c.indicator_id,
        sign.parameters.is_not(None),
        warning_signs.holds(at.on, at.position),
    )


def _signs_in(row: Any, store: Store, at: AsOf, day_of: DayOf) -> Iterator[_Found]:
    """The signs that a row stands for: one, or of corrected deadlines as many as there were by the day."""
    key = Key(row.subject, row.code, row.sign, row.because, row.number)
    match row.sign:
        case CommitmentWarning.DEADLINE_CORRECTED_AFTER_DUE:
            history = _history(store, row, at)
            by_then = [one for one in deadline_corrections_in(history, day_of) if one.recorded_on <= at.on]
            for one in deadline_corrected_after_due(by_then):
                because = max(one.events)
                yield _Found(
                    key._replace(because=because), row.thing_id, one.parameters, sorted(set(one.events))
                )
            return
        case CommitmentWarning.DEADLINE_MISSING:
            found = without_deadline(dated_facts_in(_history(store, row, at)), at.on)
            yield from (_Found(key, row.thing_id, one.parameters, list(one.events)) for one in found)
            return
        case CommitmentWarning.ACHIEVED_BEFORE_REPORT:
            seen: Parameters = {"on": row.on_day}
        case _ if row.subject == Subject.DECISION:
            seen = {"amount": row.amount, "currency": row.currency}
        case _:
            yield _Found(
                key, row.thing_id, msgspec.json.decode(row.parameters), msgspec.json.decode(row.events)
            )
            return
    yield _Found(key, row.thing_id, seen, [row.because])


def _history(store: Store, row: Any, at: AsOf) -> list[Recorded]:
    lines = store.read_stream(row.thing_id, 0, at.position)
    return [codec.decode(line, position) for position, line in lines]


def _shown(reading: Reading, at: AsOf, reader: Reader, page: Sequence[_Found]) -> list[Sign]:
    """The signs of a page, with whose they are."""
    ids: dict[str, set[UUID]] = defaultdict(set)
    for one in page:
        ids[one.key.subject].add(one.thing_id)
    measured = measured_by(reading, at, reader.scope, ids[Subject.INDICATOR])
    codes = {code for found in measured.values() for code in found}
    codes |= {one.key.code for one in page if one.key.subject == Subject.COMMITMENT}
    leads = _leads(reading, at, reader.scope, codes)
    concerned = _concerned(reading, at, ids[Subject.DECISION])
    named = _named(reading, at, reader.scope, ids[Subject.DECISION])

    def sign(one: _Found) -> Sign:
        key = one.key
        of = {
            Subject.COMMITMENT.value: [key.code],
            Subject.INDICATOR.value: measured.get(one.thing_id, []),
            Subject.DECISION.value: named.get(one.thing_id, []),
        }[key.subject]
        whose = (
            concerned.get(one.thing_id, [])
            if key.subject == Subject.DECISION
            else sorted({leads[code] for code in of if code in leads})
        )
        return Sign(
            subject=Subject(key.subject),
            id=one.thing_id,
            code=key.code,
            sign=key.sign,
            detail=filled(_TOLD[key.sign], one.parameters),
            parameters=dict(one.parameters),
            because=one.events[-1],
            events=one.events,
            organizations=whose,
            commitments=of,
        )

    return [sign(one) for one in page]


def _leads(reading: Reading, at: AsOf, scope: Scope, codes: Iterable[str]) -> dict[str, str]:
    query = select(_state.code, _state.lead_organization).where(
        _state.code.in_(sorted(codes)), rows_there(reading, at, scope)
    )
    return {row.code: row.lead_organization for row in reading.connection.execute(query)}


def _named(reading: Reading, at: AsOf, scope: Scope, ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    """The commitments that some decisions concern, as far as the asker may know of them."""
    # Of what a decision does, others than its readers know only if they may read every commitment that it names: as in
    # the filter, so that nothing is found by what is not told.
    named = decision_commitments.c
    query = select(named.decision_id, named.commitment, named.in_effect_only).where(
        named.decision_id.in_(sorted(ids)), decision_commitments.known_at(at.position)
    )
    found: dict[UUID, dict[str, bool]] = defaultdict(dict)
    for row in reading.connection.execute(query.order_by(named.commitment)):
        found[row.decision_id][row.commitment] = row.in_effect_only
    codes = readable_codes(reading, at.position, scope, {code for of in found.values() for code in of})
    own = read_by_among(reading, scope, at.position, found)
    return {
        one: [
            code
            for code, in_effect_only in of.items()
            if code in codes and (not in_effect_only or one in own or codes >= of.keys())
        ]
        for one, of in found.items()
    }


def _concerned(reading: Reading, at: AsOf, ids: Iterable[UUID]) -> dict[UUID, list[str]]:
    found: dict[UUID, list[str]] = defaultdict(list)
    query = (
        select(readers.c.thing_id, readers.c.organization)
        .where(readers.c.thing_id.in_(sorted(ids)), readers.c.concerned, readers.known_at(at.position))
        .order_by(readers.c.organization)
    )
    for row in reading.connection.execute(query):
        found[row.thing_id].append(row.organization)
    return found
