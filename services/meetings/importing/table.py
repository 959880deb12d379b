"""Tables of meetings: a row is a meeting, or an item of its agenda with what came of it, as in registers of agreements.

The rows of one meeting go in together or not at all. What they become is the same as of the meetings that councils
publish; here the table may tell as well who came, what was decided and who owes what.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec

from services.meetings.body.model import Body
from services.meetings.importing.bodies import OnRecord
from services.meetings.importing.decisions import Facts
from services.meetings.importing.parsing import MeetingRow
from services.meetings.importing.report import MeetingsReport, Outcome
from services.meetings.meeting.model import Known
from shared.aggregate.index import EventSource
from shared.errors import BitacoraError, InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.meeting_vocabulary import ItemOutcome, Presence, Rights
from shared.events.meetings import (
    AgendaItem,
    Attendee,
    BudgetImpact,
    DraftActionItem,
    DraftDecision,
    MeetingConvened,
    MinutesItem,
)
from shared.events.streams import stream_of
from shared.events.texts import without_unseen
from shared.events.types import LONGEST_LINE, LONGEST_TEXT
from shared.tabular.cells import Cells, DateReader, Unreadable, amount_text
from shared.tabular.engine import ImportState
from shared.tabular.fields import FieldReader, FieldsReader, types_of
from shared.tabular.mapping import Column, Dates, Given, Section, TableMapping, Text, contradicting
from shared.tabular.report import IMPORTED, RowError
from shared.tabular.tables import RowParser, TableImport, TableRow
from shared.tabular.text import by_word, folded, plain
from shared.tabular.workbook import Cell, TypedCell, text_of

_HOUR: Final = re.compile(
    r"([01]?[0-9]|2[0-3])[:.h]([0-5][0-9])(?::[0-5][0-9])?(?: ?(?:h|hrs?|horas))?\.?", re.I
)


# --- the mapping ----------------------------------------------------------------------------------------------------


class Start(Dates, frozen=True, kw_only=True):
    """When it begins: the day, and the hour there or in a column of its own, or the same for all."""

    time: Column | None = None
    hour: Text | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """An hour that is none."""
        yield from super().contradictions()
        if self.hour is not None and _HOUR.fullmatch(self.hour) is None:
            yield "hour", f": '{self.hour}' is no hour, as 09:30 is"


class End(Section, frozen=True, kw_only=True):
    """When it ends on the same day: in a column of hours; when it was to, or, where it `is` "actual", when it did."""

    column: Column
    end_is: Literal["planned", "actual"] = "planned"


class OfMeeting(Section, frozen=True, kw_only=True):
    """Which meeting a row is of, and what the table says of it; without a `reference`, a body meets once in a day."""

    reference: Column | None = None
    body: Given
    title: str | Given | None = None
    place: str | Given | None = None
    cancelled: Given | None = None


class OutcomeColumn(Section, frozen=True, kw_only=True):
    """What came of an item, in the words of the table, and what some of them amount to."""

    column: Column
    values: dict[str, ItemOutcome] = msgspec.field(default_factory=dict)
    unknown: Literal["error", "verbatim"] = "error"

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A word for two outcomes."""
        yield from contradicting("values", self.values)


class Item(Section, frozen=True, kw_only=True):
    """The item of the agenda that a row is about; rows with one `label`, or else one title, are of one item."""

    title: Column
    label: Column | None = None
    sponsor: str | Given | None = None
    commitments: Given | None = None
    minutes: Given | None = None
    summary: Column | None = None
    outcome: OutcomeColumn | None = None


class DecisionColumns(Section, frozen=True, kw_only=True):
    """A decision on the item, as the minutes word it."""

    text: Column
    kind: str | Given = "other"
    commitments: Given | None = None
    organizations: Given | None = None
    amount: Column | None = None
    multiplier: int = 1
    currency: str | Given | None = None
    fiscal_year: int | Given | None = None
    financing: str | Given | None = None


class TaskColumns(Section, frozen=True, kw_only=True):
    """A task agreed on the item: who owes what by when."""

    text: Column
    owner: str | Given
    due_on: Given
    owner_subject: Given | None = None
    commitment: Given | None = None


class AttendeeColumn(Section, frozen=True, kw_only=True):
    """A column that says whether somebody came."""

    column: Column
    organization: Text
    position: Text
    rights: Rights = Rights.FULL
    values: dict[str, Presence]
    """What its words say; a blank says nothing."""


class Attendees(Section, frozen=True, kw_only=True):
    """A column that lists those who came, each as an organisation and an office."""

    column: Column
    separator: Text = ";"
    parted_by: Text = "/"


