"""The rows of a table in the order of their days, each commitment on each day once.

Where a row belongs is found at once; what it says is read when its turn comes, or when another row of its commitment
asks, so that the first rows are being written while the last are still to be read.
"""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from services.commitments.importing.interpreting import Interpreter
from services.commitments.importing.observation import Observation
from services.commitments.importing.reading import Row, Table
from shared.importing.report import Problem


class Placed(NamedTuple):
    """A row, and the commitment and the day it tells of."""

    day: date
    row: Row
    code: str
    stream: UUID


class Story(NamedTuple):
    """What the rows of one commitment say together."""

    fields: dict[str, Any]
    """The fields of its registration, each from the earliest row that gives it."""
    titles_before: dict[int, str]
    """By line: what the row before it in time called the commitment."""


class RowsInOrder:
    """The rows to be decided, one after another; the others are counted or have a problem that is told at once."""

    def __init__(self, table: Table, interpreter: Interpreter) -> None:
        self._interpreter = interpreter
        self._read: dict[int, Observation | list[Problem]] = {}
        self._stories: dict[str, Story] = {}
        self.problems: list[tuple[int, list[Problem]]] = []
        """By line: why a row is left out."""
        self.duplicates = 0
        self.placed: list[Placed] = []
        first: dict[tuple[str, date], Placed] = {}
        for row in table.rows:
            place = interpreter.place(row)
            if place is None:
                problems = interpreter.read(row)
                assert isinstance(problems, list)
                self.problems.append((row.line, problems))
                continue
            placed = Placed(place.day, row, place.code, place.stream)
            earlier = first.setdefault((place.code, place.day), placed)
            if earlier is not placed:
                if self._settled_by(earlier, placed):
                    continue
                if isinstance(self.read(earlier), list):
                    first[(place.code, place.day)] = placed
            self.placed.append(placed)
        self.placed.sort(key=lambda placed: (placed.day, placed.row.line))
        self._by_code: dict[str, list[Placed]] = {}
        for placed in self.placed:
            self._by_code.setdefault(placed.code, []).append(placed)

    def read(self, placed: Placed) -> Observation | list[Problem]:
        """What a row says, or everything that is wrong with it."""
        line = placed.row.line
        found = self._read.get(line)
        if found is None:
            found = self._read[line] = self._interpreter.read(placed.row)
        return found

    def story(self, code: str) -> Story:
        """What all the rows of a commitment say together."""
        story = self._stories.get(code)
        if story is None:
            story = self._stories[code] = Story({}, {})
            before: str | None = None
            for placed in self._by_code[code]:
                observation = self.read(placed)
                if isinstance(observation, list):
                    continue
                for name, value in observation.fields.items():
                    story.fields.setdefault(name, value)
                if before is not None:
                    story.titles_before[observation.line] = before
                before = observation.title
        return story

    def _settled_by(self, earlier: Placed, placed: Placed) -> bool:
        """Whether the row is settled by an earlier one that stands, being its repetition or in conflict with it."""
        one, other = self.read(earlier), self.read(placed)
        if isinstance(one, list) or isinstance(other, list):
            return False
        if one.compared == other.compared:
            self.duplicates += 1
            return True
        before = self._interpreter.cells(one)
        column, value = next(
            (name, text) for name, text in self._interpreter.cells(other).items() if text != before[name]
        )
        reason = f"Line {earlier.row.line} tells of the same commitment on the same day and differs."
        self.problems.append((placed.row.line, [Problem(column, value, "conflicting-row", reason)]))
        return True
