"""Row decisions: what a row adds to a commitment, given what the record holds of it.

A fact that this table told before is passed over without asking the domain again: the commitment may have been closed
since, and then could not take what it took then. What people recorded since is left alone.
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from services.commitments.commitment.model import Commitment, Known, Place, register
from services.commitments.importing.leads import Leads
from services.commitments.importing.mapping import Mapping
from services.commitments.importing.parsing import CommitmentRow, Parser, attribution
from shared.aggregate.command import Context
from shared.errors import BitacoraError, InvalidInput
from shared.eventlog.envelope import Recorded
from shared.events.commitments import (
    Assessed,
    BudgetEstimated,
    Commented,
    Corrected,
    DeadlineRevised,
    InternalDeadline,
    LeadReassigned,
    MilestoneSet,
    OrganizationRegistered,
    Origin,
    ProgressReported,
    PublicDeadline,
    Registered,
)
from shared.events.facts import COMPUTED, Event
from shared.events.streams import stream_of
from shared.events.vocabulary import DeadlineKind
from shared.tabular.engine import Importer, ImportState
from shared.tabular.mapping import check_columns, read_mapping
from shared.tabular.reading import read_table
from shared.tabular.report import ImportReport, RowError
from shared.tabular.text import plain

E = TypeVar("E", bound=Event)


# --- what the record holds ------------------------------------------------------------------------------------------


def _slot_of(event: Event) -> tuple[tuple[object, ...], object] | None:
    """The slot that a fact fills, and with what; None for events an import never makes anew."""
    match event:
        case Assessed():
            return ("rating", event.effective_on, event.scale), (event.judgement, event.rating, event.reason)
        case ProgressReported():
            progress = (event.observed_progress, event.stage, event.percent)
            return ("progress", event.effective_on, event.source), progress
        case BudgetEstimated():
            return ("budget", event.effective_on, event.source), event.lines
        case DeadlineRevised():
            return ("deadline", event.effective_on, event.deadline, event.reason), event.on
        case LeadReassigned():
            return ("lead", event.effective_on, event.reason), event.lead_organization
        case Commented():
            return ("comment", event.effective_on, event.text), None
        case _:
            return None


def _day_of_reason(reason: str | None) -> date | None:
    """The day in a reason that `attribution` made."""
    if reason is None or not reason.startswith("According to "):
        return None
    try:
        return date.fromisoformat(reason[-11:-1])
    except ValueError:
        return None


class ImportedCommitment(Commitment):
    """A commitment that knows what facts were recorded of it, by slot: a rating on a day by a scale, and so on."""

    __slots__ = ("_facts", "_planned")

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        self._facts: dict[tuple[object, ...], object] = {}
        self._planned: dict[str, list[tuple[date, date]]] = {}
        """Milestones carry no day of their own: by name, the days rows were of, and the due days they gave."""

    def apply(self, recorded: Recorded) -> None:
        """Take in the next event; of two facts in one slot the later stands."""
        super().apply(recorded)
        event = recorded.data
        slot = _slot_of(event)
        if slot is not None:
            self._facts[slot[0]] = slot[1]
        elif isinstance(event, MilestoneSet) and (day := _day_of_reason(event.reason)) is not None:
            insort(self._planned.setdefault(event.name, []), (day, event.due_on))

    def holds(self, proposed: Event) -> bool:
        """Whether the very same stands in the slot already."""
        slot = _slot_of(proposed)
        return slot is not None and self._facts.get(slot[0], self) == slot[1]

    def planned(self, name: str, day: date) -> tuple[date | None, bool]:
        """The due day of a milestone by the last row up to `day`, and whether a row of a later day gave one."""
        plans = self._planned.get(name, [])
        at = bisect_right(plans, (day, date.max))
        return (plans[at - 1][1] if at else None), at < len(plans)


# --- decisions ------------------------------------------------------------------------------------------------------


class CommitmentsReport(ImportReport, kw_only=True):
    """What an import of commitments did, beyond what every import tells."""

    organizations_registered: list[str] = msgspec.field(default_factory=list)

    def record(self, event: Event) -> None:
        """Count an event, and name the organisation that is new with it."""
        super().record(event)
        if isinstance(event, OrganizationRegistered):
            self.organizations_registered.append(event.code)

    def details(self) -> Iterator[str]:
        """The organisations that are new to the record."""
        if self.organizations_registered:
            yield f"  new organisations: {', '.join(self.organizations_registered)}"


class CommitmentImport(Importer[CommitmentRow, CommitmentsReport]):
    """An import of a table in which each row is an observation of one commitment on one day."""

    BEGINS_WITH = Registered

    def __init__(self, state: ImportState, file: Path, mapping: Path) -> None:
        self.state = state
        self.mapping = read_mapping(mapping, Mapping)
        self.report = CommitmentsReport(file=file.name, source=self.mapping.source)
        self.leads = Leads(state, self.mapping)
        self.fields: dict[UUID, dict[str, Any]] = {}
        """The fields of each registration, each from the earliest row that gives it."""
        self.titles_before: dict[int, str] = {}
        """By line: what the row before it in time called the commitment."""
        self.column: str | None = None
        """The column that the fact now being decided is from."""
        self._file = file

    def parse(self) -> Iterable[CommitmentRow | list[RowError]]:
        """The rows of the table; InvalidInput when the mapping does not fit it."""
        table = read_table(self._file, self.mapping.file)
        check_columns(self.mapping, table.columns, self._file.name)
        return map(Parser(self.mapping, table.columns, self.state.spelling).row, table.rows)

    def prepare(self, rows: Sequence[CommitmentRow]) -> None:
        """What the rows of one commitment say together."""
        titles: dict[UUID, str] = {}
        for row in rows:
            self.fields[row.stream] = row.fields | self.fields.get(row.stream, {})
            if row.stream in titles:
                self.titles_before[row.line] = titles[row.stream]
            titles[row.stream] = row.title

    def decide(self, row: CommitmentRow) -> None:
        """Record what the record does not know of the row yet."""
        self.column = self.mapping.lead.column
        lead = self.leads.code_of(row.lead, row.day)
        if self.state.of(row.stream, ImportedCommitment) is None:
            self.state.record(row.stream, self._registered(row, lead))
        commitment = self.state.of(row.stream, ImportedCommitment)
        assert commitment is not None
        self.column = None
        _Facts(self, row, lead, commitment).record()

    def refused(self, row: CommitmentRow, error: BitacoraError) -> RowError:
        """An error of the domain, pointed at the column that gave what it complains of."""
        pointer = error.pointer if isinstance(error, InvalidInput) else ""
        mapping = self.mapping
        by_field: dict[str, str | None] = {
            "code": mapping.code.columns[0],
            "title": mapping.title.column,
            "effective_on": mapping.date.column,
            "lead_organization": mapping.lead.column,
            "public_deadline": mapping.deadline.column if mapping.deadline else None,
            "internal_deadline": mapping.internal_deadline.column if mapping.internal_deadline else None,
        } | {name: given.column for name, given in mapping.fields.items()}
        column = by_field.get(pointer.split("/")[1] if pointer else "", self.column)
        value = None if column is None else row.cells.get(plain(column))
        return RowError(row.line, column, value, error.code, error.message)

    def _registered(self, row: CommitmentRow, lead: str) -> Registered:
        mapping, deadlines = self.mapping, row.deadlines
        public, internal = deadlines.get(DeadlineKind.PUBLIC), deadlines.get(DeadlineKind.INTERNAL)
        promised, made_at = mapping.deadline, mapping.origin
        proposed = Registered(
            code=row.code,
            title=row.title,
            lead_organization=lead,
            effective_on=row.day,
            visibility=mapping.visibility,
            public_deadline=PublicDeadline(on=public.on, origin=promised.origin or mapping.source)
            if promised and public and public.on
            else None,
            internal_deadline=InternalDeadline(on=internal.on) if internal and internal.on else None,
            no_deadline_reason=public.prose if public else None,
            origin=None
            if made_at is None
            else Origin(
                kind=made_at.kind,
                source=made_at.source or mapping.source,
                source_on=made_at.source_on,
                document_url=made_at.document_url,
            ),
            **self.fields[row.stream],
        )
        return register(proposed, self.state.context, self.leads.known)


class _Facts:
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

    def record(self) -> None:
        """All of them, in turn."""
        row, mapping, commitment = self._row, self._of.mapping, self._commitment
        if self._day < self._first_day:
            # The row shows that the commitment was there earlier than the record has it.
            day = self._day.isoformat()
            corrected = Corrected(field="effective_on", value=day, reason=self._reason)
            decide = partial(commitment.correct, known=self._known())
            self._propose(mapping.date.column, corrected, decide)
        self._leads()
        if mapping.rating is not None and row.assessed is not None:
            self._propose(mapping.rating.reason or mapping.rating.columns[0], row.assessed, commitment.assess)
        if mapping.deadline is not None:
            self._deadline(DeadlineKind.PUBLIC, mapping.deadline.column)
        if mapping.internal_deadline is not None:
            self._deadline(DeadlineKind.INTERNAL, mapping.internal_deadline.column)
        if mapping.progress is not None and row.reported is not None:
            texts = mapping.progress.texts
            column = texts[0].column if texts else mapping.progress.stage or mapping.progress.percent
            self._propose(column, row.reported, commitment.report_progress)
        if mapping.budget is not None and row.estimated is not None:
            self._propose(mapping.budget.figures[0].column, row.estimated, commitment.estimate_budget)
        self._milestones()
        before = self._of.titles_before.get(row.line, self._commitment.registration.title)
        if mapping.title.renamed == "comment" and row.title != before:
            self._comment(mapping.title.column, f"It is called “{row.title}”. {self._reason}")

    def _known(self) -> Known:
        """What the record holds of what the registration names, what it is part of included."""
        parent = self._commitment.registration.parent
        whole = parent and self._of.state.of(stream_of("commitment", parent), ImportedCommitment)
        known = self._of.leads.known
        if not parent or not whole:
            return known
        place = Place(whole.registration.kind, first_day=whole.dated.first_day)
        return known._replace(commitments={parent: place})

    def _propose(self, column: str | None, proposed: E, decide: Callable[[E, Context], Event]) -> None:
        """Record a fact that is not on record, as the commitment decides it."""
        if not self._commitment.holds(proposed):
            self._of.column = column
            self._of.state.record(self._row.stream, decide(proposed, self._of.state.context))

    def _leads(self) -> None:
        later = self._commitment.lead_on(self._first_day)
        if self._commitment.lead_on(self._day) != self._lead:
            self._reassign(self._lead, self._day)
        # Who was named on the first day led from that day on, whoever is found to have led before.
        if self._day < self._first_day and self._commitment.lead_on(self._first_day) != later:
            self._reassign(later, self._first_day)

    def _reassign(self, lead: str, day: date) -> None:
        reassigned = LeadReassigned(lead_organization=lead, effective_on=day, reason=self._reason)
        decide = partial(self._commitment.reassign_lead, known=self._of.leads.known)
        self._propose(self._of.mapping.lead.column, reassigned, decide)

    def _deadline(self, kind: DeadlineKind, column: str) -> None:
        cell = self._row.deadlines.get(kind)
        if cell is None:
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
        if present != cell.on:
            self._revise(kind, column, cell.on, self._day)
        # As with the lead: what was promised on the first day holds from that day on.
        if self._day < self._first_day and later is not None and history.on(self._first_day)[0] != later:
            self._revise(kind, column, later, self._first_day)

    def _revise(self, kind: DeadlineKind, column: str, on: date, day: date) -> None:
        revised = DeadlineRevised(deadline=kind, on=on, effective_on=day, reason=self._reason)
        self._propose(column, revised, self._commitment.revise_deadline)

    def _milestones(self) -> None:
        """A milestone carries no day of its own, so an older row does not undo what a newer one planned."""
        for column, name, due_on in self._row.milestones:
            planned, superseded = self._commitment.planned(name, self._day)
            milestones = [milestone.plan.event for milestone in self._commitment.milestones]
            current = next((plan for plan in milestones if plan.name == name), None)
            before = planned or (current and current.due_on)
            if not superseded and due_on != before:
                number = COMPUTED if current is None else current.number
                step = MilestoneSet(number=number, name=name, due_on=due_on, reason=self._reason)
                self._propose(column, step, self._commitment.set_milestone)

    def _comment(self, column: str, text: str) -> None:
        commented = Commented(text=text, effective_on=self._day)
        self._propose(column, commented, self._commitment.comment)
