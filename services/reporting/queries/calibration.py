"""How well judgements foretold what came: what was judged some months before a deadline, and what became of it.

A judgement is what stood on the day, whoever gave it and whenever. It is compared with the public deadline that was
then in force, and with the first one that was ever promised; what came is what is known on the day asked about.
"""

from __future__ import annotations

from bisect import bisect_right
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from enum import StrEnum
from statistics import median_low
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import and_, func, or_, select

from services.reporting.datasets import (
    END_OF_DAYS,
    PILLAR,
    commitment_details,
    commitment_states,
    commitments,
    progress_reports,
)
from services.reporting.queries.access import Scope
from services.reporting.queries.board import Filters, admitted
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import names_at
from services.reporting.queries.pillars import parent_without_pillar, pillars_of
from services.reporting.queries.states import rows_readable
from services.reporting.reading import Reading
from shared.events.vocabulary import Judgement, ReviewOutcome
from shared.rules.traffic_light import Closure

MONTHS: Final = (1, 3, 6, 12, 24)
"""How long before a deadline it is looked at what was judged."""

_DAY: Final = timedelta(days=1)
_row: Final = commitment_states.c


class JudgedBy(StrEnum):
    """What judgements are counted apart by."""

    ADVISER = "adviser"
    PILLAR = "pillar"


class Against(StrEnum):
    """Which public deadline counts: the one in force on the day of the judgement, or the first one of all."""

    IN_FORCE = "in_force"
    ORIGINAL = "original"


class Fulfilment(StrEnum):
    """What became of it by the day asked about."""

    ACHIEVED = "achieved"
    ACHIEVED_LATE = "achieved_late"
    DISCARDED = "discarded"
    NOT_ACHIEVED = "not_achieved"
    MERGED_OR_SPLIT = "merged_or_split"
    PENDING = "pending"


class About(StrEnum):
    """What an item is about."""

    JUDGEMENT = "judgement"
    DELAY = "delay"
    UNFOLLOWED = "unfollowed"


class Horizon(msgspec.Struct, frozen=True):
    """What became of that which was judged to be on track so many months before its deadline: `judged` is the sum."""

    months: Annotated[int, Meta(description="How many months before the deadline.")]
    against: Annotated[Against, Meta(description="Which deadline counts.")]
    judged: Annotated[
        int, Meta(description="How many were on track by the judgement that stood on that day.")
    ]
    achieved: Annotated[int, Meta(description="By the deadline.")]
    achieved_late: Annotated[int, Meta(description="After the deadline.")]
    discarded: Annotated[int, Meta(description="Given up.")]
    not_achieved: Annotated[int, Meta(description="The deadline has passed, and it is open.")]
    merged_or_split: Annotated[int, Meta(description="It is not followed into what it goes on in.")]
    pending: Annotated[int, Meta(description="The deadline has not passed, and it is open.")]


class Warnings(msgspec.Struct, frozen=True):
    """How long before the first delay of a commitment it was first judged to be at risk."""

    delayed: Annotated[int, Meta(description="How many were ever delayed: `warned` and the others.")]
    warned: Annotated[int, Meta(description="How many of them had been at risk before, by a judgement.")]
    median_days: Annotated[
        int | None,
        Meta(
            description="Of these, from the first such judgement to the delay; of two in the middle, the lower."
        ),
    ]
    at_risk_only: Annotated[
        int, Meta(description="How many were judged to be at risk, and never delayed so far.")
    ]


class Following(msgspec.Struct, frozen=True):
    """Whether anything was heard of open commitments since they were judged last."""

    judged: Annotated[int, Meta(description="Open commitments of which a judgement stands.")]
    unfollowed: Annotated[
        int, Meta(description="Those of which nothing was reported since, for `days` or more.")
    ]


class Figures(msgspec.Struct, frozen=True):
    """How judgements of some commitments compare with what came."""

    on_track: Annotated[list[Horizon], Meta(description="For each of the months and both deadlines.")]
    delays: Annotated[Warnings, Meta(description="Whether a judgement warned of them.")]
    following: Annotated[Following, Meta(description="Whether anything followed the judgement that stands.")]


class GroupFigures(Figures, frozen=True):
    """The figures of one adviser or pillar; null for what has none."""

    group: Annotated[str | None, Meta(description="The adviser, or the code of the pillar.")]
    group_name: Annotated[str | None, Meta(description="What a pillar is called.")]


