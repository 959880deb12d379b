"""Row decisions: what a row adds to a meeting, given what the record holds of it.

A row tells again only what the source says differently by now: what people recorded since stands, and where the two
cannot both stand the row is refused, or a part of it left out, for people to look at.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from services.meetings.body.model import Body
from services.meetings.importing.mapping import Mapping
from services.meetings.importing.parsing import MeetingRow, Parser, SourceBodies
from services.meetings.importing.report import MeetingsReport, Outcome
from services.meetings.meeting.model import Known, Meeting, convene, held_or_corrected
from shared.errors import BitacoraError, InvalidInput, RuleBroken
from shared.events.facts import Event
from shared.events.meetings import (
    AgendaAgreed,
    AgendaRevised,
    AttendanceCorrected,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingRescheduled,
    MinutesDrafted,
)
from shared.events.streams import stream_of
from shared.tabular.engine import Importer, ImportState
from shared.tabular.mapping import read_mapping
from shared.tabular.members import members_in
from shared.tabular.reading import read_json_lines, read_json_objects
from shared.tabular.report import IMPORTED, RowError
from shared.tabular.tables import attribution


class MeetingImport(Importer[MeetingRow, MeetingsReport]):
    """An import of JSON Lines in which each line is a meeting with its agenda and its results."""

    BEGINS_WITH = MeetingConvened
    ROWS_PER_BATCH = 50

    def __init__(self, state: ImportState, file: Path, mapping: Path) -> None:
        self.state = state
        self.mapping = read_mapping(mapping, Mapping)
        self.report = MeetingsReport(file=file.name, source=self.mapping.source)
        self.column: str | None = None
        """The member that the fact now being decided is from."""
        self._file = file

    def parse(self) -> Iterable[MeetingRow | list[RowError]]:
        """What each line says, or everything that is wrong with it."""
        described = self.mapping.bodies.file
        organizations = [] if described is None else read_json_objects(self._file.parent / described)
        parser = Parser(self.mapping, SourceBodies(self.mapping.bodies, organizations))
        lines = read_json_lines(self._file)
        # A member that no row has may be one that nothing was to be said of, or one that is misspelt.
        there = {member for line in lines for member in members_in(line.content)}
        self.report.members_not_found = [name for name in self.mapping.members() if name not in there]
        return map(parser.row, lines)

    def decide(self, row: MeetingRow) -> Outcome:
        """Record what the record does not know of the row yet."""
        self.column = self.mapping.bodies.member
        # A source names no organisations of ours, so none has to be on record.
        return Facts(self, row, Known(self._body(row))).record()

    def refused(self, row: MeetingRow, error: BitacoraError) -> RowError:
        """An error of the domain, pointed at the member that gave what it complains of."""
        pointer = error.pointer if isinstance(error, InvalidInput) else ""
        agenda, member = self.mapping.agenda, self.column
        if found := re.match(r"/agenda/(\d+)/title", pointer):
            member = f"{agenda.member}[{found[1]}].{agenda.title}"
        elif pointer.startswith("/agenda"):
            member = agenda.member
        return RowError(row.line, member, None, error.code, error.message)

    def _body(self, row: MeetingRow) -> Body:
        """The body on record, registered if it is new."""
        assert row.described is not None
        code, name = self.state.spelling("body", row.body), row.described.name
        stream = stream_of("body", code)
        if self.state.of(stream, Body) is None:
            for event in Body.register(code, row.described):
                self.state.record(stream, event)
        body = self.state.of(stream, Body)
        assert body is not None
        if body.description.name != name:
            raise RuleBroken(
                "body-code-taken",
                f"On record, '{code}' is “{body.description.name}” and not “{name}”: give it another code in the "
                "mapping or, if it is the same body, that name.",
            )
        return body


class ImportOfMeetings(Protocol):
    """An import whose rows are meetings."""

    state: ImportState
    column: str | None
    """Where in the row the fact now being decided is from."""

    @property
    def report(self) -> MeetingsReport:
        """What the import did; it has the source that reasons name."""


class Facts:
    """The facts of one meeting, each decided when the one before it is recorded."""

    def __init__(self, of: ImportOfMeetings, row: MeetingRow, known: Known) -> None:
        self._of = of
        self._row = row
        self._context = of.state.context
        self._known = known
        self._reason = attribution(of.report.source)
        self._ends_at = None if row.end_is_actual else row.end_at
        self._ended_at = row.end_at if row.end_is_actual else None
        self._results = row.members["results"]
        self._left_out: list[RowError] = list(row.left_out)

    def record(self) -> Outcome:
        """All of them, in turn."""
        row = self._row
        meeting = self._of.state.of(row.stream, Meeting)
        if meeting is None:
            meeting = self._convene()
        else:
            self._changes(meeting)
        if row.cancelled:
            self._cancel(meeting)
        elif self._was_held:
            self._hold(meeting)
            self._draft_minutes(meeting)
        elif row.results:
            reason = "The meeting is yet to be held: nothing can have come of it."
            self._leave_out(self._results, "results-before-meeting", reason)
        return Outcome(meeting.state, self._left_out)

    def _record(self, event: Event) -> None:
        self._of.state.record(self._row.stream, event)

    def _leave_out(self, member: str | None, code: str, reason: str, value: str | None = None) -> None:
        self._left_out.append(RowError(self._row.line, member, value, code, reason))

    def _last_imported(self, *kinds: type[Event]) -> Any:
        """The last event of these types that an import recorded of the meeting."""
        # What somebody took back since is not to be said again by the same source.
        history = reversed(self._of.state.history(self._row.stream))
        imported = (recorded.data for recorded in history if recorded.correlation_id.startswith(IMPORTED))
        return next((event for event in imported if isinstance(event, kinds)), None)

    def _convene(self) -> Meeting:
        row = self._row
        self._of.column = row.members["start_at"]
        proposed = MeetingConvened(
            body=self._known.body.code,
            scheduled_at=row.start_at,
            ends_at=self._ends_at,
            place=row.place,
            title=row.title,
            agenda=row.agenda,
            reference=row.reference,
        )
        self._record(convene(proposed, self._context, self._known))
        meeting = self._of.state.of(row.stream, Meeting)
        assert meeting is not None
        return meeting

    # --- what the source says differently by now -------------------------------------------------------------------

    def _changes(self, meeting: Meeting) -> None:
        row = self._row
        title = meeting.convocation.event.title
        if meeting.body != self._known.body.code:
            self._of.column = row.members["body"]
            raise RuleBroken("meeting-of-another-body", f"On record it is a meeting of '{meeting.body}'.")
        if self._last_imported(MeetingCancelled) is not None and not row.cancelled:
            self._of.column = row.members["cancelled"]
            meeting.must_not_be_cancelled()
        if title != row.title:
            reason = f"On record it was convened as “{title}”, which stays."
            self._leave_out(row.members["title"], "title-settled", reason, row.title)
        self._reschedule(meeting)
        before: MeetingConvened | AgendaAgreed | AgendaRevised | None = self._last_imported(
            MeetingConvened, AgendaAgreed, AgendaRevised
        )
        if before is not None and before.agenda != row.agenda:
            self._of.column = row.members["agenda"]
            proposed = AgendaAgreed(agenda=row.agenda, agreed_with=(), reason=self._reason)
            self._record(meeting.revise_agenda(proposed, self._context, self._known))

    def _reschedule(self, meeting: Meeting) -> None:
        """Another time or place; once the meeting was held, its beginning is part of how it was held."""
        row = self._row
        before: MeetingConvened | MeetingRescheduled | None = self._last_imported(
            MeetingConvened, MeetingRescheduled
        )
        if before is None:
            return
        place = row.place or before.place
        differs = {
            row.members["start_at"]: before.scheduled_at != row.start_at and meeting.held is None,
            row.members["end_at"]: before.ends_at != self._ends_at,
            row.members["place"]: before.place != place,
        }
        member = next((member for member, found in differs.items() if found), None)
        if member is None:
            return
        if meeting.held is not None:
            reason = "The meeting was held as it was convened."
            self._leave_out(member, "meeting-already-held", reason)
            return
        self._of.column = member
        proposed = MeetingRescheduled(
            scheduled_at=row.start_at, ends_at=self._ends_at, place=place, reason=self._reason
        )
        self._record(meeting.reschedule(proposed, self._context, self._known))

    def _cancel(self, meeting: Meeting) -> None:
        if self._last_imported(MeetingCancelled) is None:
            self._of.column = self._row.members["cancelled"]
            proposed = MeetingCancelled(reason=self._reason)
            self._record(meeting.cancel(proposed, self._context, self._known))
        if self._row.results:
            reason = "The meeting was cancelled: nothing can have come of it."
            self._leave_out(self._results, "results-of-cancelled-meeting", reason)

    # --- how it went -----------------------------------------------------------------------------------------------

    @property
    def _was_held(self) -> bool:
        now = self._context.now
        if self._row.start_at > now or (self._ended_at is not None and self._ended_at > now):
            return False
        return self._row.took_place

    def _hold(self, meeting: Meeting) -> None:
        row = self._row
        course = (row.start_at, self._ended_at)
        before: MeetingHeld | AttendanceCorrected | None = self._last_imported(
            MeetingHeld, AttendanceCorrected
        )
        if before is None and meeting.held is not None:
            return
        told = before is not None and row.attendance in ((), before.attendance)
        if before is not None and (before.held_at, before.ended_at) == course and told:
            return
        # A time that cannot be is found before this; what stands against it otherwise is that nothing was dealt with.
        self._of.column = row.members["start_at" if meeting.agenda else "agenda"]
        proposed = held_or_corrected(
            held_at=row.start_at,
            ended_at=self._ended_at,
            attendance=row.attendance,
            reason=None if before is None else self._reason,
        )
        if row.attendance:
            self._record(meeting.hold(proposed, self._context, self._known))
        else:
            self._record(meeting.hold_as_told(proposed, self._context))

    def _draft_minutes(self, meeting: Meeting) -> None:
        """A draft of the items that something came of; nobody is said to have approved it."""
        results = self._row.results
        before: MinutesDrafted | None = self._last_imported(MinutesDrafted)
        if results == (() if before is None else before.items):
            return
        self._of.column = self._results
        latest = meeting.latest_draft
        if latest is not None and latest.event is not before:
            reason = f"Somebody wrote draft {latest.event.draft} of the minutes since, which stays."
            raise RuleBroken("minutes-rewritten", reason)
        self._record(meeting.draft_minutes(MinutesDrafted(items=results), self._context, self._known))
