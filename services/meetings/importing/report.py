"""What an import of meetings did, beyond what every import tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from services.meetings.importing.parsing import MeetingRow
from shared.events.facts import Event
from shared.events.meeting_vocabulary import MeetingState
from shared.events.meetings import BodyRegistered
from shared.tabular.report import ImportReport, RowError

VERBATIM = "(verbatim only)"
"""How the report names the outcome of an item whose wording amounts to none of ours."""


class Outcome(NamedTuple):
    """How the meeting of a row stands now, and what of the row has no place in the record."""

    state: MeetingState
    left_out: Sequence[RowError]


class Items(msgspec.Struct, kw_only=True):
    """What the agendas on record from the file hold: `read` is the sum of the other three."""

    read: int = 0
    with_outcome: int = 0
    """Something came of it, and its wording is one of ours by the mapping."""
    verbatim_only: int = 0
    """Something came of it, which is on record in the words of the source alone."""
    without_result: int = 0
    """The source does not say that anything came of it, and neither does the record."""


class MeetingsReport(ImportReport, kw_only=True):
    """The whole of it. Counts of meetings and items are of the rows that are on record now, new or not."""

    bodies_registered: list[str] = msgspec.field(default_factory=list)
    meetings: dict[str, int] = msgspec.field(default_factory=Counter)
    """By body."""
    states: dict[str, int] = msgspec.field(default_factory=Counter)
    held_without_results: list[int] = msgspec.field(default_factory=list)
    """The lines of meetings that were held and of which no result is told: they have no minutes."""
    items: Items = msgspec.field(default_factory=Items)
    outcomes: dict[str, int] = msgspec.field(default_factory=Counter)
    wordings: dict[str, int] = msgspec.field(default_factory=Counter)
    members_not_found: list[str] = msgspec.field(default_factory=list)
    """Members that the mapping asks for and no row has."""

    def settle(self, row: MeetingRow, outcome: Outcome) -> None:
        """Take a row into account that is on record now, or would be."""
        self.left_out.extend(outcome.left_out)
        self.meetings[row.body] += 1
        self.states[outcome.state] += 1
        if not row.results and outcome.state is MeetingState.HELD:
            self.held_without_results.append(row.line)
        self.items.read += len(row.agenda)
        self.items.without_result += len(row.agenda) - len(row.results)
        for item in row.results:
            self.wordings[item.outcome_verbatim or ""] += 1
            self.outcomes[item.outcome or VERBATIM] += 1
            if item.outcome is None:
                self.items.verbatim_only += 1
            else:
                self.items.with_outcome += 1

    def record(self, event: Event) -> None:
        """Count an event, and name the body that is new with it."""
        super().record(event)
        if isinstance(event, BodyRegistered):
            self.bodies_registered.append(event.code)

    def finish(self, seconds: float) -> None:
        """Put what was gathered in order: by line, the most frequent first, by name."""
        super().finish(seconds)
        self.held_without_results.sort()
        self.meetings, self.states = dict(sorted(self.meetings.items())), dict(sorted(self.states.items()))
        self.outcomes, self.wordings = _by_frequency(self.outcomes), _by_frequency(self.wordings)

    def details(self) -> Iterator[str]:
        """Bodies, meetings and items."""
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


def _by_frequency(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda counted: (-counted[1], counted[0])))