class Case(msgspec.Struct, frozen=True):
    """One commitment behind a figure; members that do not belong to what it is `about` are null."""

    about: Annotated[About, Meta(description="Which of the figures it is behind.")]
    id: UUID
    code: str
    title: str
    adviser: Annotated[
        str | None, Meta(description="Who looked after it on that day; for those inside government.")
    ]
    pillar: str | None
    judged_on: Annotated[
        date | None,
        Meta(
            description="Since when the judgement stood; of a delay, when it was first at risk, if it was before."
        ),
    ]
    position: Annotated[int | None, Meta(description="The position of the judgement.")]
    months: Annotated[int | None, Meta(description="How many months before the deadline it stood.")]
    against: Annotated[Against | None, Meta(description="Which deadline counts.")]
    deadline_on: Annotated[
        date | None, Meta(description="That deadline; of a delay, the one that had passed.")
    ]
    outcome: Annotated[Fulfilment | None, Meta(description="What became of it by the day asked about.")]
    achieved_on: Annotated[date | None, Meta(description="The day on which it was achieved.")]
    delayed_on: Annotated[date | None, Meta(description="The first day on which it was delayed.")]
    days: Annotated[
        int | None, Meta(description="From the judgement to the delay, or to the day asked about.")
    ]

    @property
    def since(self) -> date:
        """Since when the judgement stood; of what has one."""
        assert self.judged_on is not None
        return self.judged_on

    @property
    def key(self) -> tuple[str, str, int, str, date]:
        """By what cases are in order."""
        return self.code, self.about, self.months or 0, self.against or "", self.deadline_on or date.min


_NO_MEMBERS: Final[dict[str, Any]] = dict.fromkeys(field.name for field in msgspec.structs.fields(Case))

Key = tuple[str, str, int, str, date]


class Asked(NamedTuple):
    """Of what is asked, and which cases are listed; an empty sequence is of all."""

    filters: Filters
    by: JudgedBy | None = None
    days: int = 90
    about: Collection[str] = ()
    months: Collection[int] = ()
    against: Collection[str] = ()
    outcome: Collection[str] = ()

    def lists(self, case: Case) -> bool:
        """Whether it is listed."""
        return (
            (not self.about or case.about in self.about)
            and (not self.months or case.months in self.months)
            and (not self.against or case.against in self.against)
            and (not self.outcome or case.outcome in self.outcome)
        )


class Calibration(NamedTuple):
    """The figures of all, of each group, and a page of the cases behind them."""

    totals: Figures
    groups: list[GroupFigures]
    items: list[Case]
    more: bool


class _Life(NamedTuple):
    """What is known of a commitment on the board: how it stands on the day, and the days on which it was open."""

    now: Any
    pillar: str | None
    open: list[Any]


def calibration_as_of(
    reading: Reading, at: AsOf, scope: Scope, asked: Asked, *, beyond: Key | None = None, limit: int = 50
) -> Calibration:
    """How judgements up to a day compare with what had come by then, and the cases beyond a key."""
    lives = _lives(reading, at, scope, asked)
    told, reported = _Told(reading, at, scope, lives), _last_reports(reading, at)
    groups: defaultdict[str | None, _Cases] = defaultdict(_Cases)
    whole = _Cases()

    def counted(case: Case, kind: str) -> None:
        for group in (whole, *([] if asked.by is None else [groups[getattr(case, asked.by)]])):
            getattr(group, kind).append(case)

    for life in lives.values():
        for case in _judgements(life, at, told):
            counted(case, "judgements")
        delay = _delay(life, at, told)
        if delay is not None:
            counted(delay, "delays")
        elif (risk := _first_at_risk(life, told)) is not None:
            counted(risk, "at_risk")
        standing = _standing(life, at, told)
        if standing is not None:
            counted(standing, "standing")
            heard = reported.get(life.now.commitment_id, date.min)
            if (at.on - standing.since).days >= asked.days and heard <= standing.since:
                counted(standing, "unfollowed")
    names = names_at(reading, at.position, at.on)
    by = asked.by or JudgedBy.ADVISER
    ordered = sorted(groups, key=lambda one: (one is None, names.rank(by, one or ""), one or ""))
    cases = (*whole.judgements, *whole.delays, *whole.unfollowed)
    page = sorted(
        (one for one in cases if asked.lists(one) and (beyond is None or one.key > beyond)),
        key=lambda one: one.key,
    )
    return Calibration(
        Figures(**_figures(whole)),
        [
            GroupFigures(
                **_figures(groups[group]),
                group=group,
                group_name=names.of(PILLAR, group) if by is JudgedBy.PILLAR else None,
            )
            for group in ordered
        ],
        told.with_titles(page[:limit]),
        len(page) > limit,
    )


