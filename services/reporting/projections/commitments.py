"""From the events of commitments to what held of them on which days, and to the names of what they are filed under."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from datetime import date
from itertools import pairwise
from operator import attrgetter
from typing import Any, ClassVar, Final

import msgspec

from services.reporting.datasets import (
    KEY_WORD,
    ORGANIZATION,
    PARTICIPANT,
    PILLAR,
    TITLE,
    commitment_details,
    commitment_labels,
    commitment_progress,
    commitment_states,
    commitment_texts,
    commitments,
    names,
)
from services.reporting.projections.corrections import About, Answers, Corrections, Said, Telling, answers_of
from services.reporting.projections.differ import ByDay, Now
from services.reporting.projections.projection import DayOf, json_text, readers_of
from services.reporting.projections.reports import Reports
from services.reporting.terms import NOTHING, filed
from shared.aggregate.description import described_by
from shared.aggregate.organizations import ending_of
from shared.eventlog.envelope import Recorded
from shared.events.commitments import (
    Assessed,
    Completed,
    Corrected,
    DeadlineRevised,
    Discarded,
    LeadReassigned,
    Merged,
    OrganizationChanged,
    OrganizationRegistered,
    Origin,
    PillarChanged,
    PillarRegistered,
    ProgressReported,
    ProgressReviewed,
    Registered,
    Reopened,
    Split,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.texts import folded
from shared.events.types import Kind
from shared.events.vocabulary import Nature, OriginKind, Visibility
from shared.rules.bill_stage import bill_stage_in
from shared.rules.dated_facts import RESTATING, DatedFacts, History, Span, VisibilityByDay
from shared.rules.progress import ReportsByDay
from shared.rules.traffic_light import CommitmentOnDay

_registered: Final = attrgetter(*(field.name for field in commitment_states.fields if field.registered))


_DESCRIBED: Final = frozenset(
    ("title", "goal", *(field.name for field in commitment_states.fields if field.registered))
)
"""What is told of a commitment as its registration reads, whatever became of its deadlines and judgements."""

Ending = Completed | Discarded | Merged | Split
_OPEN: Final = (None, None, None)
_REGISTERING: Final = (Registered, *RESTATING)
_REPORTING: Final = (ProgressReported, ProgressReviewed)
_UNENDED: Final = (None, None, None, "[]")
_SPEECHES: Final = (OriginKind.MAY_21_SPEECH, OriginKind.OTHER_SPEECH)


def _speech_year(origin: Origin) -> str | None:
    if origin.source_on is None or origin.kind not in _SPEECHES:
        return None
    return str(origin.source_on.year)


def _told_of(reads: Registered) -> tuple[Any, ...]:
    """What the states tell of a registration, in the order of the dataset, from the origin on."""
    origin = reads.origin
    return (*((None, None) if origin is None else (origin.kind, _speech_year(origin))), *_registered(reads))


class CommitmentProjection(Telling):
    """One commitment; every event changes only what it must."""

    TYPES: ClassVar[frozenset[type[Event]]] = DatedFacts.TYPES | {
        VisibilityChanged,
        ProgressReported,
        ProgressReviewed,
    }
    CORRECTING: ClassVar[frozenset[type[Event]]] = frozenset((Corrected,))

    __slots__ = (
        "_after_due",
        "_day_of",
        "_endings",
        "_facts",
        "_id",
        "_key",
        "_moves",
        "_reads",
        "_reasons",
        "_received",
        "_reports",
        "_visibility",
        "_worded",
    )

    def __init__(self, recorded: Recorded, day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, Registered)
        self._day_of = day_of
        self._after_due = 0
        """How often its public deadline was corrected when it had passed."""
        self._id = recorded.stream_id
        self._key = (recorded.stream_id.hex,)
        self._visibility = VisibilityByDay(event.visibility, recorded.position)
        self._facts = DatedFacts(event, recorded.position)
        self._reads = event, _told_of(event)
        """The registration as it last read, and what the states tell of it."""
        self._moves: tuple[list[date], list[date]] = [], []
        """The days on which the public deadline, and the internal one, were moved."""
        self._reports: ReportsByDay | None = None
        self._received: Reports | None = None
        self._endings: dict[int, Ending] = {}
        """How it ended, by the positions of the events."""
        self._worded: dict[tuple[Any, ...], ByDay] = {}
        """The words of the registration as they are filed."""
        self._reasons: dict[int, str] = {}
        """Why its deadlines were moved, by the positions of the events."""

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        told = self._told(recorded)
        if not isinstance(recorded.data, _REPORTING):
            return told
        self._received = self._received or Reports(self._id.hex, self._day_of)
        return (*told, self._received.take_in(recorded))

    def _told(self, recorded: Recorded) -> Iterable[Now]:
        event = recorded.data
        if isinstance(event, ProgressReported) and event.percent is None and event.stage is None:
            self._reports = self._reports or ReportsByDay()
            self._reports.apply(event, recorded.position)
            return ()  # most reports are like this: their time comes when they are accepted
        if isinstance(recorded.data, Corrected):
            self._facts.apply(recorded.data, recorded.position)
            self._find_moves()
            self._read_words()
            details = (self._details(None),) if self._has_details() else ()
            described = self._descriptions(None), self._labels(), self._texts()
            return (self._states(None), *described, *details, self._readers())
        return self._take_in(recorded)

    @property
    def about(self) -> About:
        """See `Telling.about`."""
        return About(Kind.COMMITMENT, *self._key, self._reads[0].code)

    def shown_on(self, day: date) -> Visibility:
        """See `Telling.shown_on`."""
        return self._visibility.shown_on(day)

    def days_shown(self) -> Iterable[date]:
        """See `Telling.days_shown`."""
        return self._visibility.days()

    def may_change(self, event: Event, what: str) -> bool:
        """See `Telling.may_change`; most events by far are these two."""
        return what not in _DESCRIBED or not isinstance(event, Assessed | DeadlineRevised)

    def corrected(self, known: Corrections) -> Iterable[Now]:
        """See `Telling.corrected`."""
        if known.after_due == self._after_due:
            return ()
        self._after_due = known.after_due
        return (self._states(None),)

    def answers(self) -> Answers:
        """See `Telling.answers`."""
        told = [self._states(None), self._descriptions(None), self._details(None)]
        if self._reports is not None:
            told.append(self._reported(self._reports))
        if self._received is not None:
            told.append(self._received.received())
        facts = self._facts
        return [
            (
                day,
                {
                    **said,
                    # One that was replaced on the day on which it was set held on no day, and is told all the same.
                    "public_deadlines": msgspec.to_builtins(facts.public_deadlines.values(day)),
                    "internal_deadlines": msgspec.to_builtins(facts.internal_deadlines.values(day)),
                },
            )
            for day, said in answers_of(told, facts.first_day)
        ]

    def _take_in(self, recorded: Recorded) -> Iterable[Now]:
        event, position = recorded.data, recorded.position
        if isinstance(event, _REPORTING):
            return self._progress(event, position)
        since = self._facts.apply(event, position)
        if isinstance(event, Assessed):
            return (self._states(since),)
        if isinstance(event, _REGISTERING):
            if self._reasons:
                self._find_moves()
            details = (self._details(since),) if self._has_details() else ()
            self._read_words()
            described = self._descriptions(since), self._labels(), self._texts()
            return (self._states(since), *described, self._readers(), *details)
        match event:
            case VisibilityChanged():
                self._visibility.take_in(event, position)
                return (self._states(None), self._descriptions(None))
            case LeadReassigned():
                return (self._states(since), self._labels(), self._readers())
            case DeadlineRevised() | Completed() | Discarded() | Merged() | Split():
                begun = self._has_details()
                if isinstance(event, DeadlineRevised):
                    self._reasons[position] = event.reason
                    self._find_moves()
                else:
                    self._endings[position] = event
                return (self._states(since), self._details(since if begun else None))
            case Reopened() if self._has_details():
                return (self._states(since), self._details(since))
        return (self._states(since),)

    def _states(self, since: date | None) -> Now:
        # By place and not by name, in the order of the dataset: a rebuild passes here millions of times.
        found: ByDay = []
        visibility, moves, after_due = self._visibility, self._moves[0], self._after_due
        shown = visibility.now.value
        reads, registered = self._reads
        for day, facts in self._spans(since):
            if visibility.dated:
                shown = visibility.shown_on(day).value
            if facts.registration is not reads:
                reads = facts.registration
                registered = _told_of(reads)
            row = (
                reads.code,
                *facts[:-1],
                *(_OPEN if facts.closure_at is None else self._ended(facts.closure_at)),
                shown,
                *registered,
                facts.public_deadline is None,
                bisect_right(moves, day) if moves else 0,
                after_due,
                *self._bill_on(day),
            )
            # What only a registration tells and no column holds ends no row.
            if not found or found[-1][1] != row:
                found.append((day, row))
        self._reads = reads, registered
        return Now(commitment_states, {self._key: found}, since)

    def _spans(self, since: date | None) -> list[Span[CommitmentOnDay]]:
        """What held, cut also on the days from which others may read it, and on those of reports on its bill."""
        cuts: Iterable[date] = self._visibility.days() if self._visibility.dated else ()
        if self._has_bill and self._reports is not None:
            cuts = {*cuts, *self._reports.days_of_stages()}
        return self._reading_spans(since, cuts)

    @property
    def _has_bill(self) -> bool:
        """Whether it needs a law; that may be corrected, and does not change."""
        return self._facts.registration.nature is Nature.LEGISLATIVE

    def _bill_on(self, day: date) -> tuple[str | None, int | None]:
        """Where its bill stood on a day, if the words mean a stage, and the position of what told them, if any were."""
        if not self._has_bill:
            return None, None
        stage, position = (self._reports or ReportsByDay()).stage_told_on(day, self._facts)
        return (None, None) if stage is None else (bill_stage_in(stage), position)

    def _ended(self, position: int) -> tuple[str | None, str | None, int | None]:
        """Into what it was merged, why it was discarded, and how many days late it was done, whichever it was."""
        ending = self._endings[position]
        if isinstance(ending, Completed):
            return None, None, self._late_days(ending.completed_on)
        if isinstance(ending, Discarded):
            return None, ending.reason_type, None
        return (ending.into, None, None) if isinstance(ending, Merged) else _OPEN

    def _late_days(self, done_on: date) -> int | None:
        """How many days after the public deadline then in force; None where there was none."""
        deadline = self._facts.public_deadlines.on(done_on)[0]
        return None if deadline is None else max(0, (done_on - deadline).days)

    def _descriptions(self, since: date | None) -> Now:
        found: ByDay = []
        reports = self._reports or ReportsByDay()
        for day, facts in self._reading_spans(since, reports.days_of_stages()):
            reads = facts.registration
            row = (
                reads.code,
                self._visibility.now.value,
                reads.title,
                reads.parent,
                None if reads.weight is None else f"{reads.weight:f}",
                reads.goal,
                reads.adviser,
                reads.responsible_service,
                reports.stage_told_on(day, self._facts)[0],
                None if reads.origin is None else reads.origin.source,
                json_text(reads.collaborating_organizations),
                json_text(reads.key_words),
            )
            if not found or found[-1][1] != row:
                found.append((day, row))
        return Now(commitments, {self._key: found}, since)

    def _reading_spans(self, since: date | None, cuts: Iterable[date]) -> list[Span[CommitmentOnDay]]:
        """What held, cut also on some days."""
        spans = self._facts.spans(since)
        days = {span.valid_from for span in spans}
        more = {day for day in cuts if day > spans[0].valid_from} - days
        if not more:
            return spans
        return sorted([*spans, *(Span(day, self._facts.facts_on(day)) for day in more)], key=_first_of)

    def _read_words(self) -> None:
        """File the words of the registration anew."""
        found: dict[tuple[Any, ...], ByDay] = {}
        last: Registered | None = None
        for day, facts in self._facts.spans():
            reads = facts.registration
            if reads is last:
                continue
            last = reads
            quote = None if reads.origin is None else reads.origin.quote
            # A key word by itself is no phrase with the next one.
            key_words = [(f"key_word_{number}", word) for number, word in enumerate(reads.key_words)]
            parts = ((TITLE, reads.title), ("goal", reads.goal), ("quote", quote), *key_words)
            now = {
                (*self._key, part, 0, chunk): terms
                for part, text in parts
                for chunk, terms in enumerate(filed(text) if text else ())
            }
            for key in now.keys() - found.keys():
                found[key] = []
            for key, days in found.items():
                terms = (now.get(key, NOTHING),)
                if not days or days[-1][1] != terms:
                    days.append((day, terms))
        self._worded = found

    def _texts(self) -> Now:
        """What is told of it in words."""
        found = dict(self._worded)
        for report in self._reports.on(date.max, accepted=True) if self._reports else ():
            if report.event.observed_progress:
                for chunk, terms in enumerate(filed(report.event.observed_progress)):
                    found[*self._key, "report", report.number, chunk] = [(report.effective_on, (terms,))]
        return Now(commitment_texts, found)

    def _labels(self) -> Now:
        """Under what it is filed, from which day on and until which."""
        found: dict[tuple[Any, ...], ByDay] = {}
        last: tuple[str, Registered] | None = None
        for day, facts in self._facts.spans():
            lead, reads = facts.lead_organization, facts.registration
            if last is not None and lead == last[0] and reads is last[1]:
                continue
            last = lead, reads
            service = () if reads.responsible_service is None else (reads.responsible_service,)
            applying = {
                *((PARTICIPANT.filter, one) for one in (lead, *service, *reads.collaborating_organizations)),
                *((KEY_WORD.filter, folded(word)) for word in reads.key_words),
            }
            for label in applying - found.keys():
                found[label] = []
            for label, days in found.items():
                applies = (label in applying,)
                if days[-1][1] != applies if days else applies[0]:
                    days.append((day, applies))
        return Now(commitment_labels, {(*self._key, *label): days for label, days in found.items()})

    def _has_details(self) -> bool:
        return bool(self._endings or self._reasons)

    def _details(self, since: date | None) -> Now:
        facts, reasons, found = self._facts, self._reasons, ByDay()
        public, internal, closures = facts.public_deadlines, facts.internal_deadlines, facts.closures
        promised_on, promised = _first(public)
        first = facts.first_day if since is None else max(since, facts.first_day)
        days = {first}
        for history in (public, internal, closures):
            days.update(history.days_after(first))
        for day in sorted(days):
            ended = closures.on(day)
            # In the order of the dataset.
            row = (
                promised if promised_on <= day else None,
                reasons.get(public.on(day)[1]),
                bisect_right(self._moves[1], day),
                reasons.get(internal.on(day)[1]),
                *(_UNENDED if ended[0] is None else _how_it_ended(self._endings[ended[1]])),
            )
            if not found or found[-1][1] != row:
                found.append((day, row))
        return Now(commitment_details, {self._key: found}, since)

    def _find_moves(self) -> None:
        facts = self._facts
        self._moves = _moves(facts.public_deadlines), _moves(facts.internal_deadlines)

    def _progress(self, event: ProgressReported | ProgressReviewed, position: int) -> Iterable[Now]:
        reports = self._reports = self._reports or ReportsByDay()
        since = reports.apply(event, position)
        if since is None:
            return ()
        staged: tuple[Now, ...] = ()
        if since in reports.days_of_stages():
            staged = (self._descriptions(since), *((self._states(since),) if self._has_bill else ()))
        worded = (self._texts(),) if isinstance(event, ProgressReviewed) else ()
        return (self._reported(reports), *staged, *worded)

    def _reported(self, reports: ReportsByDay) -> Now:
        found: ByDay = []
        for day in reports.days():
            done, told, last = (
                reports.percent_on(day),
                reports.percent_unreviewed_on(day),
                reports.accepted_on(day),
            )
            report = last and last.event
            row = (
                None if done is None else str(done),
                None if told is None else str(told),
                report and report.number,
                report and report.effective_on,
                report and report.observed_progress,
                json_text(report.evidence if report else ()),
            )
            if not found or found[-1][1] != row:
                found.append((day, row))
        return Now(commitment_progress, {self._key: found})

    def _readers(self) -> Now:
        """Who leads it, answers for it or works on it."""
        return readers_of(self._id, concerned=self._facts.organizations_on(date.max))


def _first_of(span: Span[Any]) -> date:
    return span.valid_from


def _how_it_ended(ending: Ending) -> tuple[str | None, date | None, str | None, str]:
    """Why it was discarded; when it was achieved, and the remarks and the evidence of that."""
    match ending:
        case Discarded():
            return ending.reason, None, None, "[]"
        case Completed():
            return None, ending.completed_on, ending.remarks, json_text(ending.evidence)
    return _UNENDED


def _first(deadlines: History[date | None]) -> tuple[date, date | None]:
    """The first deadline there was, and the day from which there was one."""
    if deadlines.initial[0] is not None:
        return date.min, deadlines.initial[0]
    days, values = deadlines.days(), deadlines.until(date.max)
    return (days[0], values[0]) if days else (date.max, None)


def _moves(deadlines: History[date | None]) -> list[date]:
    """The days on which a deadline that stood was moved to another day; to set a first one is no move."""
    moved = zip(deadlines.days(), pairwise(deadlines.values(date.max)), strict=True)
    return [day for day, (before, after) in moved if before is not None and before != after]


class NameProjection(Telling):
    """What an organisation or a pillar is called, from which day on; and from which day an organisation is no more."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset((OrganizationChanged, PillarChanged))
    CORRECTING: ClassVar[frozenset[type[Event]]] = TYPES

    __slots__ = ("_descriptions", "_key", "_thing")

    def __init__(self, recorded: Recorded, _day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, OrganizationRegistered | PillarRegistered)
        self._thing = recorded.stream_id.hex
        self._key = (PILLAR if isinstance(event, PillarRegistered) else ORGANIZATION, event.code)
        self._descriptions: History[Any] | None = None

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        event = recorded.data
        assert isinstance(
            event, OrganizationRegistered | PillarRegistered | OrganizationChanged | PillarChanged
        )
        before = None if isinstance(event, OrganizationRegistered | PillarRegistered) else self._descriptions
        self._descriptions = described_by(before, event, recorded.position)
        return (Now(names, {self._key: [(day, self._row(day)) for day in self._days()]}),)

    def _described(self, day: date) -> Any:
        assert self._descriptions is not None
        return self._descriptions.on(day)[0]

    def _days(self) -> Iterable[date]:
        return dict.fromkeys((date.min, *(self._descriptions.days() if self._descriptions else ())))

    def _row(self, day: date) -> Any:
        described = self._described(day)
        return names.row(name=described.name, rank=getattr(described, "rank", 0))

    @property
    def about(self) -> About:
        """See `Telling.about`."""
        kind, code = self._key
        return About(Kind(kind), self._thing, code)

    def answers(self) -> Answers:
        """See `Telling.answers`; who stands for an organisation that is no more, reads what was for it to read."""
        columns = [field.name for field in names.fields]
        endings = (self._ending(day) for day in self._days())
        days = {*self._days(), *(one.since for one in endings if one is not None)}
        return [
            (day, {**dict(zip(columns, self._row(day), strict=True)), **self._ended(day)})
            for day in sorted(days)
        ]

    def _ending(self, day: date) -> Any:
        described = self._described(day)
        return ending_of(described) if isinstance(described, OrganizationChanged) else None

    def _ended(self, day: date) -> Said:
        ending = self._ending(day)
        if ending is None or ending.since > day:
            return {}
        return {"successors": list(ending.successors), "dissolved_on": ending.since.isoformat()}