class MeetingTableMapping(TableMapping, frozen=True, kw_only=True):
    """The whole file."""

    kind: Literal["meetings"]
    meeting: OfMeeting
    start: Start
    end: End | None = None
    item: Item | None = None
    decision: DecisionColumns | None = None
    action_item: TaskColumns | None = None
    attendance: tuple[AttendeeColumn, ...] = ()
    attendees: Attendees | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """What would stand on no item."""
        for name in ("decision", "action_item"):
            if getattr(self, name) is not None and self.item is None:
                yield name, " stands on an item of the agenda: say in `item` which"


# --- rows -----------------------------------------------------------------------------------------------------------


class ItemCells(NamedTuple):
    """What one row says of an item."""

    title: str
    label: str | None
    fields: dict[str, Any]
    summary: str | None
    outcome: ItemOutcome | None
    verbatim: str | None
    decision: DraftDecision | None
    task: DraftActionItem | None

    @property
    def called(self) -> str:
        """What tells it from the other items."""
        return folded(self.label or self.title)


class TableMeetingRow(TableRow, frozen=True, kw_only=True):
    """What one row says of a meeting."""

    ALIKE = "the same meeting"

    reference: str
    body: str
    start_at: datetime
    end_at: datetime | None
    title: str | None
    place: str | None
    cancelled: bool | None
    attendance: tuple[Attendee, ...]
    item: ItemCells | None


