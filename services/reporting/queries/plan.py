"""The plan: pillars, objectives, actions and what is part of them, counted and weighed from below; and its profile.

The pillar of a commitment is its own or that of the nearest one it is part of. What an asker may not read is not there:
what is part of it stands where it would if that did not exist.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import select

from services.reporting.datasets import (
    ORGANIZATION,
    PILLAR,
    commitment_progress,
    commitments,
)
from services.reporting.queries.access import Scope
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import Names, names_at
from services.reporting.queries.pillars import Place, nearest_pillar
from services.reporting.queries.promises import GOES_ON, Chains, beginning
from services.reporting.queries.rules import verdict
from services.reporting.queries.states import rows_there, states_told
from services.reporting.reading import Reading
from shared.events.vocabulary import CommitmentKind, ResultType
from shared.rules.registry import Rule
from shared.rules.traffic_light import TRAFFIC_LIGHT_1, Closure, Status

_WITHOUT_PROGRESS: Final = (*GOES_ON, Closure.DISCARDED)
"""How a part is closed that is left out of the progress of the whole: it goes on in others, or was given up."""

_ONE: Final = Fraction(1)
_CENT: Final = Decimal("0.01")


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


class Node(msgspec.Struct, frozen=True):
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
        columns = (*told, verdict(rule, told, at.on).label("verdict"))
        rows = reading.connection.execute(select(*columns).where(rows_there(reading, at, scope))).all()
        self.rows = {row.code: row for row in rows}
        of_it = commitments.c
        described = _by_id(reading, at, commitments, of_it.title, of_it.parent, of_it.weight)
        self.described = {code: described[row.commitment_id] for code, row in self.rows.items()}
        self._named = {code: one.parent for code, one in self.described.items() if one.parent in self.rows}
        self._progress = _by_id(reading, at, commitment_progress, commitment_progress.c.percent)
        self.chains = Chains(rows)
        self.parents: dict[str, str] = {}
        for code, parent in self._named.items():
            if beginning(code, self._named.get) != code:
                self.parents[code] = parent
        self.parts: defaultdict[str | None, list[str]] = defaultdict(list)
        for code in sorted(self.rows):
            self.parts[self.parents.get(code)].append(code)
        places = {code: Place(row.pillar, self._named.get(code)) for code, row in self.rows.items()}
        self.pillars = {code: nearest_pillar(code, places.get) for code in self.rows}

    def from_above(self) -> Iterator[str]:
        """Every code before those of its parts."""
        codes = list(self.parts.get(None, ()))
        for code in codes:
            yield code
            codes += self.parts.get(code, ())

    def status(self, code: str) -> Status | None:
        """Its state; None where it goes on in others."""
        found = self.rows[code].verdict
        return None if found is None else Status(found)

    def counted_as(self, code: str) -> str:
        """Its state, or how it goes on in others."""
        return self.status(code) or str(self.rows[code].closure)

    def percent(self, code: str) -> Decimal | None:
        """By its own accepted reports."""
        told = self._progress.get(self.rows[code].commitment_id)
        return None if told is None or told.percent is None else Decimal(told.percent)

    def weight(self, code: str) -> Fraction:
        """How much it counts beside the others."""
        given = self.described[code].weight
        return Fraction(given) if given else _ONE

    def together(self, codes: Iterable[str], percents: Mapping[str, Fraction]) -> _Together:
        """How far some are, taken together, by how far each of them is."""
        promises: defaultdict[str, list[str]] = defaultdict(list)
        for code in codes:
            if self.rows[code].closure not in _WITHOUT_PROGRESS:
                promises[self.chains.root(code)].append(code)
        weight = reported = done = Fraction()
        for root, parts in promises.items():
            whole = self.weight(root)
            share = whole / sum(map(self.weight, parts))
            weight += whole
            for part in parts:
                if part in percents:
                    reported += share * self.weight(part)
                    done += share * self.weight(part) * percents[part]
        return _Together(weight, reported, done / reported if reported else None)


class _Together(NamedTuple):
    weight: Fraction
    reported: Fraction
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
    percents = {code: Fraction(told) for code in plan.rows if (told := plan.percent(code)) is not None}
    below: dict[str, Counter[str]] = {}
    open_below: set[str] = set()
    nodes: dict[str, Node] = {}
    for code in reversed(list(plan.from_above())):
        row, parts = plan.rows[code], plan.parts.get(code, [])
        if parts:
            below[code] = sum(
                (below[part] for part in parts if part in below), Counter(map(plan.counted_as, parts))
            )
        if any(plan.rows[part].closure is None or part in open_below for part in parts):
            open_below.add(code)
        together = plan.together(parts, percents) if parts else None
        nodes[code] = Node(
            id=row.commitment_id,
            code=code,
            title=plan.described[code].title,
            kind=CommitmentKind(row.kind),
            pillar=plan.pillars[code],
            status=plan.status(code),
            lead_organization=row.lead_organization,
            lead_organization_name=names.of(ORGANIZATION, row.lead_organization),
            weight=_rounded(plan.weight(code), Decimal("0.000001")).normalize(),
            percent=plan.percent(code),
            closed_over_open_parts=row.closure is not None and code in open_below,
            below=None if together is None else together.below(below[code]),
            items=[nodes[part] for part in parts],
        )
        if together is not None and together.percent is not None:
            percents[code] = together.percent
    of_pillar: defaultdict[str | None, list[str]] = defaultdict(list)
    for code, pillar in plan.pillars.items():
        of_pillar[pillar].append(code)
    branches = [
        Branch(
            pillar=pillar,
            pillar_name=names.of(PILLAR, pillar),
            below=plan.together(
                (code for code in codes if plan.pillars.get(plan.parents.get(code, ""), ...) != pillar),
                percents,
            ).below(Counter(map(plan.counted_as, codes))),
            items=[nodes[code] for code in plan.parts.get(None, ()) if plan.pillars[code] == pillar],
        )
        for pillar, codes in sorted(of_pillar.items(), key=lambda one: _rank(names, one[0]))
    ]
    return PlanCounts(**_counts(Counter(map(plan.counted_as, plan.rows)))), branches


def profile_as_of(
    reading: Reading, at: AsOf, scope: Scope, rule: Rule = TRAFFIC_LIGHT_1
) -> tuple[Whole, list[PillarProfile]]:
    """The strategic objectives of a day by pillar and type of result, and all of them."""
    plan, names = _Plan(reading, at, scope, rule), names_at(reading, at.position, at.on)
    of_pillar: defaultdict[str | None, Counter[str | None]] = defaultdict(Counter)
    goes_on = 0
    for code, row in plan.rows.items():
        if row.kind == CommitmentKind.STRATEGIC_OBJECTIVE:
            if row.closure in GOES_ON:
                goes_on += 1
            else:
                of_pillar[plan.pillars[code]][row.result_type] += 1
    whole: Counter[str | None] = sum(of_pillar.values(), Counter())
    total = whole.total()
    shares = {kind.value: (200 * whole[kind] + total) // (2 * total) if total else 0 for kind in ResultType}
    return Whole(**_profile(whole), shares=shares, goes_on_in_others=goes_on), [
        PillarProfile(pillar=pillar, pillar_name=names.of(PILLAR, pillar), **_profile(counts))
        for pillar, counts in sorted(of_pillar.items(), key=lambda one: _rank(names, one[0]))
    ]


def _by_id(reading: Reading, at: AsOf, dataset: Any, *columns: Any) -> dict[UUID, Any]:
    query = select(dataset.c.commitment_id, *columns).where(dataset.holds(at.on, at.position))
    return {row.commitment_id: row for row in reading.connection.execute(query)}


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


def _rounded(value: Fraction, to: Decimal = _CENT) -> Decimal:
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(to, ROUND_HALF_UP)
