"""Editions held against each other, and against the log.

What differs between two is read off what they say, so that it never changes; why, is looked up in the log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from hashlib import sha256
from typing import Annotated, Any, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from services.reporting.datasets import commitments
from services.reporting.edition.content import (
    EYES,
    EditionContent,
    EditionEntry,
    EditionSection,
    compose,
    gather,
    read,
)
from services.reporting.edition.repository import content_at
from services.reporting.queries.access import Scope, readable_among
from services.reporting.queries.changes import Side, ToldBetween, rows_of_side
from services.reporting.queries.editions import EditionFound, all_editions
from services.reporting.queries.moments import AsOf
from services.reporting.queries.timeline import Source
from services.reporting.reading import Reading
from shared.errors import InvalidInput, Unavailable
from shared.eventlog.store import Store
from shared.events.commitments import VisibilityChanged
from shared.events.streams import resolve
from shared.rules.registry import Rule, rule_asked_for

DayOf = Callable[[datetime], date]
What = Literal["came", "left", "moved", "changed"]
Why = Literal["registered", "published", "retracted", "hidden", "scope"]


class EditionDifference(msgspec.Struct, frozen=True):
    """What an edition says of a commitment, and an earlier one said otherwise."""

    what: str
    before: Any
    after: Any
    because: Annotated[
        Source | None,
        Meta(description="The event that made it so; null where it was none of its own, or is hidden."),
    ]


class EditionChange(msgspec.Struct, frozen=True):
    """A commitment of which two editions do not say the same."""

    code: str
    title: str
    what: Annotated[
        What,
        Meta(description="It came, it left, it moved to another section, or its promise reads otherwise."),
    ]
    section_before: EditionSection | None
    section_after: EditionSection | None
    why: Annotated[
        Why | None,
        Meta(
            description="Why it came or left: it was registered, published or hidden since, was retracted, or the "
            "report has begun or ceased to tell of such."
        ),
    ]
    because: Annotated[
        Source | None, Meta(description="The event by which it came or left, as far as the asker may know.")
    ]
    changes: list[EditionDifference]


class EditionSums(msgspec.Struct, frozen=True):
    """`opening` + `came` - `left` = `closing`."""

    opening: int
    came: int
    left: int
    closing: int
    moved: Annotated[int, Meta(description="Of those in both, how many are in another section.")]


class Compared(NamedTuple):
    """A page of what differs between two editions, the sums of all, and whether the list goes on."""

    items: list[EditionChange]
    sums: EditionSums
    more: bool


class Opened(NamedTuple):
    """An edition and what it says."""

    found: EditionFound
    content: EditionContent

    @property
    def eyes(self) -> Scope:
        """Its audience, which was told of what was hidden by then, and of nothing hidden since."""
        return EYES[self.found.item.audience]._replace(now=self.found.position)

    @property
    def at(self) -> AsOf:
        """The day that it tells of, as it was known then."""
        return AsOf(self.found.item.on, self.found.position, None)


_COMPARED: Final[Mapping[str, Callable[[EditionEntry], Any]]] = {
    "state": lambda one: one.section,
    "public_deadline_on": lambda one: one.promised.public_deadline_on,
    "lead_organization": lambda one: one.lead_organization,
    "collaborating_organizations": lambda one: one.collaborating_organizations,
    "pillar": lambda one: one.pillar,
    "title": lambda one: one.title,
    "goal": lambda one: one.promised.goal,
    "merged_into": lambda one: one.merged_into,
    "split_into": lambda one: one.split_into or None,
    "discard_reason_type": lambda one: one.discarded and one.discarded.type,
}
"""What is compared, under the names by which changes of the board are told."""


def compared(
    reading: Reading,
    store: Store,
    day_of: DayOf,
    earlier: Opened,
    later: Opened,
    scope: Scope,
    *,
    beyond: str | None,
    limit: int,
) -> Compared:
    """What a later edition of a report says otherwise than an earlier one, by code, beyond one."""
    _must_be_comparable(earlier, later)
    then, now = ({item.code: item for item in one.content.items} for one in (earlier, later))
    differing = {
        code: found
        for code in sorted(then.keys() | now.keys())
        if (found := list(_differences(then.get(code), now.get(code)))) or (code in then) != (code in now)
    }
    page = [code for code in differing if beyond is None or code > beyond]
    explain = _Explainer(reading, store, day_of, earlier, later, scope)
    explain.about(page[:limit])
    items = [explain.change(code, then.get(code), now.get(code), differing[code]) for code in page[:limit]]
    sums = EditionSums(
        opening=len(then),
        came=len(now.keys() - then.keys()),
        left=len(then.keys() - now.keys()),
        closing=len(now),
        moved=sum(then[code].section is not now[code].section for code in then.keys() & now.keys()),
    )
    return Compared(items, sums, len(page) > limit)


def _must_be_comparable(earlier: Opened, later: Opened) -> None:
    one, other = earlier.found.item, later.found.item
    if one.report != other.report or one.audience != other.audience:
        raise InvalidInput(
            "editions-not-comparable",
            "Compare two editions of one report, for the same audience.",
            pointer="/path/b",
        )
    if later.found.position < earlier.found.position:
        raise InvalidInput(
            "editions-not-comparable",
            f"{other.code} was published before {one.code}: name the earlier one first.",
            pointer="/path/b",
        )


def _differences(before: EditionEntry | None, after: EditionEntry | None) -> Iterator[tuple[str, Any, Any]]:
    if before is not None and after is not None:
        for what, shown in _COMPARED.items():
            if shown(before) != shown(after):
                yield what, shown(before), shown(after)


class _Explainer:
    """Finds in the log why two editions say what they say."""

    def __init__(
        self,
        reading: Reading,
        store: Store,
        day_of: DayOf,
        earlier: Opened,
        later: Opened,
        scope: Scope,
    ) -> None:
        self._reading, self._store, self._day_of, self._scope = reading, store, day_of, scope
        self._rule = rule_asked_for(later.found.item.status_rule)
        self._before = earlier.at
        self._sides = [
            Side(one.at, rows_of_side(reading, one.at, one.eyes, self._rule)) for one in (earlier, later)
        ]
        self._open: set[Any] = set()

    def about(self, codes: Iterable[str]) -> None:
        """These will be explained, as far as the asker may read them now."""
        ids = {resolve("commitment", code) for code in codes}
        self._open = readable_among(self._reading, self._scope, self._reading.position, commitments, ids)

    def change(
        self,
        code: str,
        before: EditionEntry | None,
        after: EditionEntry | None,
        differing: Iterable[tuple[str, Any, Any]],
    ) -> EditionChange:
        """What is told of one commitment."""
        one = resolve("commitment", code)
        told = ToldBetween.of(
            self._reading, self._store, self._day_of, self._sides, one, self._scope, self._rule
        )
        what: What
        if before is None or after is None:
            what = "came" if before is None else "left"
            why, position = self._why(told)
        else:
            what = "changed" if before.section is after.section else "moved"
            why, position = None, None
        named: Any = after or before
        return EditionChange(
            code=code,
            title=named.title,
            what=what,
            section_before=None if before is None else before.section,
            section_after=None if after is None else after.section,
            why=why,
            because=self._source(told, one, position),
            changes=[
                EditionDifference(name, earlier, later, self._source(told, one, self._because(told, name)))
                for name, earlier, later in differing
            ],
        )

    def _source(self, told: ToldBetween, one: Any, position: int | None) -> Source | None:
        return None if position is None or one not in self._open else told.sources.get(position)

    def _because(self, told: ToldBetween, what: str) -> int | None:
        if None in told.rows:
            return None
        position = told.because(what)
        # A pillar may be that of something above it: then nothing was said of this commitment.
        return None if what == "pillar" and position <= self._before.position else position

    def _why(self, told: ToldBetween) -> tuple[Why, int | None]:
        then, now = told.rows
        if then is not None and now is not None:
            since = [self._because(told, what) for what in ("pillar", "lead_organization")]
            return "scope", max((one for one in since if one and one > self._before.position), default=None)
        position = told.appearance()
        event = next(one.data for one in told.events if one.position == position)
        if then is None:
            return ("published" if isinstance(event, VisibilityChanged) else "registered"), position
        return ("retracted" if told.known[1] is None else "hidden"), position


class Recomputed(NamedTuple):
    """What comes out when an edition is gathered once more: that, its digest, and the commitments told otherwise."""

    content: EditionContent
    sha256: str
    differing: list[str]


def recomputed(
    reading: Reading,
    store: Store,
    day_of: DayOf,
    found: EditionFound,
    content: bytes,
    other: Rule | None = None,
) -> Recomputed:
    """Gather an edition once more, from what the log says at its position and under its rule, or another one."""
    said = read(content)
    opened = Opened(found, said)
    rule = other or rule_asked_for(found.item.status_rule)
    items = gather(reading, store, opened.at, opened.eyes, said.edition.filters, rule, day_of)
    anew = compose(msgspec.structs.replace(said.edition, status_rule=rule.name), items)
    gathered = read(anew)
    before, after = ({one.code: one for one in each.items} for each in (said, gathered))
    differing = [code for code in sorted(before.keys() | after.keys()) if before.get(code) != after.get(code)]
    return Recomputed(gathered, sha256(anew).hexdigest(), differing)


class Checked(NamedTuple):
    """An edition, and what comes out when it is gathered once more; None where it cannot be read itself."""

    code: str
    sha256: str
    anew: Recomputed | None

    @property
    def same(self) -> bool:
        """Whether it is as it was published."""
        return self.anew is not None and self.anew.sha256 == self.sha256


def all_checked(reading: Reading, store: Store, day_of: DayOf) -> Iterator[Checked]:
    """Every edition on record, gathered once more."""
    for found in all_editions(reading):
        try:
            content = content_at(store, found.item.id)
        except Unavailable:
            yield Checked(found.item.code, found.item.sha256, None)
            continue
        anew = recomputed(reading, store, day_of, found, content)
        yield Checked(found.item.code, found.item.sha256, anew)