class MeetingParser(RowParser[MeetingTableMapping, TableMeetingRow]):
    """Parses the rows of one table of meetings."""

    def __init__(self, mapping: MeetingTableMapping, columns: Sequence[str], state: ImportState) -> None:
        super().__init__(mapping, columns, state)
        self.broken: dict[str, int] = {}
        """The meetings, by reference, of which a row cannot be read, and on which line."""
        clock = state.context.clock
        self._zone = clock.zone
        self._start = DateReader(mapping.start, clock)
        of, hints = mapping.meeting, types_of(MeetingConvened)
        numbers = mapping.numbers
        self._body = FieldReader("body", of.body, hints["body"], numbers, clock)
        self._meeting = self._reader({"title": of.title, "place": of.place}, MeetingConvened)
        self._cancelled = (
            None if of.cancelled is None else FieldReader("cancelled", of.cancelled, bool, numbers, clock)
        )
        item, decision, task = mapping.item, mapping.decision, mapping.action_item
        self._item = self._reader(_members(item, "sponsor", "commitments", "minutes"), AgendaItem)
        self._outcomes = by_word({} if item is None or item.outcome is None else item.outcome.values)
        self._decision = self._reader(
            _members(decision, "kind", "commitments", "organizations"), DraftDecision
        )
        self._budget = self._reader(_members(decision, "currency", "fiscal_year", "financing"), BudgetImpact)
        owed = _members(task, "due_on", "owner_subject", "commitment")
        owner = {} if task is None else {"owner_organization": task.owner}
        self._task = self._reader(owed | owner, DraftActionItem)
        self._presences = [(one, by_word(one.values)) for one in mapping.attendance]

    def _reader(self, given: dict[str, Any], of: type[Any]) -> FieldsReader:
        return FieldsReader(given, of, self.mapping.numbers, self.state.context.clock)

    def parsed(self, line: int, cells: Cells, /, **row: Any) -> TableMeetingRow:
        """What a row says of its meeting."""
        given = self.mapping.meeting
        body = self._body(cells)
        if body is None and not cells.errors:
            cells.fault(given.body.column, "body-not-one", "Nothing in the row says which body met.")
        body = self.state.spelling("body", body or "")
        starts = self._starts(cells)
        ends = self._ends(cells, starts)
        meeting = self._meeting(cells)
        reference = None if given.reference is None else cells.prose(given.reference, LONGEST_LINE)
        reference = plain(reference) if reference else f"{body}/{starts.date()}"
        attendance, item = tuple(self._attendance(cells)), self._of_item(cells)
        cancelled = None if self._cancelled is None else self._cancelled(cells)
        if cells.errors:
            self.broken.setdefault(reference, line)
        return TableMeetingRow(
            line=line,
            key=(reference, line),
            order=starts.astimezone(UTC),
            stream=stream_of("meeting", reference),
            reference=reference,
            body=body,
            start_at=starts.astimezone(UTC),
            end_at=None if ends is None else ends.astimezone(UTC),
            title=meeting.get("title"),
            place=meeting.get("place"),
            cancelled=cancelled,
            attendance=attendance,
            item=item,
            **row,
        )

    def _starts(self, cells: Cells) -> datetime:
        given = self.mapping.start
        moment = self._start.moment(cells.cell(given.column))
        cells.said[given.column] = moment
        if moment is None:
            cells.fault(
                given.column, "date-unreadable", "The day is not in a format or table of the mapping."
            )
            moment = datetime(1900, 1, 1)  # noqa: DTZ001  # the row is faulty, and told of all the rest as well
        hour = self._hour(cells, given.time)
        if hour is None and given.hour is not None and moment.time() == time():
            hour = _hour_in(given.hour)
        local = moment if hour is None else datetime.combine(moment.date(), hour)
        return local.replace(tzinfo=self._zone)

    def _ends(self, cells: Cells, starts: datetime) -> datetime | None:
        given = self.mapping.end
        hour = None if given is None else self._hour(cells, given.column)
        return None if hour is None else datetime.combine(starts.date(), hour, self._zone)

    def _hour(self, cells: Cells, column: str | None) -> time | None:
        """The hour in a column; None when it is blank, and a fault for anything else."""
        if column is None:
            return None
        cell = cells.cell(column)
        hour = _hour_in(cell)
        cells.said[column] = hour
        if hour is None and not self.no_value.is_blank(text_of(cell)):
            cells.fault(column, "no-instant", "It is no hour, as 09:30 is.")
        return hour

    def _attendance(self, cells: Cells) -> Iterator[Attendee]:
        for given, presences in self._presences:
            word = plain(cells.text(given.column))
            presence = presences.get(folded(word))
            if presence is not None:
                yield Attendee(
                    organization=given.organization,
                    position=given.position,
                    presence=presence,
                    rights=given.rights,
                    # Whoever stood in is not told by a mark in a column.
                    represented_by=word if presence is Presence.REPRESENTED else None,
                )
            elif not self.no_value.is_blank(word):
                cells.fault(given.column, "value-unknown", "It is not among the `values` of the mapping.")
        listed = self.mapping.attendees
        text = None if listed is None else cells.prose(listed.column, LONGEST_TEXT)
        if listed is None or text is None:
            return
        for entry in filter(None, map(plain, text.split(listed.separator))):
            organization, parted, position = map(str.strip, entry.partition(listed.parted_by))
            if not (organization and parted and position):
                reason = f"'{entry}' is no organisation and office, parted by '{listed.parted_by}'."
                cells.fault(listed.column, "value-unknown", reason)
                return
            cells.within(listed.column, position, LONGEST_LINE)
            yield Attendee(organization=organization, position=position, presence=Presence.PRESENT)

    def _of_item(self, cells: Cells) -> ItemCells | None:
        given = self.mapping.item
        if given is None:
            return None
        title = cells.prose(given.title, LONGEST_LINE)
        label = None if given.label is None else cells.prose(given.label, LONGEST_LINE)
        summary = cells.prose(given.summary, LONGEST_TEXT)
        verbatim = None if given.outcome is None else cells.prose(given.outcome.column, LONGEST_TEXT)
        outcome = None if verbatim is None else self._outcomes.get(folded(verbatim))
        if (
            given.outcome is not None
            and verbatim is not None
            and outcome is None
            and given.outcome.unknown == "error"
        ):
            reason = "The mapping does not say what this wording amounts to: add it to `values`."
            cells.fault(given.outcome.column, "result-unknown", reason)
        decision, task = self._decided(cells), self._owed(cells)
        if title is None:
            if label or summary or verbatim or decision or task:
                cells.fault(given.title, "value-missing", "It says what came of an item, and not of which.")
            return None
        return ItemCells(
            without_unseen(title),
            None if label is None else without_unseen(label),
            self._item(cells),
            summary,
            outcome,
            verbatim,
            decision,
            task,
        )

    def _decided(self, cells: Cells) -> DraftDecision | None:
        given = self.mapping.decision
        text = None if given is None else cells.prose(given.text, LONGEST_TEXT)
        if given is None or text is None:
            return None
        fields, budget = self._decision(cells), self._budget(cells)
        amount = None if given.amount is None else cells.value(given.amount, self.number)
        impact = None
        if amount is not None:
            missing = [name for name in ("currency", "fiscal_year", "financing") if name not in budget]
            if missing:
                cells.fault(given.amount, "value-missing", f"An amount goes with {', '.join(missing)}.")
                return None
            try:
                impact = BudgetImpact(amount=amount_text(amount, given.multiplier), **budget)
            except Unreadable as error:
                cells.fault(given.amount, error.code, error.reason)
        return DraftDecision(text=text, budget_impact=impact, **fields) if "kind" in fields else None

    def _owed(self, cells: Cells) -> DraftActionItem | None:
        given = self.mapping.action_item
        text = None if given is None else cells.prose(given.text, LONGEST_TEXT)
        if given is None or text is None:
            return None
        fields = self._task(cells)
        for name in ("owner_organization", "due_on"):
            if name not in fields and not cells.errors:
                cells.fault(given.text, "value-missing", "A task has somebody who owes it, and a day.")
        return None if cells.errors else DraftActionItem(text=text, **fields)