def months_before(day: date, months: int) -> date:
    """The day so many months before; where that month is shorter, its last day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    if year < 1:
        return date.min
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


# --- reading --------------------------------------------------------------------------------------------------------


def _lives(reading: Reading, at: AsOf, scope: Scope, asked: Asked) -> dict[UUID, _Life]:
    """The commitments on the board of the day that filters admit."""
    detail = commitment_details.c
    source = commitment_states.table.outerjoin(
        commitment_details.table,
        and_(detail.commitment_id == _row.commitment_id, commitment_details.holds(at.on, at.position)),
    ).join(commitments.table, commitments.c.commitment_id == _row.commitment_id)
    on_board = reading.connection.execute(
        select(
            _row.commitment_id,
            _row.code,
            _row.pillar,
            _row.closure,
            _row.public_deadline,
            detail.achieved_on,
            detail.first_public_deadline,
            parent_without_pillar(at).label("parent"),
        )
        .select_from(source)
        .where(commitments.holds(at.on, at.position), admitted(reading, at, scope, asked.filters))
    ).all()
    pillars = pillars_of(reading, at, scope, {row.parent for row in on_board} - {None})
    rows: defaultdict[UUID, list[Any]] = defaultdict(list)
    query = select(
        _row.commitment_id,
        _row.valid_from,
        _row.valid_to,
        _row.judgement,
        _row.judgement_at,
        _row.public_deadline,
    ).where(
        commitment_states.known_at(at.position),
        _row.valid_from <= at.on,
        _row.closure.is_(None),
        or_(_row.judgement.is_not(None), _row.public_deadline.is_not(None)),
        rows_readable(reading, at, scope),
    )
    for row in reading.connection.execute(query.order_by(_row.commitment_id, _row.valid_from)):
        rows[row.commitment_id].append(row)
    return {
        row.commitment_id: _Life(row, row.pillar or pillars.get(row.parent), rows.get(row.commitment_id, []))
        for row in on_board
    }


def _last_reports(reading: Reading, at: AsOf) -> dict[UUID, date]:
    """When the last report on each commitment came that was not sent back."""
    report = progress_reports.c
    heard = or_(report.outcome.is_(None), report.outcome != ReviewOutcome.RETURNED.value)
    query = (
        select(report.commitment_id, func.max(report.received_on).label("received_on"))
        .where(heard, progress_reports.holds(at.on, at.position))
        .group_by(report.commitment_id)
    )
    return {row.commitment_id: row.received_on for row in reading.connection.execute(query)}


class _Told:
    """What commitments were called, and who looked after them, by day."""

    def __init__(self, reading: Reading, at: AsOf, scope: Scope, lives: Collection[UUID]) -> None:
        described = commitments.c
        self._on = at.on
        self._rows: defaultdict[UUID, list[Any]] = defaultdict(list)
        adviser = [] if scope.name == "public" else [described.adviser]
        query = (
            select(described.commitment_id, described.valid_from, described.title, *adviser)
            .where(commitments.known_at(at.position))
            .order_by(described.valid_from)
        )
        for row in reading.connection.execute(query):
            if row.commitment_id in lives:
                self._rows[row.commitment_id].append(row)

    def _at(self, one: UUID, day: date) -> Any:
        rows = self._rows[one]
        return rows[max(0, bisect_right(rows, day, key=lambda row: row.valid_from) - 1)]

    def adviser(self, one: UUID, day: date) -> str | None:
        """Who looked after it on a day, as far as the asker may know."""
        adviser: str | None = getattr(self._at(one, day), "adviser", None)
        return adviser

    def with_titles(self, cases: Iterable[Case]) -> list[Case]:
        """Cases with what they are called on the day asked about."""
        return [msgspec.structs.replace(one, title=self._at(one.id, self._on).title) for one in cases]


# --- cases ----------------------------------------------------------------------------------------------------------


def _case(life: _Life, told: _Told, about: About, day: date, **more: Any) -> Case:
    members = _NO_MEMBERS | {
        "about": about,
        "id": life.now.commitment_id,
        "code": life.now.code,
        "title": "",
        "adviser": told.adviser(life.now.commitment_id, day),
        "pillar": life.pillar,
    }
    return Case(**members | more)


def _judgements(life: _Life, at: AsOf, told: _Told) -> Iterator[Case]:
    """Each time it was on track so many months before a deadline."""
    first = life.now.first_public_deadline or life.now.public_deadline
    for months in MONTHS:
        for row in life.open:
            if row.judgement != Judgement.ON_TRACK:
                continue
            for against, deadline in ((Against.IN_FORCE, row.public_deadline), (Against.ORIGINAL, first)):
                day = None if deadline is None else months_before(deadline, months)
                if day is not None and row.valid_from <= day < row.valid_to and day <= at.on:
                    yield _case(
                        life,
                        told,
                        About.JUDGEMENT,
                        day,
                        judged_on=_since(life, row),
                        position=row.judgement_at,
                        months=months,
                        against=against,
                        deadline_on=deadline,
                        outcome=_outcome(life.now, deadline, at.on),
                        achieved_on=life.now.achieved_on if life.now.closure == Closure.ACHIEVED else None,
                    )


def _outcome(now: Any, deadline: date, on: date) -> Fulfilment:
    match now.closure:
        case Closure.ACHIEVED:
            return Fulfilment.ACHIEVED if now.achieved_on <= deadline else Fulfilment.ACHIEVED_LATE
        case Closure.DISCARDED:
            return Fulfilment.DISCARDED
        case Closure.MERGED | Closure.SPLIT:
            return Fulfilment.MERGED_OR_SPLIT
    return Fulfilment.NOT_ACHIEVED if deadline < on else Fulfilment.PENDING


def _since(life: _Life, row: Any) -> date:
    """Since when the judgement of a row stood, on the days that may be told."""
    since: date = min(one.valid_from for one in life.open if one.judgement_at == row.judgement_at)
    return since


def _first_at_risk(life: _Life, told: _Told) -> Case | None:
    """The first judgement that it was at risk."""
    for row in life.open:
        if row.judgement == Judgement.AT_RISK:
            since = row.valid_from
            return _case(life, told, About.DELAY, since, judged_on=since, position=row.judgement_at)
    return None


def _delay(life: _Life, at: AsOf, told: _Told) -> Case | None:
    """Its first delay, and the first judgement before it that it was at risk."""
    for row in life.open:
        if row.public_deadline is None or row.public_deadline >= at.on:
            continue
        delayed_on = max(row.valid_from, row.public_deadline + _DAY)
        if delayed_on < row.valid_to:
            risk = _first_at_risk(life, told)
            if risk is not None and risk.since >= delayed_on:
                risk = None
            return _case(
                life,
                told,
                About.DELAY,
                delayed_on,
                judged_on=risk and risk.since,
                position=risk and risk.position,
                deadline_on=row.public_deadline,
                delayed_on=delayed_on,
                days=risk and (delayed_on - risk.since).days,
            )
    return None


def _standing(life: _Life, at: AsOf, told: _Told) -> Case | None:
    """The judgement that stands of it, if it is open."""
    row = life.open[-1] if life.open and life.now.closure is None else None
    if row is None or row.judgement is None or row.valid_to <= min(at.on, END_OF_DAYS - _DAY):
        return None
    since = _since(life, row)
    days = (at.on - since).days
    return _case(life, told, About.UNFOLLOWED, since, judged_on=since, position=row.judgement_at, days=days)


# --- counting -------------------------------------------------------------------------------------------------------


class _Cases:
    """Those behind the figures of one group."""

    def __init__(self) -> None:
        self.judgements: list[Case] = []
        self.delays: list[Case] = []
        self.at_risk: list[Case] = []
        """Of what was never delayed."""
        self.standing: list[Case] = []
        self.unfollowed: list[Case] = []


def _figures(cases: _Cases) -> dict[str, Any]:
    counts = Counter((one.months, one.against, one.outcome) for one in cases.judgements)
    days = [one.days for one in cases.delays if one.days is not None]
    return {
        "on_track": [
            Horizon(
                months=months,
                against=against,
                judged=sum(counts[months, against, outcome] for outcome in Fulfilment),
                **{outcome.value: counts[months, against, outcome] for outcome in Fulfilment},
            )
            for months in MONTHS
            for against in Against
        ],
        "delays": Warnings(
            delayed=len(cases.delays),
            warned=len(days),
            median_days=median_low(days) if days else None,
            at_risk_only=len(cases.at_risk),
        ),
        "following": Following(judged=len(cases.standing), unfollowed=len(cases.unfollowed)),
    }
