"""From the count of one day to that of another, group by group: what arrived, what left, and the event behind each.

By state the count is of everything on the board. By anything else it is of what is open: neither achieved nor
discarded, nor gone on in others. Opening and closing are those of the boards of the two days. Between them the days are
walked, so that what began and ended between the two is told as both, and two stretches of days add up to the one that
they make.
Where the earlier day is known as of an earlier position, what was learned of that day since comes first.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, and_, func, or_, select, true

from services.reporting.datasets import (
    END_OF_DAYS,
    LABELS,
    PILLAR,
    commitment_labels,
    commitment_states,
    commitments,
)
from services.reporting.queries.access import Scope, readable
from services.reporting.queries.board import (
    DIMENSIONS,
    STATUS,
    Filters,
    admits_labels,
    grouped_board_as_of,
    rank,
    readable_codes,
)
from services.reporting.queries.changes import Known, deciding_fact
from services.reporting.queries.corrections import Correction, corrections_on
from services.reporting.queries.moments import AsOf
from services.reporting.queries.names import Names, names_at
from services.reporting.queries.pillars import Place, any_parts, nearest_pillar
from services.reporting.queries.promises import Chains, CountBy, in_chains
from services.reporting.queries.rules import turns_between
from services.reporting.queries.states import states_told
from services.reporting.queries.timeline import DayOf, Source, runs, sources_of
from services.reporting.reading import Reading
from shared.eventlog import codec
from shared.eventlog.store import Store
from shared.rules.bill_stage import BILL_STAGE
from shared.rules.registry import Rule
from shared.rules.traffic_light import TRAFFIC_LIGHT_1, Closure, Status

_DAY: Final = timedelta(days=1)
_row: Final = commitment_states.c
OPEN: Final = tuple(status for status in Status if status not in (Status.ACHIEVED, Status.DISCARDED))


class By(StrEnum):
    """What is reconciled apart."""

    STATE = "state"
    ORIGIN = "origin"
    SPEECH_YEAR = "speech_year"
    ORGANIZATION = "organization"
    PILLAR = "pillar"

    @property
    def dimension(self) -> str:
        """What the board calls it."""
        return STATUS if self is By.STATE else self.value


class Term(StrEnum):
    """Why something is counted in a group from a day on, or no longer."""

    REGISTERED = "registered"
    PART = "part"
    REOPENED = "reopened"
    PUBLISHED = "published"
    ACHIEVED = "achieved"
    DISCARDED = "discarded"
    MERGED = "merged"
    SPLIT = "split"
    HIDDEN = "hidden"
    MOVED = "moved"
    CORRECTED = "corrected"
    RETRACTED = "retracted"


class Account(msgspec.Struct, frozen=True):
    """`opening` + all that `arrived` - all that `left` = `closing`."""

    opening: Annotated[int, Meta(description="How many there were on the earlier day.")]
    arrived: Annotated[
        dict[str, int], Meta(description="How many, by the reason (`Term`); all reasons are named.")
    ]
    left: Annotated[dict[str, int], Meta(description="How many, by the reason; all reasons are named.")]
    closing: Annotated[int, Meta(description="How many there are on the later day.")]


class GroupAccount(Account, frozen=True):
    """The account of one group; null for what has no such thing."""

    group: Annotated[
        str | None, Meta(description="A state, an origin, a year or a code, by what is grouped.")
    ]
    group_name: Annotated[str | None, Meta(description="What an organisation or a pillar is called.")]


class Entry(msgspec.Struct, frozen=True):
    """One commitment, or promise, that is counted otherwise from a day on."""

    term: Annotated[Term, Meta(description="Why it is counted otherwise.")]
    on: Annotated[date, Meta(description="From which day on it is counted so.")]
    id: UUID
    code: str
    title: str
    arrives: Annotated[bool, Meta(description="Whether it is counted from that day on.")]
    leaves: Annotated[bool, Meta(description="Whether it was counted before.")]
    group_before: Annotated[str | None, Meta(description="Null where it was not counted, or had none.")]
    group_after: Annotated[str | None, Meta(description="Null where it is not counted, or has none.")]
    learned: Annotated[
        bool, Meta(description="Whether it was learned of the earlier day since the earlier position.")
    ]
    because: Annotated[
        Source | None,
        Meta(
            description="The event behind it; null where that is of something else, as of what it is part of."
        ),
    ]
    of: Annotated[
        str | None,
        Meta(
            description="The commitment that the event is of, where a promise is counted as that one stands."
        ),
    ]


class Reconciliation(NamedTuple):
    """The whole, its groups in the order of the board, and a page of the entries by day and code."""

    totals: Account
    groups: list[GroupAccount]
    items: list[Entry]
    more: bool


class Counted(NamedTuple):
    """What is counted, and by what."""

    by: By
    filters: Filters
    count_by: CountBy = CountBy.COMMITMENT
    rule: Rule = TRAFFIC_LIGHT_1


Group = tuple[str | None]
"""In which group something is counted; none at all where it is not counted."""


class _Stretch(NamedTuple):
    """Days on which one row holds of a commitment, and its state by the rule on all of them; see `Chains`."""

    first: date
    until: date
    row: Any
    verdict: Status | None
    code: str
    closure: Closure | None
    merged_into: str | None
    split_from: str | None


class _Stand(NamedTuple):
    """How a commitment or a promise stands from a day on: where it is counted, and by what."""

    on: date
    group: Group | None = None
    there: _Stretch | None = None
    """What the asker may read of the commitment itself, whether or not that is counted."""
    decider: _Stretch | None = None
    """What it stands as."""
    counts: bool = False
    """Whether it is a commitment or promise of its own there, and admitted."""


class _Step(NamedTuple):
    """From one stand to the next, of one commitment or promise."""

    thing: UUID
    before: _Stand
    after: _Stand
    learned: bool = False

    @property
    def eve(self) -> date:
        """The last day of the earlier stand."""
        return self.before.on if self.learned else self.after.on - _DAY


class _Named(NamedTuple):
    """A step, and what it is called; with the correction behind it where there is one."""

    term: Term
    step: _Step
    correction: Correction | None = None

    @property
    def code(self) -> str:
        there = self.step.after.there or self.step.before.there
        assert there is not None
        code: str = there.row.code
        return code


def reconciliation_between(
    reading: Reading,
    store: Store,
    day_of: DayOf,
    before: AsOf,
    after: AsOf,
    scope: Scope,
    asked: Counted,
    *,
    terms: Collection[str] = (),
    beyond: tuple[date, str] | None = None,
    limit: int = 50,
) -> Reconciliation:
    """The accounts from the side `before` to the side `after`, and the entries beyond a day and code.

    `terms` are those of which entries are listed; without any, all.
    """
    sides = [_counts(reading, at, scope, asked) for at in (before, after)]
    named = list(_named_steps(reading, before, after, scope, asked))
    names = names_at(reading, after.position, after.on)
    listed = sorted(
        (one for one in named if not terms or one.term in terms),
        key=lambda one: (one.step.after.on, one.code),
    )
    page = [one for one in listed if beyond is None or (one.step.after.on, one.code) > beyond]
    items = _entries(reading, store, day_of, before, after, scope, asked, page[:limit])
    return Reconciliation(
        _account([sum(side.values()) for side in sides], named, lambda _: True),
        _groups(asked.by, sides, named, names),
        items,
        len(page) > limit,
    )


def _counts(reading: Reading, at: AsOf, scope: Scope, asked: Counted) -> dict[str | None, int]:
    """What the board counts in each group."""
    filters = dict(asked.filters)
    if asked.by is not By.STATE:
        filters[STATUS] = [status.value for status in OPEN]
    board = grouped_board_as_of(reading, at, scope, filters, [asked.by.dimension], asked.rule, asked.count_by)
    return {one[asked.by.dimension]: one["count"] for one in board.items}


def _groups(
    by: By, sides: Sequence[Mapping[str | None, int]], named: Sequence[_Named], names: Names
) -> list[GroupAccount]:
    moved = {group[0] for one in named for group in (one.step.before.group, one.step.after.group) if group}
    of_kind = "" if by is By.STATE else DIMENSIONS[by.dimension].names
    ordered = sorted({*sides[0], *sides[1], *moved}, key=lambda group: rank(by.dimension, group, names))
    by_group: defaultdict[str | None, list[_Named]] = defaultdict(list)
    for one in named:
        for group in {one.step.before.group, one.step.after.group}:
            if group is not None:
                by_group[group[0]].append(one)
    return [
        GroupAccount(
            **msgspec.structs.asdict(
                _account([side.get(group, 0) for side in sides], by_group[group], (group,).__eq__)
            ),
            group=group,
            group_name=names.of(of_kind, group) if of_kind else None,
        )
        for group in ordered
    ]


def _account(counts: Sequence[int], named: Iterable[_Named], within: Callable[[Group], bool]) -> Account:
    """What arrived in and left some groups; what goes from one of them to another does neither."""
    arrived, left = Counter[Term](), Counter[Term]()
    for one in named:
        was, is_ = (
            group is not None and within(group) for group in (one.step.before.group, one.step.after.group)
        )
        if was != is_:
            (arrived if is_ else left)[one.term] += 1
    opening, closing = counts
    return Account(
        opening=opening,
        arrived={term.value: arrived[term] for term in Term},
        left={term.value: left[term] for term in Term},
        closing=closing,
    )


# --- the days between -----------------------------------------------------------------------------------------------


def _named_steps(
    reading: Reading, before: AsOf, after: AsOf, scope: Scope, asked: Counted
) -> Iterator[_Named]:
    """Every step from one group to another."""
    learned = before.position != after.position
    lives = _Days(reading, after, scope, asked, before.on, whole=learned).lives()
    steps = [
        _Step(thing, was, is_)
        for thing, life in lives.items()
        for was, is_ in pairwise(life)
        if was.group != is_.group
    ]
    corrections: Any = None
    if learned:
        known = _Days(reading, before, scope, asked, before.on, whole=True).lives()
        nothing = [_Stand(before.on)]
        since = [
            _Step(thing, known.get(thing, nothing)[0], lives.get(thing, nothing)[0], learned=True)
            for thing in known.keys() | lives.keys()
        ]
        since = [step for step in since if step.before.group != step.after.group]
        corrections = corrections_on(
            reading, after._replace(on=before.on), scope, {step.thing for step in since}
        )
        steps += since
    first_days = _first_days(reading, after, {step.thing for step in steps})
    origins = {step.after.there.row.split_from for step in steps if step.after.there} - {None}
    known_origins = readable_codes(reading, after.position, scope, origins)
    for step in steps:
        if step.learned:
            told = [one for one in corrections.of(step.thing) if one.position > before.position]
            behind = _correction_behind(told, step, asked)
            if behind is not None:
                yield _Named(Term.RETRACTED if behind.retraction else Term.CORRECTED, step, behind)
                continue
        yield _Named(_term(step, first_days, known_origins, before), step)


def _term(step: _Step, first_days: Mapping[UUID, tuple[date, int]], origins: set[str], before: AsOf) -> Term:
    """Why a step was taken."""
    was, is_ = step.before, step.after
    if was.there is None and is_.there is not None:
        first_day, registered_at = first_days[step.thing]
        begins = registered_at > before.position if step.learned else first_day == is_.on
        if not begins:
            return Term.PUBLISHED
        return Term.PART if is_.there.row.split_from in origins else Term.REGISTERED
    if is_.there is None:
        return Term.HIDDEN
    if not (was.counts and is_.counts) or was.decider is None or is_.decider is None:
        return Term.MOVED
    closed, closes = _ended(was.decider), _ended(is_.decider)
    if closes is not None and closes != closed:
        return Term(closes)
    if closed is not None and closes is None and was.decider.row.code == is_.decider.row.code:
        return Term.REOPENED
    return Term.MOVED


def _ended(there: _Stretch) -> str | None:
    """How it is closed, or is as good as closed by the rule: as a bill that became law."""
    return there.closure or (there.verdict if there.verdict not in OPEN else None)


def _correction_behind(told: Sequence[Correction], step: _Step, asked: Counted) -> Correction | None:
    """The last correction without which what was learned of the earlier day would be the same as before."""
    was, is_ = step.before.there, step.after.there
    if was is None or is_ is None:
        facts = {"effective_on"}
    elif was.row.closure != is_.row.closure:
        facts = {"closure"}
    elif asked.by is By.STATE:
        fact = deciding_fact(asked.rule, (was.row, is_.row), (step.eve, step.after.on))
        facts = {"stage" if fact == BILL_STAGE else fact}
    else:
        facts = {DIMENSIONS[asked.by.dimension].name, *_FROM_ORIGIN.get(asked.by, ())}
    found = [one for one in told if one.removed or one.what in facts]
    return max(found, key=lambda one: one.position, default=None)


_FROM_ORIGIN: Final[dict[By, tuple[str, ...]]] = {
    By.ORIGIN: ("origin",),
    By.SPEECH_YEAR: ("origin",),
    By.PILLAR: ("parent",),
}
"""What else than itself a group may be another by."""


def _first_days(reading: Reading, at: AsOf, things: Collection[UUID]) -> dict[UUID, tuple[date, int]]:
    """From which day on each commitment is there, whoever may know of it, and since which position."""
    query = (
        select(_row.commitment_id, func.min(_row.valid_from), func.min(_row.registered_at))
        .where(_row.commitment_id.in_(things), commitment_states.known_at(at.position))
        .group_by(_row.commitment_id)
    )
    return (
        {one: (day, position) for one, day, position in reading.connection.execute(query)} if things else {}
    )


class _Days:
    """All that may be counted otherwise on some day from a first one to that of a side, as the asker may know it.

    `whole`: also what is counted alike on all of them.
    """

    def __init__(
        self, reading: Reading, at: AsOf, scope: Scope, asked: Counted, first: date, *, whole: bool
    ) -> None:
        self._reading, self._at, self._scope, self._asked, self._first = reading, at, scope, asked, first
        self._last = at.on
        wanted_pillars = asked.filters.get(PILLAR)
        self._pillars = set(wanted_pillars) if wanted_pillars else None
        self._by_pillar = asked.by is By.PILLAR or self._pillars is not None
        names = {name for name in asked.filters if name != PILLAR}
        inherited = self._by_pillar and any_parts(reading)
        self._beside = inherited or not names.isdisjoint(commitments.filters.keys() | LABELS.keys())
        self._inherited = inherited
        self._of: dict[UUID, list[_Stretch]] = defaultdict(list)
        candidates = true() if whole or inherited else _row.commitment_id.in_(self._candidates())
        self._read(candidates)
        if asked.count_by is CountBy.PROMISE and not (whole or inherited):
            self._read_chains()
        self._by_code = {stretches[0].row.code: one for one, stretches in self._of.items()}

    # - reading

    def _candidates(self) -> Any:
        """The commitments of which something changes between the days."""
        at, reached = self._at, self._reading.position
        begin = [
            select(dataset.c.commitment_id).where(
                dataset.begins_between(self._first, self._last, at.position, reached)
            )
            for dataset in ((commitment_states, commitments) if self._beside else (commitment_states,))
        ]
        if self._asked.by is By.STATE:
            begin.append(
                select(_row.commitment_id).where(
                    commitment_states.valid_at(self._first, at.position, reached),
                    turns_between(self._asked.rule, _row, self._first, self._last),
                )
            )
        first, *others = begin
        return first.union(*others) if others else first

    def _read(self, chosen: ColumnElement[bool]) -> None:
        """Add the days of some commitments that are not there yet."""
        at, first, last = self._at, self._first, self._last
        told = states_told(self._reading, self._scope, at.position)
        filters = {name: values for name, values in self._asked.filters.items() if name != PILLAR}
        beside = commitments.table if self._beside else None
        columns = [*told]
        source: Any = commitment_states.table
        if beside is not None:
            overlap = and_(
                commitments.c.commitment_id == _row.commitment_id,
                commitments.known_at(at.position),
                commitments.c.valid_from < _row.valid_to,
                commitments.c.valid_to > _row.valid_from,
            )
            source = source.join(beside, overlap)
            columns += [
                commitments.c.parent,
                commitments.c.valid_from.label("described_from"),
                commitments.c.valid_to.label("described_to"),
            ]
        admitted = and_(
            true(),
            *commitment_states.admits(filters),
            *commitments.admits(filters),
            *admits_labels(filters, self._label_held()),
        )
        query = (
            select(*columns, admitted.label("admitted"))
            .select_from(source)
            .where(
                chosen,
                # On the last of all days as on its eve.
                commitment_states.holds_between(
                    min(first, END_OF_DAYS - _DAY), last, at.position, self._reading.position
                ),
                readable(self._reading, self._scope, at.position, commitment_states, things=commitments),
            )
        )
        held = set(self._of)
        for row in self._reading.connection.execute(query):
            if row.commitment_id not in held:
                self._take_in(row)
        for stretches in self._of.values():
            stretches.sort(key=lambda one: one.first)

    def _label_held(self) -> ColumnElement[bool]:
        """Whether a label holds on the first day of a row: it changes only where one of its two parts begins."""
        label, begins = commitment_labels.c, (_row.valid_from, commitments.c.valid_from)
        return and_(
            commitment_labels.known_at(self._at.position),
            or_(*(label.valid_from <= day for day in begins)),
            *(label.valid_to > day for day in begins),
        )

    def _take_in(self, row: Any) -> None:
        first, until = max(row.valid_from, self._first), row.valid_to
        if self._beside:
            first, until = max(first, row.described_from), min(until, row.described_to)
        if first >= until and until != END_OF_DAYS:
            return
        rule = self._asked.rule
        if self._asked.by is By.STATE:
            parts = list(runs(row, first, until, rule))
        else:  # the days on which deadlines pass are of no matter
            parts = [(first, until, rule.line_for(row, first))]
        self._of[row.commitment_id] += [
            _Stretch(
                begins,
                ends,
                row,
                None if line.verdict is None else Status(line.verdict),
                row.code,
                row.closure,
                row.merged_into,
                row.split_from,
            )
            for begins, ends, line in parts
        ]

    def _read_chains(self) -> None:
        """Add what goes on in others and comes from others, and what these are."""
        at, reached = self._at, self._reading.position
        there = or_(
            commitment_states.valid_at(self._first, at.position, reached),
            commitment_states.begins_between(self._first, self._last, at.position, reached),
        )
        self._read(_row.commitment_id.in_(select(_row.commitment_id).where(there, in_chains())))
        rows = [one.row for stretches in self._of.values() for one in stretches]
        named = {code for row in rows for code in (row.split_from, row.merged_into)} - {None}
        missing = named - {row.code for row in rows}
        if missing:
            self._read(_row.code.in_(missing))

    # - standing

    def lives(self) -> dict[UUID, list[_Stand]]:
        """How each commitment or promise stands from the first day on, and from which days on it stands otherwise."""
        if self._asked.count_by is CountBy.COMMITMENT:
            return {one: list(self._alone(one)) for one in self._of}
        found: dict[UUID, list[_Stand]] = {}
        for together in self._components():
            found |= self._together(together)
        return found

    def _alone(self, one: UUID) -> Iterator[_Stand]:
        for day in self._days([one]):
            there = self._on(one, day)
            yield self._stand(day, there, there)

    def _together(self, members: Sequence[UUID]) -> dict[UUID, list[_Stand]]:
        """The promises among commitments that may be chained to one another."""
        lives: dict[UUID, list[_Stand]] = {one: [] for one in members}
        for day in self._days(members):
            rows = {one: there for one in members if (there := self._on(one, day)) is not None}
            chains = Chains(rows.values())
            for one in members:
                there = rows.get(one)
                if there is None or chains.root(there.row.code) != there.row.code:
                    lives[one].append(_Stand(day, there=there))
                else:
                    decider = chains.standing(there.row.code).decided_by
                    lives[one].append(self._stand(day, there, decider))
        return lives

    def _components(self) -> Iterator[list[UUID]]:
        """Commitments by what they are chained to on whatever day."""
        links: defaultdict[UUID, set[UUID]] = defaultdict(set)
        for one, stretches in self._of.items():
            for stretch in stretches:
                for code in (stretch.row.split_from, stretch.row.merged_into):
                    other = self._by_code.get(code)
                    if other is not None:
                        links[one].add(other)
                        links[other].add(one)
        left = set(self._of)
        while left:
            members = [left.pop()]
            for member in members:
                onward = links[member] & left
                left -= onward
                members += onward
            yield members

    def _stand(self, day: date, there: _Stretch | None, decider: _Stretch | None) -> _Stand:
        if there is None or decider is None:
            return _Stand(day)
        pillar = self._pillar(there, day) if self._by_pillar else None
        if not there.row.admitted or (self._pillars is not None and pillar not in self._pillars):
            return _Stand(day, None, there, decider)
        by = self._asked.by
        if by is By.STATE:
            return _Stand(day, (str(decider.verdict or decider.row.closure),), there, decider, True)
        if decider.verdict not in OPEN:
            return _Stand(day, None, there, decider, True)
        key = pillar if by is By.PILLAR else getattr(there.row, DIMENSIONS[by.dimension].name)
        return _Stand(day, (key,), there, decider, True)

    def _pillar(self, there: _Stretch, day: date) -> str | None:
        if there.row.pillar is not None or not self._inherited:
            pillar: str | None = there.row.pillar
            return pillar
        return nearest_pillar(there.row.code, lambda code: self._place(code, day))

    def _place(self, code: str, day: date) -> Place | None:
        one = self._by_code.get(code)
        there = None if one is None else self._on(one, day)
        return None if there is None else Place(there.row.pillar, there.row.parent)

    def _on(self, one: UUID, day: date) -> _Stretch | None:
        stretches = self._of[one]
        at = bisect_right(stretches, day, key=lambda stretch: stretch.first) - 1
        if at < 0:
            return None
        found = stretches[at]
        return found if day < found.until or day == found.until == END_OF_DAYS else None

    def _days(self, members: Iterable[UUID]) -> list[date]:
        """The days on which something of these, or of what gives them a pillar, may be otherwise."""
        reached = dict.fromkeys(members)
        if self._inherited:
            queue = list(reached)
            for one in queue:
                for stretch in self._of[one]:
                    above = self._by_code.get(stretch.row.parent)
                    if above is not None and above not in reached:
                        reached[above] = None
                        queue.append(above)
        days = {self._first}
        for one in reached:
            for stretch in self._of[one]:
                days |= {stretch.first, stretch.until}
        return sorted(day for day in days if self._first <= day <= self._last)


# --- what is told of each -------------------------------------------------------------------------------------------


def _entries(
    reading: Reading,
    store: Store,
    day_of: DayOf,
    before: AsOf,
    after: AsOf,
    scope: Scope,
    asked: Counted,
    page: Sequence[_Named],
) -> list[Entry]:
    titles = _titles(reading, (before.position, after.position), {one.step.thing for one in page})

    def entry(one: _Named) -> Entry:
        step, thing = one.step, one.step.thing
        was, is_ = step.before, step.after
        if was.counts and is_.counts and is_.decider is not None:
            thing = is_.decider.row.commitment_id
        stream = store.read_stream(thing, 0, after.position)
        events = [codec.decode(line, position) for position, line in stream]
        eve = before if step.learned else after._replace(on=step.eve)
        known = Known.of(events, eve), Known.of(events, after._replace(on=is_.on))
        position = one.correction.position if one.correction else _position_behind(one, asked, *known)
        sources = sources_of(reading, day_of, after, scope, events)
        return Entry(
            term=one.term,
            on=is_.on,
            id=step.thing,
            code=one.code,
            title=next(title for since, title in titles[step.thing] if since <= is_.on),
            arrives=is_.group is not None,
            leaves=was.group is not None,
            group_before=was.group[0] if was.group else None,
            group_after=is_.group[0] if is_.group else None,
            learned=step.learned,
            because=None if position is None else sources.get(position),
            of=None if thing == step.thing or is_.decider is None else is_.decider.code,
        )

    return [entry(one) for one in page]


def _position_behind(one: _Named, asked: Counted, was: Known | None, is_: Known | None) -> int | None:
    """The event that a step follows from, in the stream of what is counted or of what that stands as."""
    if is_ is None:
        return None
    step = one.step
    match one.term:
        case Term.REGISTERED | Term.PART:
            return is_.events[0].position
        case Term.PUBLISHED | Term.HIDDEN:
            if not step.learned:
                return is_.visibility.said_for(step.after.on)
            said = set() if was is None else was.visibility.said_on(step.eve)
            return max(is_.visibility.said_on(step.after.on) - said, default=None)
        case Term.MOVED:
            facts = [DIMENSIONS[name].name for name in asked.filters if name in DIMENSIONS]
            if asked.by is not By.STATE:
                facts.insert(
                    0, "origin" if asked.by is By.SPEECH_YEAR else DIMENSIONS[asked.by.dimension].name
                )
            told = (is_.said(fact) for fact in facts if was is None or was.said(fact) != is_.said(fact))
            if (found := next(told, None)) is not None:
                return found
            deciders = step.before.decider, step.after.decider
            if asked.by is By.STATE and deciders[0] and deciders[1] and deciders[0].code == deciders[1].code:
                rows = deciders[0].row, deciders[1].row
                return is_.said(deciding_fact(asked.rule, rows, (step.eve, step.after.on)))
            return None
    was_by, is_by = step.before.decider, step.after.decider
    if was_by is None or is_by is None or was_by.code != is_by.code or was_by.closure != is_by.closure:
        return is_.said("closure")
    return is_.said(deciding_fact(asked.rule, (was_by.row, is_by.row), (step.eve, step.after.on)))


def _titles(
    reading: Reading, positions: Iterable[int], things: Collection[UUID]
) -> dict[UUID, list[tuple[date, str]]]:
    """What some commitments are called, each from which day on: the latest first, and the first on all days before."""
    described, found = commitments.c, dict[UUID, list[tuple[date, str]]]()
    for position in positions:  # what was a mistake to record at all has a title at the earlier one only
        query = (
            select(described.commitment_id, described.valid_from, described.title)
            .where(described.commitment_id.in_(things), commitments.known_at(position))
            .order_by(described.valid_from)
        )
        rows = defaultdict[UUID, list[tuple[date, str]]](list)
        for one, since, title in reading.connection.execute(query):
            rows[one].insert(0, (since if rows[one] else date.min, title))
        found |= rows
    return found