def _members(section: Section | None, *names: str) -> dict[str, Any]:
    return {} if section is None else {name: getattr(section, name) for name in names}


def _hour_in(cell: Cell) -> time | None:
    if isinstance(cell, TypedCell):
        value = cell.value
        return value if isinstance(value, time) else value.time() if isinstance(value, datetime) else None
    found = _HOUR.fullmatch(plain(cell))
    return None if found is None else time(int(found[1]), int(found[2]))


# --- the import -----------------------------------------------------------------------------------------------------


class TableOnRecord(OnRecord):
    """What is on record besides: the meetings that people convened, by body and day."""

    def __init__(self, source: EventSource) -> None:
        super().__init__(source)
        self.convened: dict[str, list[datetime]] = {}
        source.subscribe((MeetingConvened,), self._note, forget=self.convened.clear)

    def _note(self, recorded: Recorded) -> None:
        event = recorded.data
        if isinstance(event, MeetingConvened) and not recorded.correlation_id.startswith(IMPORTED):
            self.convened.setdefault(event.body, []).append(event.scheduled_at)


class WholeMeeting(MeetingRow, frozen=True, kw_only=True):
    """One meeting, as all its rows tell of it."""

    first: TableMeetingRow
    lines: tuple[int, ...]
    """Where each item of the agenda is first told of."""


