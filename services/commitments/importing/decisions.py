"""Row decisions: what a row adds to a commitment, given what the record holds of it.

A fact that this table told before is passed over without asking the domain again: the commitment may have been closed
since, and then could not take what it took then. What people recorded since is left alone.
"""

from __future__ import annotations

from collections import abc
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from services.commitments.commitment.model import (
    RISKS,
    Commitment,
    Joined,
    Known,
    Place,
    Stretch,
    Successor,
    open_until,
    register,
)
from services.commitments.commitment.model import Milestone as Step
from services.commitments.commitment.splitting import Splitting, events_of, parts_of
from services.commitments.importing.leads import Leads, NamingReport
from services.commitments.importing.mapping import CHANGEABLE, TOLD, Budget, Mapping, Risks
from services.commitments.importing.parsing import CommitmentRow, Parser
from services.commitments.plan.repository import Directory
from shared.aggregate.command import Context, OnStream
from shared.aggregate.index import EventSource
from shared.errors import InvalidInput, NotFound, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    ChangeableField,
    Changed,
    Commented,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    InternalDeadline,
    LeadReassigned,
    Merged,
    MilestoneCompleted,
    MilestoneSet,
    Origin,
    ProgressReported,
    PublicDeadline,
    Registered,
    Reopened,
    RisksAssessed,
    Split,
)
from shared.events.facts import COMPUTED, Event
from shared.events.streams import stream_of
from shared.events.vocabulary import DeadlineKind
from shared.rules.dated_facts import FIELD_TYPES, History
from shared.tabular.described import depths_of
from shared.tabular.engine import ImportState
from shared.tabular.report import IMPORTED, RowError
from shared.tabular.tables import TableImport, attribution

E = TypeVar("E", bound=Event)
C = TypeVar("C", Completed, Discarded, Merged)


# --- what the record holds ------------------------------------------------------------------------------------------


def _slot_of(event: Event) -> tuple[tuple[object, ...], object] | None:
    """The slot that a fact fills, and with what; None for events an import never makes anew."""
    match event:
        case Assessed():
            return ("rating", event.effective_on, event.scale), (event.judgement, event.rating, event.reason)
        case ProgressReported():
            progress = (event.observed_progress, event.stage, event.percent, event.evidence)
            return ("progress", event.effective_on, event.source), progress
        case BudgetEstimated():
            return ("budget", event.effective_on, event.source), event.lines
        case DeadlineRevised():
            return ("deadline", event.effective_on, event.deadline, event.reason), event.on
        case LeadReassigned():
            return ("lead", event.effective_on, event.reason), event.lead_organization
        case Completed():
            return ("closed", event.completed_on), event.evidence
        case Discarded():
            return ("closed", event.effective_on), (event.reason_type, event.reason)
        case Merged():
            return ("closed", event.effective_on), (event.into, event.reason)
        case Changed():
            return ("field", event.effective_on, event.field, event.reason), event.value
        case Commented():
            return ("comment", event.effective_on, event.text), None
        case _:
            return None


_UNSAID: Final = {field.name: field.default for field in msgspec.structs.fields(Registered)}
"""What a registration says of each field of which nothing is said."""


def _told_by(event: Event) -> Iterator[tuple[tuple[object, ...], object]]:
    """What an event says of the attributes that hold until another fact replaces them: which one, and its value."""
    match event:
        case Registered():
            yield ("lead",), event.lead_organization
            yield ("state",), "open"
            for kind, deadline in (
                (DeadlineKind.PUBLIC, event.public_deadline),
                (DeadlineKind.INTERNAL, event.internal_deadline),
            ):
                if deadline is not None:
                    yield ("deadline", kind), deadline.on
            for name in (*TOLD, "title"):
                if (value := getattr(event, name)) != _UNSAID[name]:
                    yield ("field", name), value
        case DeadlineRevised():
            yield ("deadline", event.deadline), event.on
        case LeadReassigned():
            yield ("lead",), event.lead_organization
        case Completed():
            yield ("state",), "achieved"
        case Discarded():
            yield ("state",), "discarded"
        case Merged():
            yield ("state",), "merged"
        case Split():
            yield ("state",), "split"
        case Reopened():
            yield ("state",), "open"
        case RisksAssessed():
            yield ("risks",), _rated(event)
        case Changed():
            yield ("field", event.field), msgspec.convert(event.value, FIELD_TYPES[event.field])


