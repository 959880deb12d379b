"""Tables in which tasks are followed up: a row is one action item as it stands on a day.

Action items come into being with approved minutes; what a table can tell is how far they are, that they are done, given
more time, handed to others or no longer owed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, Literal, TypeVar
from uuid import UUID

from services.meetings.action_item.model import ActionItem
from shared.aggregate.command import Context
from shared.aggregate.heirs import OrganizationsByDay
from shared.aggregate.index import EventSource
from shared.errors import NotFound, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.commitments import Evidence
from shared.events.facts import Event
from shared.events.meetings import (
    ActionItemAssigned,
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemProgressed,
    ActionItemReassigned,
)
from shared.events.streams import stream_of
from shared.events.types import LONGEST_TEXT
from shared.tabular.cells import Cells, DateReader
from shared.tabular.engine import ImportState
from shared.tabular.fields import FieldReader, column_of, types_of
from shared.tabular.mapping import Column, Dates, Given, RowDay, Section, TableMapping, contradicting
from shared.tabular.report import IMPORTED, ImportReport, RowError
from shared.tabular.tables import DayReader, RowParser, TableImport, TableRow, attribution
from shared.tabular.text import by_word, folded, plain

E = TypeVar("E", bound=Event)

StateWord = Literal["done", "cancelled", "open"]


class WhichItem(Section, frozen=True, kw_only=True):
    """Which action item a row is about: by its id, or by the reference or id of its meeting and its number there."""

    id: Column | None = None
    meeting: Column | None = None
    number: Column | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """Neither of the two, or both."""
        by_number = self.meeting is not None and self.number is not None
        if (self.id is not None) == by_number:
            yield "", " is known by its `id`, or else by its `meeting` and its `number` there"


class ItemState(Section, frozen=True, kw_only=True):
    """What has become of it; `on` is the day it came to that, by default the row's."""

    column: Column
    values: dict[str, StateWord]
    on: Dates | None = None
    evidence: Column | None = None
    evidence_url: Column | None = None
    reason: Column | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A word for two states."""
        yield from contradicting("values", self.values)


class ActionItemMapping(TableMapping, frozen=True, kw_only=True):
    """The whole file. `reason` is why it was given more time, or handed to others."""

    kind: Literal["action-items"]
    item: WhichItem
    date: RowDay
    progress: Column | None = None
    due_on: Dates | None = None
    owner: Given | None = None
    reason: Column | None = None
    state: ItemState | None = None

    def contradictions(self) -> Iterator[tuple[str, str]]:
        """A table of which nothing is asked."""
        if not (self.progress or self.due_on or self.owner or self.state):
            yield "kind", " is all that it asks for: give `progress`, `due_on`, `owner` or `state`"


class ActionItemRow(TableRow, frozen=True, kw_only=True):
    """One action item as one row tells of it."""

    ALIKE = "the same action item on the same day"

    day: date
    progress: str | None
    due_on: date | None
    owner: str | None
    reason: str | None
    ended: ActionItemCompleted | ActionItemCancelled | None


class Assigned:
    """The action items on record by their meetings and numbers, and the organisations."""

    def __init__(self, source: EventSource) -> None:
        self.organizations = OrganizationsByDay(source)
        self.items: dict[tuple[UUID, int], UUID] = {}
        source.subscribe((ActionItemAssigned,), self._note, forget=self.items.clear)

    def _note(self, recorded: Recorded) -> None:
        event = recorded.data
        assert isinstance(event, ActionItemAssigned)
        self.items[event.meeting, event.number] = recorded.stream_id


NOBODYS: Final = UUID(int=0)
"""The stream of a row of which the action item is not on record."""


class ActionItemParser(RowParser[ActionItemMapping, ActionItemRow]):
    """Parses the rows of one table of action items."""

    def __init__(
        self, mapping: ActionItemMapping, columns: Sequence[str], state: ImportState, on_record: Assigned
    ) -> None:
        super().__init__(mapping, columns, state)
        clock, ends = state.context.clock, mapping.state
        self._on_record = on_record
        self._day = DayReader(mapping.date, state)
        self._due = None if mapping.due_on is None else DateReader(mapping.due_on, clock)
        hint = types_of(ActionItemReassigned)["owner_organization"]
        self._owner = None
        if mapping.owner is not None:
            self._owner = FieldReader("owner", mapping.owner, hint, mapping.numbers, clock)
        self._states = by_word({} if ends is None else ends.values)
        self._evidence_url = None
        if ends is not None and ends.evidence_url is not None:
            shown, url = Given(column=ends.evidence_url), types_of(Evidence)["url"]
            self._evidence_url = FieldReader("url", shown, url, mapping.numbers, clock)
        self._ended_on = None if ends is None or ends.on is None else DateReader(ends.on, clock)

    def parsed(self, line: int, cells: Cells, /, **row: Any) -> ActionItemRow:
        """What a row says of its action item."""
        mapping = self.mapping
        moment = self._day(cells)
        day = date.min if moment is None else moment.date()
        stream = self._stream(cells)
        return ActionItemRow(
            line=line,
            key=(stream, day) if stream != NOBODYS else line,
            order=day,
            stream=stream,
            day=day,
            progress=cells.prose(mapping.progress, LONGEST_TEXT),
            due_on=None
            if mapping.due_on is None or self._due is None
            else cells.value(mapping.due_on.column, self._due),
            owner=None if self._owner is None else self._owner(cells),
            reason=cells.prose(mapping.reason, LONGEST_TEXT),
            ended=self._ended(cells, day),
            **row,
        )

    def _stream(self, cells: Cells) -> UUID:
        """The stream of the action item that a row names; that of none, where it is not on record."""
        which = self.mapping.item
        if which.id is not None:
            text = cells.name(
                which.id, "code-missing", "Nothing in the row says which action item it is about."
            )
            return _uuid(text) or NOBODYS
        named = cells.name(
            which.meeting or "", "code-missing", "Nothing in the row says of which meeting it is."
        )
        number = cells.value(which.number or "", self.number)
        meeting = _uuid(named) or stream_of("meeting", named)
        return self._on_record.items.get((meeting, int(number or 0)), NOBODYS)

    def _ended(self, cells: Cells, day: date) -> ActionItemCompleted | ActionItemCancelled | None:
        given = self.mapping.state
        if given is None:
            return None
        word = plain(cells.text(given.column))
        state = self._states.get(folded(word))
        if state is None:
            if not self.no_value.is_blank(word):
                cells.fault(given.column, "value-unknown", "It is not among the states of the mapping.")
            return None
        since = day
        if given.on is not None and self._ended_on is not None:
            since = cells.value(given.on.column, self._ended_on) or day
        told = attribution(self.mapping.source, day)
        if state == "done":
            evidence = Evidence(
                description=cells.prose(given.evidence, LONGEST_TEXT)
                or f"“{word}”, with no evidence given. {told}",
                url=None if self._evidence_url is None else self._evidence_url(cells),
            )
            return ActionItemCompleted(completed_on=since, evidence=(evidence,))
        if state == "cancelled":
            reason = cells.prose(given.reason, LONGEST_TEXT) or f"“{word}”, with no reason given. {told}"
            return ActionItemCancelled(reason=reason, effective_on=since)
        return None


class ActionItemImport(TableImport[ActionItemMapping, ActionItemRow, ImportReport]):
    """An import of a table in which tasks are followed up."""

    BEGINS_WITH = ActionItemAssigned
    MAPPING = ActionItemMapping

    def __init__(self, state: ImportState, file: Path, mapping: Path) -> None:
        super().__init__(state, file, mapping)
        self._lookup = state.lookup(Assigned)

    def reported(self, file: str, source: str) -> ImportReport:
        """See `TableImport.reported`."""
        return ImportReport(file=file, source=source)

    def parser(self, columns: Sequence[str]) -> ActionItemParser:
        """See `TableImport.parser`."""
        return ActionItemParser(self.mapping, columns, self.state, self._lookup.found)

    @property
    def organizations(self) -> OrganizationsByDay:
        """The organisations on record."""
        return self._lookup.found.organizations

    def decide(self, row: ActionItemRow) -> list[RowError]:
        """Record what the record does not know of the row yet; what of the row it will not know is returned."""
        which = self.mapping.item
        self.column = which.id or which.number
        found = None if row.stream == NOBODYS else self.state.of(row.stream, ActionItem)
        if found is None:
            raise NotFound("unknown-action-item", "There is no such action item.")
        return _Facts(self, row, found).record()

    def columns_by_field(self) -> dict[str, str | None]:
        """See `TableImport.columns_by_field`."""
        mapping = self.mapping
        ended_on = mapping.state and mapping.state.on and mapping.state.on.column
        return {
            "owner_organization": column_of(mapping.owner),
            "completed_on": ended_on or mapping.date.column,
        }


class _Facts:
    """The facts of one row, each decided when the one before it is recorded."""

    def __init__(self, of: ActionItemImport, row: ActionItemRow, item: ActionItem) -> None:
        self._of = of
        self._row = row
        self._item = item
        self._reason = row.reason or attribution(of.mapping.source, row.day)
        # What somebody took back since is not to be said again by the same table.
        self._told = [
            recorded.data
            for recorded in of.state.history(row.stream)
            if recorded.correlation_id.startswith(IMPORTED)
        ]
        self._left_out: list[RowError] = []

    def record(self) -> list[RowError]:
        """All of them, in turn."""
        row, item, mapping = self._row, self._item, self._of.mapping
        facts = item.facts
        owners = (facts.owners.on(row.day)[0], self._last("owner_organization"))
        if row.owner is not None and row.owner not in owners:
            self._propose(
                column_of(mapping.owner),
                ActionItemReassigned(owner_organization=row.owner, effective_on=row.day, reason=self._reason),
                self._reassign,
            )
        if row.due_on is not None and row.due_on not in (facts.dues.on(row.day)[0], self._last("due_on")):
            extended = ActionItemExtended(due_on=row.due_on, effective_on=row.day, reason=self._reason)
            self._propose(None if mapping.due_on is None else mapping.due_on.column, extended, item.extend)
        if row.progress is not None:
            progressed = ActionItemProgressed(text=row.progress, effective_on=row.day)
            told = [one.event for one in item.progress if one.event.effective_on <= row.day]
            latest = max(reversed(told), key=lambda one: one.effective_on, default=None)
            if progressed not in self._told and (latest is None or latest.text != row.progress):
                self._propose(mapping.progress, progressed, item.report_progress)
        if row.ended is not None:
            self._end(row.ended)
        return self._left_out

    def _last(self, field: str) -> object:
        """What tables said last of a field, up to the row's day."""
        said = (
            one for one in reversed(self._told) if isinstance(one, ActionItemExtended | ActionItemReassigned)
        )
        return next(
            (
                getattr(one, field)
                for one in said
                if hasattr(one, field) and one.effective_on <= self._row.day
            ),
            None,
        )

    def _reassign(self, proposed: ActionItemReassigned, context: Context) -> ActionItemReassigned:
        organizations = self._of.organizations
        return self._item.reassign(proposed, context, organizations.keys, organizations.heirs_on)

    def _end(self, ended: ActionItemCompleted | ActionItemCancelled) -> None:
        given = self._of.mapping.state
        column = None if given is None else given.column
        known = self._item.ending
        if ended in self._told:
            return
        if known is None:
            decide: Callable[[Any, Context], Event] = (
                self._item.complete if isinstance(ended, ActionItemCompleted) else self._item.cancel
            )
            self._propose(column, ended, decide)
        elif type(known.event) is not type(ended):
            reason = "On record it came to another end, which stays."
            self._left_out.append(self._row.error(column, "state-settled", reason))

    def _propose(self, column: str | None, proposed: E, decide: Callable[[E, Context], Event]) -> None:
        self._of.column = column
        try:
            decided = decide(proposed, self._of.state.context)
        except RuleBroken as error:
            if error.code != "action-item-closed" or self._row.ended is None:
                raise
            # A table goes on to list what, by its own word, has come to its end.
            self._left_out.append(self._row.error(column, error.code, error.message))
        else:
            self._of.state.record(self._row.stream, decided)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
