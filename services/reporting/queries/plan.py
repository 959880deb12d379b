"""The plan: pillars, objectives, actions and what is part of them, counted and weighed from below; and its profile.

The pillar of a commitment is its own or that of the nearest one it is part of. What an asker may not read is not there:
what is part of it stands where it would if that did not exist.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache, lru_cache, partial
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import case, func, select

from services.reporting.datasets import (
    ORGANIZATION,
    PILLAR,
    commitment_progress,
    commitment_states,
    commitments,
)
from services.reporting.queries.access import Scope
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import Names, names_at
from services.reporting.queries.pillars import Place, described, nearest_pillar, pillars_of
from services.reporting.queries.promises import GOES_ON, Chains, beginning, links
from services.reporting.queries.states import rows_there, states_told
from services.reporting.reading import Reading
from shared.events.vocabulary import CommitmentKind, ResultType
from shared.rules.registry import Rule
from shared.rules.traffic_light import TRAFFIC_LIGHT_1, Closure, Status

_WITHOUT_PROGRESS: Final = (*GOES_ON, Closure.DISCARDED)
"""How a part is closed that is left out of the progress of the whole: it goes on in others, or was given up."""

_CENT: Final = Decimal("0.01")
_Exact = int | Fraction
MANY: Final = 1_000
"""More than there are different weights and percents in most plans."""

_KINDS: Final = {one.value: one for one in CommitmentKind}
_STATUSES: Final = {one.value: one for one in Status}
_OF_A_NODE: Final = tuple(commitment_states.c[name] for name in ("kind", "pillar", "lead_organization"))


class PlanCounts(msgspec.Struct, frozen=True):
    """How many there are: `registered` is the sum of the six states, and of what was merged and split."""

    registered: int
    by_status: dict[str, int]
    merged: int
    split: int


class Below(PlanCounts, frozen=True):
    """What lies below, and how far it is.

    `percent` is the mean of accepted reports by weight; it rests on `weight_reported` of all the `weight`, because what
    nobody has reported says nothing. What was split weighs what it weighed before, shared by its parts; what was
    discarded weighs nothing any more.
    """

    percent: Decimal | None
    weight: Decimal
    weight_reported: Decimal


class Node(msgspec.Struct, frozen=True, gc=False):
    """One commitment of the plan, and what is part of it."""

    id: UUID
    code: str
    title: str
    kind: CommitmentKind
    pillar: Annotated[str | None, Meta(description="Its own, or that of the nearest one it is part of.")]
    status: Annotated[Status | None, Meta(description="Null for what goes on in others: merged or split.")]
    lead_organization: str
    lead_organization_name: str | None
    weight: Decimal
    percent: Annotated[Decimal | None, Meta(description="By its own last accepted report that says so.")]
    closed_over_open_parts: Annotated[
        bool, Meta(description="Whether it is closed while something below it is open.")
    ]
    below: Annotated[Below | None, Meta(description="Null where nothing is part of it.")]
    items: list[Node]


class Branch(msgspec.Struct, frozen=True):
    """A pillar with all that belongs to it; null for what belongs to none."""

    pillar: str | None
    pillar_name: str | None
    below: Below
    items: list[Node]


class Profile(msgspec.Struct, frozen=True):
    """How many objectives promise which type of result."""

    total: int
    by_result_type: dict[str, int]
    without_result_type: int


class PillarProfile(Profile, frozen=True):
    """The objectives of one pillar; null for those of none."""

    pillar: str | None
    pillar_name: str | None


class Whole(Profile, frozen=True):
    """All objectives, and the share of each type of result in per cent of them, each rounded half up by itself."""

    shares: Annotated[dict[str, int], Meta(description="They need not add up to 100.")]
    goes_on_in_others: Annotated[int, Meta(description="Merged or split, and not counted here.")]


class _Plan:
    """All that the asker may read on a day, each under what it is part of."""

    def __init__(self, reading: Reading, at: AsOf, scope: Scope, rule: Rule) -> None:
        told = states_told(reading, scope, at.position)
        of_it = commitments.c
        query = (
            select(*links(told, at.on, rule), *_OF_A_NODE, of_it.title, of_it.parent, of_it.weight)
            .join(commitments.table, described(at))
            .where(rows_there(reading, at, scope))
        )
        rows = reading.connection.execute(query).all()
        self.rows = {row.code: row for row in rows}
        self.percents = self._percents(reading, at)
        self.chains = Chains(rows)
        named = {code: row.parent for code, row in self.rows.items() if row.parent in self.rows}
        self.parents = {code: parent for code, parent in named.items() if beginning(code, named.get) != code}
        self.parts: defaultdict[str | None, list[str]] = defaultdict(list)
        for code in sorted(self.rows):
            self.parts[self.parents.get(code)].append(code)
        places = {code: Place(row.pillar, named.get(code)) for code, row in self.rows.items()}
        self.pillars = {code: nearest_pillar(code, places.get) for code in self.rows}
        self.counted_as = {code: row.verdict or row.closure for code, row in self.rows.items()}

    def _percents(self, reading: Reading, at: AsOf) -> dict[str, Decimal]:
        """How far each is by its own accepted reports."""
        told = commitment_progress.c
        query = select(told.commitment_id, told.percent).where(
            told.percent.is_not(None), commitment_progress.holds(at.on, at.position)
        )
        percents = {row.commitment_id: row.percent for row in reading.connection.execute(query)}
        found = ((code, percents.get(row.commitment_id)) for code, row in self.rows.items())
        return {code: Decimal(percent) for code, percent in found if percent is not None}

    def from_above(self) -> Iterator[str]:
        """Every code before those of its parts."""
        codes = list(self.parts.get(None, ()))
        for code in codes:
            yield code
            codes += self.parts.get(code, ())

    def weight(self, code: str) -> _Exact:
        """How much it counts beside the others."""
        given = self.rows[code].weight
        return _exact(given) if given else 1

    def together(self, codes: Iterable[str], percents: Mapping[str, _Exact]) -> _Together:
        """How far some are, taken together, by how far each of them is."""
        promises: defaultdict[str, list[str]] = defaultdict(list)
        for code in codes:
            if self.rows[code].closure not in _WITHOUT_PROGRESS:
                promises[self.chains.root(code)].append(code)
        weight: _Exact = 0
        reported: _Exact = 0
        done: _Exact = 0
        for root, parts in promises.items():
            whole = self.weight(root)
            weight += whole
            together = sum(map(self.weight, parts)) if len(parts) > 1 else 0
            for part in parts:
                if part in percents:
                    share = Fraction(whole * self.weight(part), together) if together else whole
                    reported += share
                    done += share * percents[part]
        return _Together(weight, reported, Fraction(done, reported) if reported else None)


class _Together(NamedTuple):
    weight: _Exact
    reported: _Exact
    percent: Fraction | None

    def below(self, counts: Counter[str]) -> Below:
        return Below(
            **_counts(counts),
            percent=None if self.percent is None else _rounded(self.percent),
            weight=_rounded(self.weight),
            weight_reported=_rounded(self.reported),
        )


def tree_as_of(
    reading: Reading, at: AsOf, scope: Scope, rule: Rule = TRAFFIC_LIGHT_1
) -> tuple[PlanCounts, list[Branch]]:
    """All that is in the plan on a day, counted; and the pillars by rank, with what belongs to each."""
    plan, names = _Plan(reading, at, scope, rule), names_at(reading, at.position, at.on)
    counted_as = plan.counted_as.__getitem__
    name_of = cache(partial(names.of, ORGANIZATION))
    percents = {code: _exact(percent) for code, percent in plan.percents.items()}
    below: dict[str, Counter[str]] = {}
    open_below: set[str] = set()
    nodes: dict[str, Node] = {}
    for code in reversed(list(plan.from_above())):
        row, parts = plan.rows[code], plan.parts.get(code, [])
        together = None
        if parts:
            below[code] = sum(
                (below[part] for part in parts if part in below), Counter(map(counted_as, parts))
            )
            if any(plan.rows[part].closure is None or part in open_below for part in parts):
                open_below.add(code)
            together = plan.together(parts, percents)
        nodes[code] = Node(
            id=row.commitment_id,
            code=code,
            title=row.title,
            kind=_KINDS[row.kind],
            pillar=plan.pillars[code],
            status=None if row.verdict is None else _STATUSES[row.verdict],
            lead_organization=row.lead_organization,
            lead_organization_name=name_of(row.lead_organization),
            weight=_shown_weight(plan.weight(code)),
            percent=plan.percents.get(code),
            closed_over_open_parts=row.closure is not None and code in open_below,
            below=None if together is None else together.below(below[code]),
            items=[nodes[part] for part in parts],
        )
        if together is not None and together.percent is not None:
            percents[code] = together.percent
    of_pillar: defaultdict[str | None, list[str]] = defaultdict(list)
    for code, pillar in plan.pillars.items():
        of_pillar[pillar].append(code)
    tops: defaultdict[str | None, list[Node]] = defaultdict(list)
    for code in plan.parts.get(None, ()):
        tops[plan.pillars[code]].append(nodes[code])
    branches = [
        Branch(
            pillar=pillar,
            pillar_name=names.of(PILLAR, pillar),
            below=plan.together(
                (code for code in codes if plan.pillars.get(plan.parents.get(code, ""), ...) != pillar),
                percents,
            ).below(Counter(map(counted_as, codes))),
            items=tops[pillar],
        )
        for pillar, codes in sorted(of_pillar.items(), key=lambda one: _rank(names, one[0]))
    ]
    return PlanCounts(**_counts(Counter(plan.counted_as.values()))), branches


def profile_as_of(reading: Reading, at: AsOf, scope: Scope) -> tuple[Whole, list[PillarProfile]]:
    """The strategic objectives of a day by pillar and type of result, and all of them."""
    names = names_at(reading, at.position, at.on)
    row = commitment_states.c
    under = case((row.pillar.is_(None), row.code))
    query = (
        select(under, row.pillar, row.result_type, row.closure, func.count())
        .where(row.kind == CommitmentKind.STRATEGIC_OBJECTIVE.value, rows_there(reading, at, scope))
        .group_by(under, row.pillar, row.result_type, row.closure)
    )
    rows = reading.connection.execute(query).all()
    above = pillars_of(reading, at, scope, {code for code, *_ in rows if code is not None})
    of_pillar: defaultdict[str | None, Counter[str | None]] = defaultdict(Counter)
    goes_on = 0
    for code, own, result_type, closure, count in rows:
        if closure in GOES_ON:
            goes_on += count
        else:
            of_pillar[own if code is None else above.get(code)][result_type] += count
    whole: Counter[str | None] = sum(of_pillar.values(), Counter())
    total = whole.total()
    shares = {kind.value: (200 * whole[kind] + total) // (2 * total) if total else 0 for kind in ResultType}
    return Whole(**_profile(whole), shares=shares, goes_on_in_others=goes_on), [
        PillarProfile(pillar=pillar, pillar_name=names.of(PILLAR, pillar), **_profile(counts))
        for pillar, counts in sorted(of_pillar.items(), key=lambda one: _rank(names, one[0]))
    ]


@lru_cache(MANY)
def _exact(value: Decimal | str) -> _Exact:
    """A number without what division would lose; whole ones as such, because these add up faster."""
    exact = Fraction(value)
    return exact.numerator if exact.denominator == 1 else exact


@lru_cache(MANY)
def _shown_weight(weight: _Exact) -> Decimal:
    return _rounded(weight, Decimal("0.000001")).normalize()


def _counts(counts: Counter[str]) -> dict[str, Any]:
    by_status = {status.value: counts[status] for status in Status}
    return {
        "registered": counts.total(),
        "by_status": by_status,
        "merged": counts[Closure.MERGED],
        "split": counts[Closure.SPLIT],
    }


def _profile(counts: Counter[str | None]) -> dict[str, Any]:
    return {
        "total": counts.total(),
        "by_result_type": {kind.value: counts[kind] for kind in ResultType},
        "without_result_type": counts[None],
    }


def _rank(names: Names, pillar: str | None) -> tuple[bool, int, str]:
    """Pillars in order; what belongs to none comes last."""
    return (True, 0, "") if pillar is None else (False, names.rank(PILLAR, pillar), pillar)


def _rounded(value: _Exact, to: Decimal = _CENT) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(to, ROUND_HALF_UP)
