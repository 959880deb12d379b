"""Filters and groupings of the board, as they come in the query string: words separated by commas."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final

from fastapi import Query

from services.reporting.queries.board import DIMENSIONS, STATUS, Filters
from shared.errors import InvalidInput
from shared.events.vocabulary import CommitmentKind, Judgement, OriginKind, ResultType, Visibility
from shared.rules.traffic_light import Status

CLOSED: Final[Mapping[str, type[StrEnum]]] = {
    "status": Status,
    "judgement": Judgement,
    "origin": OriginKind,
    "kind": CommitmentKind,
    "result_type": ResultType,
    "visibility": Visibility,
}
GROUPS: Final = (STATUS, *DIMENSIONS)
MOST_VALUES: Final = 50


def listed(meaning: str, values: Sequence[str] = ()) -> object:
    """A query parameter that takes one word, or several separated by commas."""
    known = f": {', '.join(values)}" if values else ""
    return Query(max_length=2_000, description=f"{meaning}, or several separated by commas{known}.")


Words = str | None
PillarFilter = Annotated[Words, listed("The code of a pillar")]
OrganizationFilter = Annotated[Words, listed("The code of an organisation that leads")]
RegionFilter = Annotated[Words, listed("A region")]
StatusFilter = Annotated[Words, listed("A state", list(Status))]
JudgementFilter = Annotated[Words, listed("A judgement", list(Judgement))]
OriginFilter = Annotated[Words, listed("An origin", list(OriginKind))]
KindFilter = Annotated[Words, listed("A kind", list(CommitmentKind))]
ResultTypeFilter = Annotated[Words, listed("A type of result", list(ResultType))]
VisibilityFilter = Annotated[Words, listed("A visibility", list(Visibility))]
GroupBy = Annotated[Words, listed("Count by one of these", GROUPS)]


def filters(
    pillar: PillarFilter = None,
    organization: OrganizationFilter = None,
    region: RegionFilter = None,
    status: StatusFilter = None,
    judgement: JudgementFilter = None,
    origin: OriginFilter = None,
    kind: KindFilter = None,
    result_type: ResultTypeFilter = None,
    visibility: VisibilityFilter = None,
) -> Filters:
    """The dependency that reads the board's filters; InvalidInput for a value that cannot be one."""
    given = {
        "pillar": pillar,
        "organization": organization,
        "region": region,
        "status": status,
        "judgement": judgement,
        "origin": origin,
        "kind": kind,
        "result_type": result_type,
        "visibility": visibility,
    }
    return {name: values_in(name, text, CLOSED.get(name)) for name, text in given.items() if text is not None}


def group_names(text: str | None) -> list[str]:
    """The names to group by, in the order given; InvalidInput for one that is none, or given twice."""
    if text is None:
        return []
    names = _words(text)
    if not names or len(set(names)) != len(names) or not set(names) <= set(GROUPS):
        raise InvalidInput(
            "group-by-unknown",
            f"Group by one or several of {', '.join(GROUPS)}, each once, separated by commas.",
            pointer="/query/group_by",
        )
    return names


def values_in(name: str, text: str | None, known: Iterable[str] | None = None) -> list[str]:
    """The words of a filter, none where it is not given; InvalidInput for one that is not `known`."""
    if text is None:
        return []
    values = _words(text)
    known = None if known is None else set(known)
    if not values or len(values) > MOST_VALUES or (known is not None and not known.issuperset(values)):
        admitted = "" if known is None else f" The values are {', '.join(sorted(known))}."
        raise InvalidInput(
            "filter-value-unknown",
            f"Give between 1 and {MOST_VALUES} values, separated by commas.{admitted}",
            pointer=f"/query/{name}",
        )
    return values


def _words(text: str) -> list[str]:
    return [word for word in (part.strip() for part in text.split(",")) if word]