class MeetingTableImport(TableImport[MeetingTableMapping, Any, MeetingsReport]):
    """An import of a table in which a row is a meeting, or an item of one."""

    BEGINS_WITH = MeetingConvened
    MAPPING = MeetingTableMapping
    ROWS_PER_BATCH = 50

    def __init__(self, state: ImportState, file: Path, mapping: Path) -> None:
        super().__init__(state, file, mapping)
        self._lookup = state.lookup(TableOnRecord)

    def reported(self, file: str, source: str) -> MeetingsReport:
        """See `TableImport.reported`."""
        return MeetingsReport(file=file, source=source)

    def parser(self, columns: Sequence[str]) -> MeetingParser:
        """See `TableImport.parser`."""
        self._parser = MeetingParser(self.mapping, columns, self.state)
        return self._parser

    def parse(self) -> Iterator[WholeMeeting | list[RowError] | None]:
        """The meetings that the rows make together; where one of its rows is wrong, none of a meeting goes in."""
        together: dict[str, list[TableMeetingRow]] = {}
        for row in super().parse():
            if isinstance(row, TableMeetingRow):
                together.setdefault(row.reference, []).append(row)
            else:
                yield row
        for reference, rows in together.items():
            broken = self._parser.broken.get(reference)
            whole = self._whole(rows) if broken is None else None
            if isinstance(whole, WholeMeeting):
                yield whole
                continue
            if isinstance(whole, RowError):
                broken = whole.line
                yield [whole]
            reason = f"Line {broken} of the same meeting cannot go in: its rows go in together."
            yield from ([row.error(None, "meeting-incomplete", reason)] for row in rows if row.line != broken)

    def _whole(self, rows: Sequence[TableMeetingRow]) -> WholeMeeting | RowError:
        first = rows[0]
        said = {name: getattr(first, name) for name in _OF_MEETING}
        attendance = {(one.organization, folded(one.position)): one for one in first.attendance}
        for row in rows[1:]:
            for name in _OF_MEETING:
                value = getattr(row, name)
                if said[name] is None:
                    said[name] = value
                elif value not in (None, said[name]):
                    reason = f"Line {first.line} tells of the same meeting and differs."
                    return row.error(self._columns()[name], "conflicting-row", reason)
            attendance |= {(one.organization, folded(one.position)): one for one in row.attendance}
        items: dict[str, list[TableMeetingRow]] = {}
        for row in rows:
            if row.item is not None:
                items.setdefault(row.item.called, []).append(row)
        agenda = tuple(_agenda_item(number, told) for number, told in enumerate(items.values(), 1))
        results = [_result(number, told) for number, told in enumerate(items.values(), 1)]
        actual = self.mapping.end is not None and self.mapping.end.end_is == "actual"
        return WholeMeeting(
            line=first.line,
            key=first.reference,
            order=first.start_at,
            stream=first.stream,
            rows=len(rows),
            reference=first.reference,
            body=first.body,
            start_at=said["start_at"],
            end_at=said["end_at"],
            end_is_actual=actual,
            title=said["title"],
            place=said["place"],
            cancelled=bool(said["cancelled"]),
            took_place=True,
            agenda=agenda,
            results=tuple(one for one in results if one is not None),
            attendance=tuple(attendance.values()),
            left_out=(),
            omissions=(),
            members=self._columns(),
            first=first,
            lines=tuple(told[0].line for told in items.values()),
        )

    def _columns(self) -> dict[str, str | None]:
        """The column that gives each thing that a meeting is made of."""
        mapping = self.mapping
        of, item = mapping.meeting, mapping.item
        title = None if item is None else item.title
        return {
            "body": of.body.column,
            "start_at": mapping.start.column,
            "end_at": None if mapping.end is None else mapping.end.column,
            "title": of.title.column if isinstance(of.title, Given) else None,
            "place": of.place.column if isinstance(of.place, Given) else None,
            "cancelled": None if of.cancelled is None else of.cancelled.column,
            "agenda": title,
            "results": title if item is None or item.outcome is None else item.outcome.column,
        }

    def decide(self, row: WholeMeeting) -> Outcome:
        """Record what the record does not know of the meeting yet."""
        self.column = row.members["body"]
        on_record = self._lookup.found
        body = self.state.of(stream_of("body", row.body), Body)
        if body is None:
            raise InvalidInput("no-such-body", f"There is no body with the code '{row.body}'.")
        self._must_not_be_convened(row)
        known = Known(
            body,
            on_record.organizations.keys,
            bodies=on_record.bodies.keys,
            heirs_on=on_record.organizations.heirs_on,
        )
        return Facts(self, row, known).record()

    def _must_not_be_convened(self, row: WholeMeeting) -> None:
        day_of = self.state.context.clock.day_of
        convened = self._lookup.found.convened.get(row.body, ())
        if any(day_of(at) == day_of(row.start_at) for at in convened):
            self.column = row.members["start_at"]
            raise RuleBroken(
                "meeting-on-record",
                "Somebody convened a meeting of this body on that day: it stands as it is.",
            )

    def refused(self, row: WholeMeeting, error: BitacoraError) -> RowError:
        """An error of the domain, pointed at the row that gave what it complains of."""
        pointer = error.pointer if isinstance(error, InvalidInput) else ""
        line = row.line
        if found := re.match(r"/(agenda|items)/(\d+)", pointer):
            index = int(found[2])
            line = row.lines[index if found[1] == "agenda" else (row.results[index].agenda_item or 1) - 1]
        told = row.first.error(self.column if line == row.line else None, error.code, error.message)
        return msgspec.structs.replace(told, line=line)


_OF_MEETING: Final = ("body", "start_at", "end_at", "title", "place", "cancelled")


def _agenda_item(number: int, told: Sequence[TableMeetingRow]) -> AgendaItem:
    """An item as its rows tell of it: the first of them that says something of a field speaks."""
    cells = [row.item for row in told if row.item is not None]
    fields: dict[str, Any] = {}
    for one in reversed(cells):
        fields |= one.fields
    label = next((one.label for one in cells if one.label is not None), None)
    return AgendaItem(number=number, title=cells[0].title, label=label, **fields)


def _result(number: int, told: Sequence[TableMeetingRow]) -> MinutesItem | None:
    """What came of an item, as its rows tell of it; None when they tell nothing."""
    cells = [row.item for row in told if row.item is not None]
    # A row that stands there twice tells of nothing more.
    decisions = tuple(dict.fromkeys(one.decision for one in cells if one.decision is not None))
    tasks = tuple(dict.fromkeys(one.task for one in cells if one.task is not None))
    summary = next((one.summary for one in cells if one.summary is not None), None)
    verbatim = next((one.verbatim for one in cells if one.verbatim is not None), None)
    outcome = next((one.outcome for one in cells if one.outcome is not None), None)
    if not (decisions or tasks or summary or verbatim):
        return None
    if summary is None and verbatim is None:
        # What was agreed is what came of it, in the words of the table.
        verbatim = "\n".join([*(one.text for one in decisions), *(one.text for one in tasks)])
    return MinutesItem(
        agenda_item=number,
        summary=summary,
        outcome=outcome,
        outcome_verbatim=verbatim,
        decisions=decisions,
        action_items=tasks,
    )
