"""What an import of meetings did, beyond what every import tells."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from services.meetings.importing.telling import MeetingTold
from shared.events.meeting_vocabulary import MeetingState
from shared.importing.report import ImportReport, RowError, listed

VERBATIM = "(verbatim only)"
"""How the report names the outcome of an item whose wording amounts to none of ours."""


class Items(msgspec.Struct, kw_only=True):
    """What the agendas on record from the file hold: `read` is the sum of the other three."""

    read: int = 0
    with_outcome: int = 0
    """Something came of it, and its wording is one of ours by the mapping."""
    verbatim_only: int = 0
    """Something came of it, which is on record in the words of the source alone."""
    without_result: int = 0
    """The source does not say that anything came of it, and neither does the record."""


class Report(ImportReport, kw_only=True):
    """The whole of it. Counts of meetings and items are of the rows that are on record now, new or not."""

    bodies_registered: list[str] = msgspec.field(default_factory=list)
    left_out: list[RowError] = msgspec.field(default_factory=list)
    """Parts of rows that could not be recorded, while the rest of the row was."""
    meetings: dict[str, int] = msgspec.field(default_factory=dict)
    """By body."""
    states: dict[str, int] = msgspec.field(default_factory=dict)
    held_without_results: list[int] = msgspec.field(default_factory=list)
    """The lines of meetings that were held and of which no result is told: they have no minutes."""
    items: Items = msgspec.field(default_factory=Items)
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    wordings: dict[str, int] = msgspec.field(default_factory=dict)
    members_not_found: list[str] = msgspec.field(default_factory=list)
    """Members that the mapping asks for and no row has."""

    def count(self, told: MeetingTold, state: MeetingState) -> None:
        """Take a row into account that is on record now, or would be."""
        self.left_out.extend(RowError.at(told.line, problem) for problem in told.left_out)
        _count(self.meetings, told.body.code)
        _count(self.states, state)
        if not told.results and state is MeetingState.HELD:
            self.held_without_results.append(told.line)
        self.items.read += len(told.agenda)
        self.items.without_result += told.items_without_result
        for item in told.results:
            _count(self.wordings, item.outcome_verbatim or "")
            _count(self.outcomes, item.outcome or VERBATIM)
            if item.outcome is None:
                self.items.verbatim_only += 1
            else:
                self.items.with_outcome += 1

    def in_order(self) -> None:
        """Sort what was gathered in the order of the meetings: by line, the most frequent first, by name."""
        self.errors.sort(key=lambda error: error.line)
        self.left_out.sort(key=lambda error: error.line)
        self.held_without_results.sort()
        for counts in (self.outcomes, self.wordings):
            ordered = sorted(counts.items(), key=lambda counted: (-counted[1], counted[0]))
            counts.clear()
            counts.update(ordered)
        for counts in (self.meetings, self.states):
            ordered = sorted(counts.items())
            counts.clear()
            counts.update(ordered)

    def details(self) -> Iterator[str]:
        """Bodies, meetings and items, and what was left out."""
        if self.bodies_registered:
            yield f"  new bodies: {', '.join(self.bodies_registered)}"
        if self.states:
            yield "  meetings: " + ", ".join(f"{count} {state}" for state, count in self.states.items())
            yield f"  held and no result told: {len(self.held_without_results)}"
            items = self.items
            yield (
                f"  items: {items.read}, with an outcome {items.with_outcome}, in the words of the source alone "
                f"{items.verbatim_only}, without result {items.without_result}"
            )
        if self.outcomes:
            yield "  outcomes: " + ", ".join(f"{count} {name}" for name, count in self.outcomes.items())
        if self.members_not_found:
            yield f"  in no row: {', '.join(self.members_not_found)}"
        yield from listed("left out, the rest of the row went in", self.left_out)


def _count(counts: dict[str, int], name: str) -> None:
    counts[name] = counts.get(name, 0) + 1