def _rated(risks: RisksAssessed) -> tuple[object, ...]:
    """What is said of the risks, apart from the day."""
    return (risks.description, *(getattr(risks, name) for name in RISKS))


def _day_of(event: Event) -> date | None:
    """The day a fact is of: its own, or that in a reason that `attribution` made."""
    day = getattr(event, "effective_on", None) or getattr(event, "completed_on", None)
    if isinstance(day, date):
        return day
    reason = getattr(event, "reason", None) or ""
    if not reason.startswith("According to "):
        return None
    try:
        return date.fromisoformat(reason[-11:-1])
    except ValueError:
        return None


class ImportedCommitment(Commitment):
    """A commitment that knows what tables said of it, and when: apart from what people say of the same days."""

    __slots__ = ("_attributes", "_days", "_facts", "_planned")

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        self._facts: dict[tuple[object, ...], object] = {}
        """The facts recorded of it, by slot: a rating on a day by a scale, and so on."""
        self._attributes: dict[tuple[object, ...], History[object]] = {}
        """What tables said of what holds until it is replaced."""
        self._planned: dict[str, dict[date, list[date]]] = {}
        """Milestones, by name: the days that rows were of, and the due days they gave."""
        self._days: set[date] = set()
        """The days of which a table told something."""
        self._take_in(recorded)

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event; of two facts in one slot the later stands."""
        super().apply(recorded)
        self._take_in(recorded)

    def take_in(self, recorded: Recorded, retracted: abc.Mapping[int, int]) -> None:
        """See `Aggregate.take_in`: what a table said and somebody took back, the same table is not to say again."""
        super().take_in(recorded, retracted)
        if recorded.version in retracted and recorded.correlation_id.startswith(IMPORTED):
            self._take_in(recorded)

    def _take_in(self, recorded: Recorded) -> None:
        event = recorded.data
        slot = _slot_of(event)
        if slot is not None:
            self._facts[slot[0]] = slot[1]
        day = _day_of(event) if recorded.correlation_id.startswith(IMPORTED) else None
        if day is None:
            return
        self._days.add(day)
        if isinstance(event, MilestoneSet):
            self._planned.setdefault(event.name, {}).setdefault(day, []).append(event.due_on)
        for attribute, value in _told_by(event):
            history = self._attributes.setdefault(attribute, History(None, 0))
            history.add(day, recorded.position, value)

    def holds(self, proposed: Event) -> bool:
        """Whether the very same stands in the slot already."""
        slot = _slot_of(proposed)
        return slot is not None and self._facts.get(slot[0], self) == slot[1]

    def told(self, slot: tuple[object, ...]) -> bool:
        """Whether anything was ever recorded in a slot."""
        return slot in self._facts

    def told_in(self, slot: tuple[object, ...]) -> object:
        """What was recorded last in a slot; None when nothing was."""
        return self._facts.get(slot)

    def told_on(self, day: date, *attribute: object) -> object:
        """What tables said that an attribute is on a day; None when they did not."""
        history = self._attributes.get(attribute)
        return None if history is None else history.on(day)[0]

    def is_known_on(self, day: date) -> bool:
        """Whether a table told anything of a day."""
        return day in self._days

    def planned(self, name: str, day: date) -> tuple[date | None, bool]:
        """The due day of a milestone by the last row up to `day`, and whether a row of a later day gave one."""
        plans = self._planned.get(name, {})
        upto = max((one for one in plans if one <= day), default=None)
        return (None if upto is None else plans[upto][-1]), any(one > day for one in plans)

    def due_days_told(self, name: str, day: date) -> Sequence[date]:
        """The due days that rows of that very day gave for milestones of a name."""
        return self._planned.get(name, {}).get(day, ())

    def was_planned(self, name: str, day: date) -> bool:
        """Whether a row of that very day gave a due day for a milestone."""
        return bool(self.due_days_told(name, day))


# --- decisions ------------------------------------------------------------------------------------------------------


class OnRecord(Directory):
    """The organisations and pillars on record, and what was ever merged into which commitment."""

    def __init__(self, source: EventSource) -> None:
        super().__init__(source)
        self.merged: dict[str, set[UUID]] = {}
        source.subscribe((Merged,), self._note, forget=self.merged.clear)

    def _note(self, recorded: Recorded) -> None:
        event = recorded.data
        assert isinstance(event, Merged)
        self.merged.setdefault(event.into, set()).add(recorded.stream_id)


class CommitmentImport(TableImport[Mapping, CommitmentRow, NamingReport]):
    """An import of a table in which each row is an observation of one commitment on one day."""

    BEGINS_WITH = Registered
    MAPPING = Mapping

    def __init__(self, state: ImportState, file: Path, mapping: Path | Mapping) -> None:
        super().__init__(state, file, mapping)
        self._on_record = state.lookup(OnRecord)
        self.leads = Leads(state, self.mapping, self.mapping.lead, self._on_record)
        self.titles: dict[UUID, dict[date, str]] = {}
        """What each commitment is called by the rows that went in, by their days."""
        self.described: dict[str, CommitmentRow] = {}
        """The first row of each commitment."""

    def reported(self, file: str, source: str) -> NamingReport:
        """See `TableImport.reported`."""
        return NamingReport(file=file, source=source)

    def parser(self, columns: Sequence[str]) -> Parser:
        """See `TableImport.parser`."""
        self._parser = Parser(self.mapping, columns, self.state)
        return self._parser

    def parse(self) -> Iterator[CommitmentRow | list[RowError] | None]:
        """See `Importer.parse`."""
        found = [*super().parse()]
        # Of one day, those go in first that others are part of, come from or go on in.
        depths = depths_of(_named_by(row for row in found if isinstance(row, CommitmentRow)))
        for row in found:
            if isinstance(row, CommitmentRow):
                yield msgspec.structs.replace(row, order=(row.day, depths.get(row.code, 0)))
            else:
                yield row
        self.report.warnings.extend(self._parser.doubts())

    def prepare(self, rows: Sequence[CommitmentRow]) -> None:
        """See `Importer.prepare`: a split registers its parts, which the rows describe."""
        for row in rows:
            self.described.setdefault(row.code, row)

    def supersedes(self, row: CommitmentRow, earlier: CommitmentRow) -> bool:
        """See `Importer.supersedes`: the last in time, or else in the file, if the mapping says so."""
        return self.mapping.date.differing == "last" and row.moment >= earlier.moment

    def decide(self, row: CommitmentRow) -> list[RowError]:
        """Record what the record does not know of the row yet; what of the row it will not know is returned."""
        self._must_be_theirs(row)
        self.column = self.mapping.lead.column
        lead = self.leads.code_of(row.lead, row.day)
        # Whether a row can go in is asked of itself alone, whatever the rows before it have entered already: else one
        # that is refused today would be let in by another run.
        registered = self._registered(row, lead)
        if self.state.of(row.stream, ImportedCommitment) is None:
            self.state.record(row.stream, registered)
        commitment = self.state.of(row.stream, ImportedCommitment)
        assert commitment is not None
        self.column = None
        left_out = self.facts(row, lead, commitment).record()
        self.titles.setdefault(row.stream, {})[row.day] = row.title
        return left_out

    def facts(self, row: CommitmentRow, lead: str, commitment: ImportedCommitment) -> RowFacts:
        """The facts of a row, to be decided."""
        return RowFacts(self, row, lead, commitment)

    def _must_be_theirs(self, row: CommitmentRow) -> None:
        """Whoever may not register commitments tells of their own, and finds out nothing of others by guessing."""
        if self.state.may_record(Registered):
            return
        self.column = self.mapping.code.columns[0]
        commitment = self._readable(row.stream)
        if commitment is None:
            raise NotFound("unknown-commitment", "There is no such commitment.")
        commitment.must_be_own_of(self.state.context.actor, row.day)
        parent = row.fields.get("parent")
        if parent is not None and self._readable(stream_of("commitment", parent)) is None:
            # Not the code: it is as on record, and whoever asks may have written it otherwise.
            raise InvalidInput("parent-unknown", "There is no such commitment.", pointer="/parent")

    def _readable(self, stream: UUID) -> ImportedCommitment | None:
        """A commitment, where there is one that whoever brings the rows in may know of."""
        found = self.state.of(stream, ImportedCommitment)
        return None if found is None or not found.readers().include(self.state.context.actor) else found

    def columns_by_field(self) -> dict[str, str | None]:
        """See `TableImport.columns_by_field`."""
        mapping = self.mapping
        return {
            "code": mapping.code.columns[0],
            "title": mapping.title.column,
            "effective_on": mapping.date.column,
            "lead_organization": mapping.lead.column,
            "public_deadline": mapping.deadline.column if mapping.deadline else None,
            "internal_deadline": mapping.internal_deadline.column if mapping.internal_deadline else None,
        } | mapping.field_columns

    def _registered(self, row: CommitmentRow, lead: str) -> Registered:
        mapping, deadlines = self.mapping, row.deadlines
        public, internal = deadlines.get(DeadlineKind.PUBLIC), deadlines.get(DeadlineKind.INTERNAL)
        origin = row.fields.get("origin")
        proposed = Registered(
            code=row.code,
            title=row.title,
            lead_organization=lead,
            effective_on=row.since,
            visibility=mapping.visibility,
            public_deadline=PublicDeadline(on=public.on, origin=row.deadline_origin)
            if public and public.on
            else None,
            internal_deadline=InternalDeadline(on=internal.on) if internal and internal.on else None,
            no_deadline_reason=public.prose if public else None,
            **row.fields | ({} if origin is None else {"origin": self.sourced(origin)}),
        )
        return register(proposed, self.state.context, self.known(row.fields.get("parent")))

    def sourced(self, origin: Origin) -> Origin:
        """An origin with the table as its source, where no other is given."""
        return msgspec.structs.replace(origin, source=origin.source or self.mapping.source)

    def known(self, *named: str | None) -> Known:
        """What the record holds of what a registration names, and of these commitments: what they are part of."""
        places: dict[str, Place] = {}
        for code in filter(None, named):
            found = self.state.of(stream_of("commitment", code), ImportedCommitment)
            if found is not None:
                above = self.reached(found, Commitment.parents, date.min)
                places[code] = Place(found.registration.kind, above, found.dated.first_day)
        return self.leads.known._replace(commitments=places)

    def merged_into(self, successor: Commitment) -> list[Joined]:
        """What was merged into a commitment, and from which day on."""
        streams = self._on_record.found.merged.get(successor.code, ())
        found = [self.state.of(stream, ImportedCommitment) for stream in streams]
        return sorted(
            Joined(one.code, stretch.since)
            for one in found
            if one is not None
            for stretch in one.successors()
            if stretch.code == successor.code
        )

    def reached(
        self, start: Commitment, following: Callable[[Commitment], list[Stretch]], since: date
    ) -> tuple[str, ...]:
        """The codes that following a relation leads to on any one day from one on, the nearest first."""
        found = [(start.code, since, date.max)]
        for code, earliest, latest in found:
            one = self.state.of(stream_of("commitment", code), ImportedCommitment)
            for named in () if one is None else following(one):
                step = (named.code, max(earliest, named.since), min(latest, named.until))
                if step[1] < step[2] and step not in found:
                    found.append(step)
        return tuple(dict.fromkeys(code for code, _, _ in found[1:]))


_STATES: Final[dict[type[Event], str]] = {
    Completed: "achieved",
    Discarded: "discarded",
    Merged: "merged",
    Split: "split",
}


def _named_by(rows: Iterable[CommitmentRow]) -> dict[str, set[str]]:
    """Which commitments have to be there before each one: what it is part of, goes on in, or comes from."""
    named: dict[str, set[str]] = {}
    for row in rows:
        own = named.setdefault(row.code, set())
        own |= {row.fields["parent"]} if "parent" in row.fields else set()
        closed = None if row.state is None else row.state.closed
        if isinstance(closed, Merged):
            own.add(closed.into)
        for part in () if row.state is None else row.state.parts:
            named.setdefault(part, set()).add(row.code)
    return named


def _parts_given(origin: Origin) -> dict[str, object]:
    """What an origin says, by part."""
    return {name: part for name in origin.__struct_fields__ if (part := getattr(origin, name)) is not None}


def _json(value: object) -> object:
    """A value of the registration in the shape in which changes and corrections have it; numbers stay exact."""
    return value if isinstance(value, Decimal) else msgspec.to_builtins(value)


class RowFacts:
    """The facts of one row, each decided when the one before it is recorded."""

    def __init__(
        self, of: CommitmentImport, row: CommitmentRow, lead: str, commitment: ImportedCommitment
    ) -> None:
        self._of = of
        self._row = row
        self._lead = lead
        self._day = row.day
        self._commitment = commitment
        self._first_day = self._commitment.dated.first_day
        self._reason = attribution(of.mapping.source, row.day)
        self._known_day = commitment.is_known_on(row.day)
        self._left_out: list[RowError] = []

    def record(self) -> list[RowError]:
        """All of them, in turn; returns what of the row is left out."""
        row, mapping = self._row, self._of.mapping
        if row.since < self._first_day:
            # The row shows that the commitment was there earlier than the record has it.
            day = row.since.isoformat()
            corrected = Corrected(field="effective_on", value=day, reason=self._reason)
            self._propose(mapping.date.column, corrected, self._move_first_day)
        # An end of before the row's day, and a reopening, go in first: they say what else can be told of that day.
        first = row.state is not None and (row.state.closed is None or row.state.since < row.day)
        if first:
            self._state()
        self._leads()
        self._fields()
        self._assessed()
        self._deadlines()
        self._reported()
        if mapping.risks is not None:
            self._risks(mapping.risks)
        if mapping.budget is not None:
            self._budget(mapping.budget)
        self._milestones()
        self._title()
        self._comments()
        if not first:
            self._state()
        return self._left_out

    def _leave_out(self, column: str | None, code: str, reason: str) -> None:
        self._left_out.append(self._row.error(column, code, reason))

    def _cleared(self, column: str | None) -> None:
        reason = "This table gave a value here before, which stays: a blank says nothing."
        self._leave_out(column, "value-cleared", reason)

    def _known(self, *named: str | None) -> Known:
        """What the record holds of what the registration names, what it is part of included."""
        return self._of.known(self._commitment.registration.parent, *named)

    def _review(self, reported: ProgressReported) -> None:
        """What became of the report, told by somebody other than who told of it."""
        reviewed, given = self._row.reviewed, self._of.mapping.review
        told = (one for one in self._commitment.reports if _slot_of(one.entry.event) == _slot_of(reported))
        report = next(told, None)
        if reviewed is None or given is None or report is None:
            return
        if report.review is not None:
            if report.review.event.outcome is not reviewed.outcome:
                reason = f"On record it was {report.review.event.outcome}, which stays."
                self._leave_out(given.column, "report-already-reviewed", reason)
            return
        proposed = msgspec.structs.replace(reviewed, report=report.number)
        try:
            self._propose(given.column, proposed, self._commitment.review_progress)
        except RuleBroken as error:
            if error.code != "reviewer-is-author":
                raise
            reason = "Nobody reviews a report of their own: have somebody else import the table again."
            self._leave_out(given.column, error.code, reason)

    def _move_first_day(self, proposed: Corrected, context: Context) -> Corrected:
        commitment = self._commitment
        origin = commitment.registration.split_from
        original = origin and self._of.state.of(stream_of("commitment", origin), ImportedCommitment)
        if origin and original:
            into = (stretch for stretch in original.successors() if stretch.code == commitment.code)
            splits = [Joined(origin, one.since) for one in into]
            commitment.must_begin_with_its_split(self._row.since, splits)
        return commitment.correct(proposed, context, self._known())

    def _propose(self, column: str | None, proposed: E, decide: Callable[[E, Context], Event]) -> None:
        """Record a fact that is not on record, as the commitment decides it."""
        if self._commitment.holds(proposed):
            return
        self._of.column = column
        self._of.state.must_record(type(proposed))
        try:
            decided = decide(proposed, self._of.state.context)
        except RuleBroken as error:
            if error.code != "commitment-closed" or not self._says_closed:
                raise
            # A table goes on to list what, by its own word, has come to its end.
            self._leave_out(column, error.code, error.message)
        else:
            self._of.state.record(self._row.stream, decided)

    @property
    def _says_closed(self) -> bool:
        state = self._row.state
        return (
            state is not None
            and state.closed is not None
            and self._commitment.closing_on(self._day) is not None
        )

    def _state(self) -> None:
        """How it came to its end, or that it is open again; an end that is on record stays as it is."""
        state, given = self._row.state, self._of.mapping.state
        if state is None or given is None:
            return
        closing = self._commitment.closing_on(self._day)
        present = "open" if closing is None else _STATES.get(type(closing.event), "")
        if not self._is_news(state.state, present, "state"):
            if state.closed is not None and state.with_details and not self._commitment.holds(state.closed):
                reason = "On record it came to its end on another day, or by another reason or evidence: that stays."
                self._leave_out(given.column, "state-settled", reason)
            return
        match state.closed:
            case Completed() as completed:
                self._propose(given.column, completed, self._ending(self._commitment.complete))
            case Discarded() as discarded:
                self._propose(given.column, discarded, self._ending(self._commitment.discard))
            case Merged() as merged:
                self._propose(given.into, merged, self._ending(self._merge))
            case Split() as split:
                self._split(split, state.parts)
            case None:
                reopened = Reopened(reason=self._reason, effective_on=state.since)
                self._propose(given.column, reopened, self._commitment.reopen)

    def _ending(self, decide: Callable[[C, Context], C]) -> Callable[[C, Context], C]:
        """A decision that closes it, on a day until which nothing had been merged into it later."""

        def decide_ending(proposed: C, context: Context) -> C:
            decided = decide(proposed, context)
            self._must_carry_on(decided)
            return decided

        return decide_ending

    def _must_carry_on(self, closed: Completed | Discarded | Merged | Split) -> None:
        self._commitment.must_carry_on(self._of.merged_into(self._commitment), open_until(closed))

    def _merge(self, proposed: Merged, context: Context) -> Merged:
        into = self._of.state.of(stream_of("commitment", proposed.into), ImportedCommitment)
        successor = None
        if into is not None:
            day = proposed.effective_on
            chain = self._of.reached(into, Commitment.successors, day)
            successor = Successor(into.code, into.closing_on(day) is None, chain, into.dated.first_day)
        return self._commitment.merge(proposed, context, successor)

    def _split(self, proposed: Split, codes: Sequence[str]) -> None:
        """Its parts are registered with it, by the names that their rows give them; the rest they tell themselves."""
        of, state = self._of, self._of.state
        of.column = None if of.mapping.state is None else of.mapping.state.parts
        state.must_record(Split)
        for code in codes:
            if code not in of.described:
                reason = f"No row tells what the part '{code}' is called."
                raise InvalidInput("part-undescribed", reason)
            if state.of(stream_of("commitment", code), ImportedCommitment) is not None:
                raise RuleBroken("code-taken", f"There is already a commitment with the code '{code}'.")
        named = [{"code": code, "title": of.described[code].title} for code in codes]
        parts = parts_of(self._commitment, Splitting(proposed, named))
        split = self._commitment.split(proposed, state.context, codes)
        self._must_carry_on(split)
        known = [of.known(part.parent) for part in parts]
        for event in events_of(self._commitment, split, parts, known, state.context):
            if isinstance(event, OnStream):
                state.record(event.stream_id, event.event)
            else:
                state.record(self._row.stream, event)

    def _is_news(self, value: object, present: object, *attribute: object) -> bool:
        """Whether a value is neither what holds on the row's day nor what tables said of it all along.

        Of a day that a table told of before, it is compared with what tables said: what people changed since stays.
        """
        told = self._commitment.told_on(self._day, *attribute) if self._known_day else None
        return value not in (present, told)

    def _leads(self) -> None:
        later = self._commitment.lead_on(self._first_day)
        if self._is_news(self._lead, self._commitment.lead_on(self._day), "lead"):
            self._reassign(self._lead, self._day)
        # Who was named on the first day led from that day on, whoever is found to have led before.
        if self._day < self._first_day and self._commitment.lead_on(self._first_day) != later:
            self._reassign(later, self._first_day)

    def _fields(self) -> None:
        # What is the same for all says nothing of one that is on record.
        for name, column in self._of.mapping.field_columns.items():
            value = self._row.fields.get(name)
            if value is None:
                if self._commitment.told_on(self._day, "field", name) not in (None, ()):
                    self._cleared(column)
            elif name in CHANGEABLE:
                self._change(name, value, column)
            else:
                self._set_right(name, value, column)

    def _field_on(self, name: str, day: date) -> object:
        if name == "stage":
            return self._commitment.stage_on(day)
        return getattr(self._commitment.dated.registration_on(day), name)

    def _change(self, name: str, value: object, column: str) -> None:
        """A field that is another in the world from the row's day on; what was on the first day on record stays."""
        later = self._field_on(name, self._first_day)
        if not self._is_news(value, self._field_on(name, self._day), "field", name):
            return
        self._record_change(name, value, self._day, column)
        if self._day < self._first_day and self._field_on(name, self._first_day) != later:
            self._record_change(name, later, self._first_day, column)

    def _record_change(self, name: str, value: object, day: date, column: str) -> None:
        changed = Changed(
            field=ChangeableField(name),
            value=_json(value),
            effective_on=day,
            reason=self._reason,
        )
        above = value if name == "parent" and isinstance(value, str) else None
        self._propose(column, changed, partial(self._commitment.change, known=self._known(above)))

    def _set_right(self, name: str, value: object, column: str) -> None:
        """A field that never changes in the world: told where nothing was, and else left as it is."""
        present = self._field_on(name, self._day)
        if isinstance(value, Origin):
            if isinstance(present, Origin) and _parts_given(value).items() <= _parts_given(present).items():
                return  # what a row leaves blank is no difference
            value = self._of.sourced(value)
        if present in (None, ()):
            corrected = Corrected(field=name, value=_json(value), reason=self._reason)
            self._propose(column, corrected, partial(self._commitment.correct, known=self._known()))
        elif present != value:
            reason = f"On record, `{name}` reads otherwise and stays: a person may correct it."
            self._leave_out(column, "field-settled", reason)

    def _assessed(self) -> None:
        given, assessed = self._of.mapping.rating, self._row.assessed
        if given is None:
            return
        if assessed is not None:
            self._propose(given.reason or given.columns[0], assessed, self._commitment.assess)
        elif self._commitment.told(("rating", self._day, given.scale)):
            self._cleared(given.columns[0])

    def _reported(self) -> None:
        given, reported = self._of.mapping.progress, self._row.reported
        if given is None:
            return
        column = given.texts[0].column if given.texts else given.stage or given.percent
        if reported is not None:
            self._propose(column, reported, self._commitment.report_progress)
            self._review(reported)
        elif self._commitment.told(("progress", self._day, self._of.mapping.source)):
            self._cleared(column)

    def _reassign(self, lead: str, day: date) -> None:
        reassigned = LeadReassigned(lead_organization=lead, effective_on=day, reason=self._reason)
        decide = partial(self._commitment.reassign_lead, known=self._of.leads.known)
        self._propose(self._of.mapping.lead.column, reassigned, decide)

    def _deadlines(self) -> None:
        mapping = self._of.mapping
        given = {DeadlineKind.PUBLIC: mapping.deadline, DeadlineKind.INTERNAL: mapping.internal_deadline}
        public, internal = (
            self._row.deadlines.get(DeadlineKind.PUBLIC),
            self._commitment.dated.internal_deadlines,
        )
        present = internal.on(self._day)[0]
        # The two are in order after each step: where the public one is brought forward past the other, it goes last.
        past = public is not None and public.on is not None and present is not None and public.on < present
        for kind, deadline in reversed(given.items()) if past else given.items():
            if deadline is not None:
                self._deadline(kind, deadline.column)

    def _deadline(self, kind: DeadlineKind, column: str) -> None:
        cell = self._row.deadlines.get(kind)
        if cell is None:
            if self._commitment.told_on(self._day, "deadline", kind) is not None:
                self._cleared(column)
            return
        public, dated = kind is DeadlineKind.PUBLIC, self._commitment.dated
        history = dated.public_deadlines if public else dated.internal_deadlines
        present = history.on(self._day)[0]
        if cell.on is None:
            registered = self._commitment.registration.no_deadline_reason if public else None
            if present is not None or cell.prose != registered:
                self._comment(column, f"No {kind} deadline is given: “{cell.prose}”. {self._reason}")
            return
        later = history.on(self._first_day)[0]
        if self._is_news(cell.on, present, "deadline", kind):
            self._revise(kind, column, cell.on, self._day)
        # As with the lead: what was promised on the first day holds from that day on.
        if self._day < self._first_day and later is not None and history.on(self._first_day)[0] != later:
            self._revise(kind, column, later, self._first_day)

    def _revise(self, kind: DeadlineKind, column: str, on: date, day: date) -> None:
        revised = DeadlineRevised(deadline=kind, on=on, effective_on=day, reason=self._reason)
        self._propose(column, revised, self._commitment.revise_deadline)

    def _risks(self, given: Risks) -> None:
        column = next(iter(given.columns.values()))
        entry, rated = self._commitment.risks.on(self._day)[0], self._row.risks
        if rated is not None:
            if self._is_news(_rated(rated), None if entry is None else _rated(entry.event), "risks"):
                self._propose(column, rated, self._commitment.assess_risks)
        elif self._commitment.told_on(self._day, "risks") is not None:
            self._cleared(column)

    def _budget(self, given: Budget) -> None:
        row = self._row
        for column in dict.fromkeys(figure.column for figure in given.figures):
            if isinstance(row.said.get(column), str):
                self._leave_out(
                    column, "prose-for-a-figure", "Nothing is recorded of a figure that is not given."
                )
        if row.estimated is not None:
            self._propose(given.figures[0].column, row.estimated, self._commitment.estimate_budget)
        elif self._commitment.told(("budget", row.day, self._of.mapping.source)):
            self._cleared(given.figures[0].column)

    def _milestones(self) -> None:
        """An older row does not undo what a newer one planned: the last plan on record is the one that stands."""
        for name, cell in self._row.milestones.items():
            due_on = cell.due_on
            if due_on is None and self._step(name) is None:
                # What was never planned was due when it was reached, as far as anybody knows.
                due_on = cell.completed_on
            if due_on is not None:
                self._plan(name, cell.column, due_on)
            elif cell.completed_on is None and self._commitment.was_planned(name, self._day):
                self._cleared(cell.column)
            if cell.completed_on is not None:
                self._reach(name, cell.completed_column, cell.completed_on)

    def _plan(self, name: str, column: str, due_on: date) -> None:
        planned, superseded = self._commitment.planned(name, self._day)
        current = self._step(name)
        before = planned or (current and current.plan.event.due_on)
        if superseded or due_on == before:
            return
        if current is not None and current.completion is not None:
            self._leave_out(column, "milestone-completed", "It was reached, and is not planned anew.")
            return
        number = COMPUTED if current is None else current.number
        step = MilestoneSet(
            number=number, name=name, due_on=due_on, reason=self._reason, effective_on=self._day
        )
        self._propose(column, step, self._commitment.set_milestone)

    def _reach(self, name: str, column: str | None, completed_on: date) -> None:
        step = self._step(name)
        if step is None:
            return
        if step.completion is None:
            reached = MilestoneCompleted(number=step.number, completed_on=completed_on)
            self._propose(column, reached, self._commitment.complete_milestone)
        elif step.completion.event.completed_on != completed_on:
            reason = f"On record it was reached on {step.completion.event.completed_on}, which stays."
            self._leave_out(column, "milestone-completed", reason)

    def _step(self, name: str) -> Step | None:
        return next((one for one in self._commitment.milestones if one.plan.event.name == name), None)

    def _title(self) -> None:
        row, given = self._row, self._of.mapping.title
        if given.renamed == "change":
            self._change("title", row.title, given.column)
        elif given.renamed == "comment":
            called = self._of.titles.get(row.stream, {})
            last = max((day for day in called if day < self._day), default=None)
            before = self._commitment.registration.title if last is None else called[last]
            if row.title != before:
                self._comment(given.column, f"It is called “{row.title}”. {self._reason}")

    def _comments(self) -> None:
        """Remarks that nobody made yet, in the same words."""
        made = {one.event.text for one in self._commitment.comments}
        for column, text in self._row.comments:
            if text not in made:
                self._comment(column, text)

    def _comment(self, column: str, text: str) -> None:
        commented = Commented(text=text, effective_on=self._day)
        self._propose(column, commented, self._commitment.comment)
