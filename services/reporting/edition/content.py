"""What an edition says: every commitment that its report tells of, bad news first, each beside what was promised.

It is gathered from the record as it was known at a position, for the eyes of an audience, and then never again: the
bytes are kept. Of persons it says nothing. What it says and how its members are called and ordered is `TEMPLATE`; a
later version says other things under another name, and this one goes on being read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from services.reporting.queries.access import Scope
from services.reporting.queries.board import COUNTED, STATUS, Filters, Item, list_as_of
from services.reporting.queries.commitment_page import Promised, promised_as_of
from services.reporting.queries.moments import AsOf
from services.reporting.queries.search import Place
from services.reporting.reading import Reading
from shared.eventlog.store import Store
from shared.events.commitments import Evidence
from shared.events.editions import Audience, ReportKind
from shared.events.vocabulary import DiscardReason, Visibility
from shared.rules.registry import Rule
from shared.rules.traffic_light import Status

TEMPLATE: Final = "edition_1"
AT_ONCE: Final = 500
"""Commitments that are gathered at once."""

EYES: Final = {
    Audience.PUBLIC: Scope("public", (Visibility.PUBLIC,)),
    Audience.GOVERNMENT: Scope("government", (Visibility.PUBLIC, Visibility.INTERNAL)),
}
"""What each audience may read: what anybody may, or what anybody in government may."""


class EditionSection(StrEnum):
    """Where a commitment stands in an edition; the sections are in this order, bad news first."""

    DELAYED = "delayed"
    DISCARDED = "discarded"
    NEEDS_ATTENTION = "needs_attention"
    NEEDS_ATTENTION_INTERNAL_DEADLINE = "needs_attention_internal_deadline"
    ACHIEVED_LATE = "achieved_late"
    ACHIEVED = "achieved"
    ON_TIME = "on_time"
    MERGED = "merged"
    SPLIT = "split"


class DeadlineMoved(msgspec.Struct, frozen=True, rename={"before": "from", "after": "to"}):
    """The public deadline became another one."""

    effective_on: Annotated[date, Meta(description="The day from which the new one held.")]
    before: Annotated[date | None, Meta(description="The deadline until then.")]
    after: Annotated[date | None, Meta(description="The deadline from then on.")]
    reason: str | None


class EditionPromise(msgspec.Struct, frozen=True):
    """What was promised: the goal, in whose words, and by which day."""

    goal: str | None
    quote: str | None
    source: str | None
    source_on: date | None
    first_public_deadline_on: date | None
    public_deadline_on: date | None
    moves: Annotated[list[DeadlineMoved], Meta(description="How the public deadline became what it is.")]


class DiscardedWhy(msgspec.Struct, frozen=True):
    """Why it was discarded."""

    type: Annotated[
        DiscardReason | None,
        Meta(description="For technical or budgetary reasons, or because priorities changed."),
    ]
    reason: str | None


class EditionResult(msgspec.Struct, frozen=True):
    """What came of it: told with its completion, or by the last report that was accepted."""

    source: str
    on: date
    text: str | None
    evidence: list[Evidence]


class EditionEntry(msgspec.Struct, frozen=True):
    """One commitment as an edition tells of it."""

    section: EditionSection
    code: str
    title: str
    kind: str
    lead_organization: str
    lead_organization_name: str | None
    collaborating_organizations: list[str]
    pillar: str | None
    pillar_name: str | None
    region: str | None
    status: Annotated[str | None, Meta(description="Null for what goes on in others.")]
    late_days: int | None
    promised: EditionPromise
    discarded: DiscardedWhy | None
    result: EditionResult | None
    percent: Decimal | None
    merged_into: str | None
    split_into: list[str]
    because: Annotated[int, Meta(description="The position of the event that the state follows from.")]


class EditionAbout(msgspec.Struct, frozen=True):
    """Of which edition of which report the rest is."""

    code: str
    report: Annotated[str, Meta(description="The code of the report it is an edition of.")]
    report_name: str
    kind: ReportKind
    addressed_to: str | None
    audience: Audience
    on: date
    due_on: date | None
    published_on: date
    position: Annotated[
        int, Meta(description="Up to which event it tells: the last that its audience may read.")
    ]
    known_on: Annotated[date | None, Meta(description="The day on which the log reached that position.")]
    status_rule: str
    template: str
    filters: Annotated[
        dict[str, list[str]], Meta(description="Of which commitments it tells; of all without any.")
    ]


class EditionContent(msgspec.Struct, frozen=True):
    """A whole edition."""

    edition: EditionAbout
    totals: Annotated[
        dict[str, int], Meta(description="How many there are of each section, and `registered`: all of them.")
    ]
    items: list[EditionEntry]


_encode = msgspec.json.Encoder(decimal_format="number").encode
_decode = msgspec.json.Decoder(EditionContent, float_hook=Decimal).decode


def compose(about: EditionAbout, items: Iterable[EditionEntry]) -> bytes:
    """An edition as it is kept: JSON, its members and items in one order only."""
    told = sorted(items, key=_order)
    counted = Counter(one.section for one in told)
    totals = {"registered": len(told)} | {section.value: counted[section] for section in EditionSection}
    return _encode(EditionContent(about, totals, told))


def read(content: bytes) -> EditionContent:
    """An edition of this template, from the bytes that are kept."""
    return _decode(content)


def gather(
    reading: Reading,
    store: Store,
    at: AsOf,
    scope: Scope,
    filters: Filters,
    rule: Rule,
    day_of: Callable[[datetime], date],
) -> Iterator[EditionEntry]:
    """What an edition tells of each commitment, as it was known at a position and may be read by an audience."""
    for counted in COUNTED:
        wanted = {**filters, STATUS: [counted]}
        after: Place | None = None
        while True:
            listed = list_as_of(reading, at, scope, wanted, after=after, limit=AT_ONCE, rule=rule)
            for item in listed.items:
                assert item.id is not None
                promised = promised_as_of(reading, store, at, scope, item.id, day_of=day_of)
                yield _told(counted, item, promised)
            if listed.last is None:
                break
            after = listed.last


def _told(counted: str, item: Any, promised: Promised) -> EditionEntry:
    origin = promised.origin
    late = counted == Status.ACHIEVED and (item.late_days or 0) > 0
    return EditionEntry(
        section=EditionSection.ACHIEVED_LATE if late else EditionSection(counted),
        **{name: getattr(item, name) for name in _AS_ON_THE_BOARD},
        promised=EditionPromise(
            item.goal,
            None if origin is None else origin.quote,
            None if origin is None else origin.source,
            None if origin is None else origin.source_on,
            item.first_public_deadline_on,
            item.public_deadline_on,
            [DeadlineMoved(one.effective_on, one.previous, one.on, one.reason) for one in promised.moves],
        ),
        discarded=DiscardedWhy(item.discard_reason_type, item.discard_reason)
        if counted == Status.DISCARDED
        else None,
        result=item.result
        and EditionResult(item.result.source, item.result.on, item.result.text, item.result.evidence),
        because=item.status_because.position,
    )


_AS_ON_THE_BOARD: Final = {field.name for field in msgspec.structs.fields(EditionEntry)} & {
    field.name for field in msgspec.structs.fields(Item)
} - {"result"}

_PLACES: Final[Mapping[str, int]] = {section: place for place, section in enumerate(EditionSection)}


def _order(one: EditionEntry) -> tuple[int, int, str]:
    """By section, then the latest first, then by code."""
    return _PLACES[one.section], -(one.late_days or 0), one.code


def sections(items: Sequence[EditionEntry]) -> Iterator[tuple[EditionSection, list[EditionEntry]]]:
    """The sections that have something in them, in their order."""
    for section in EditionSection:
        found = [one for one in items if one.section is section]
        if found:
            yield section, found
