"""From a line to what it says: one meeting, its agenda, and what came of each item.

Everything that can be wrong with the members of a row is found here, all of it at once, before the record is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from services.meetings.domain import guards
from services.meetings.importing.mapping import Mapping
from services.meetings.importing.members import Members, Unreadable, instant
from services.meetings.importing.organizations import Organizations
from services.meetings.importing.reading import Line
from services.meetings.importing.telling import BodyTold, MeetingTold
from shared.errors import InvalidInput
from shared.events.meeting_vocabulary import ItemOutcome
from shared.events.meetings import AgendaItem, MinutesItem
from shared.events.streams import stream_of
from shared.importing.report import Problem
from shared.importing.text import plain

Outcomes = dict[str, ItemOutcome | None]
"""What each wording that the mapping knows amounts to; None for those that are kept as they are."""


class Interpreter:
    """Reads lines under one mapping."""

    def __init__(self, mapping: Mapping, organizations: Organizations) -> None:
        self._mapping = mapping
        self._organizations = organizations
        results = mapping.results
        self._outcomes: Outcomes = dict.fromkeys(map(_folded, results.verbatim))
        self._outcomes |= {_folded(wording): outcome for wording, outcome in results.values.items()}

    def read(self, line: Line) -> MeetingTold | list[Problem]:
        """What the line says, or everything that keeps it from saying it."""
        if line.problem is not None:
            return [Problem(None, None, "row-unreadable", f"The line cannot be read: {line.problem}.")]
        return _Reading(self._mapping, self._organizations, self._outcomes, line).told()

    def member_of(self, name: str) -> str | None:
        """The member of a row that a part of what it tells is from."""
        mapping = self._mapping
        return {
            "body": mapping.bodies.member,
            "start_at": mapping.meetings.start,
            "end_at": mapping.meetings.end,
            "title": mapping.meetings.title,
            "place": mapping.meetings.place[0] if mapping.meetings.place else None,
            "cancelled": mapping.meetings.cancelled,
            "agenda": mapping.agenda.member,
            "results": f"{mapping.agenda.member}[].{mapping.results.member}",
            "left_out": mapping.meetings.end,
        }.get(name)


class _Reading:
    """One line being read."""

    def __init__(
        self, mapping: Mapping, organizations: Organizations, outcomes: Outcomes, line: Line
    ) -> None:
        self._mapping = mapping
        self._organizations = organizations
        self._outcomes = outcomes
        self._line = line.line
        self._problems: list[Problem] = []
        self._members = Members(line.content, self._problems)
        self._left_out: list[Problem] = []

    def told(self) -> MeetingTold | list[Problem]:
        """The meeting, or what is wrong with the row."""
        members, meetings = self._members, self._mapping.meetings
        reference = members.required(meetings.reference)
        if members.flag(meetings.deleted):
            members.fault(
                meetings.deleted, "true", "row-deleted", "The source says that it was deleted there."
            )
        body = self._body()
        start = self._start()
        end = self._end(start)
        title = members.text(meetings.title)
        places = [place for member in meetings.place if (place := members.text(member)) is not None]
        cancelled = members.flag(meetings.cancelled)
        agenda, results = self._agenda()
        if self._problems or reference is None or body is None or start is None:
            return self._problems
        return MeetingTold(
            line=self._line,
            reference=reference,
            stream=stream_of("meeting", reference),
            body=body,
            start_at=start,
            end_at=end,
            title=title,
            place=", ".join(places) or None,
            cancelled=cancelled,
            agenda=agenda,
            results=results,
            left_out=tuple(self._left_out),
        )

    def _body(self) -> BodyTold | None:
        member = self._mapping.bodies.member
        value = self._members.at(member)
        named = value if isinstance(value, list) else [] if value is None else [value]
        if len(named) != 1 or not isinstance(named[0], str):
            reason = "A meeting is of one body, named by its reference."
            self._members.fault(member, value, "body-not-one", reason)
            return None
        try:
            return self._organizations.body(named[0])
        except InvalidInput as error:
            self._members.fault(member, named[0], error.code, error.message)
            return None

    def _start(self) -> datetime | None:
        member = self._mapping.meetings.start
        text = self._members.required(member)
        if text is None:
            return None
        try:
            return instant(text)
        except Unreadable as fault:
            self._members.fault(member, text, fault.code, fault.reason)
            return None

    def _end(self, start: datetime | None) -> datetime | None:
        """The end, if it can be one: a meeting whose end cannot be goes on record without it."""
        member = self._mapping.meetings.end
        text = self._members.text(member)
        if text is None:
            return None
        began = self._members.at(self._mapping.meetings.start)
        try:
            end = instant(text)
            if start is not None and end == start:
                # The domain refuses both alike; to whoever mends the source they are two mistakes.
                raise InvalidInput("ends-at-start", "It would end the moment it began.")
            if start is not None:
                guards.in_order(start, end, "")
        except Unreadable as fault:
            problem = self._members.problem(member, text, fault.code, fault.reason)
        except InvalidInput as error:
            problem = self._members.problem(member, text, error.code, f"{error.message} It began at {began}.")
        else:
            return end
        self._left_out.append(problem)
        return None

    def _agenda(self) -> tuple[tuple[AgendaItem, ...], tuple[MinutesItem, ...]]:
        agenda = self._mapping.agenda
        items: list[AgendaItem] = []
        results: list[MinutesItem] = []
        seen: set[str] = set()
        for members in self._public_items():
            number = len(items) + 1
            title = members.required(agenda.title)
            label = members.text(agenda.label)
            reference = members.text(agenda.reference)
            if reference is not None:
                if reference in seen:
                    members.fault(agenda.reference, reference, "item-twice", "This item stands there twice.")
                seen.add(reference)
            items.append(AgendaItem(number=number, title=title or "", label=label, reference=reference))
            told = self._result(number, members)
            if told is not None:
                results.append(told)
        return tuple(items), tuple(results)

    def _public_items(self) -> Iterator[Members]:
        agenda = self._mapping.agenda
        for members in self._members.objects(agenda.member, agenda.order):
            if agenda.public is not None and members.at(agenda.public) is False:
                reason = "The source keeps this item from the public."
                self._left_out.append(members.problem(agenda.public, "false", "item-not-public", reason))
            else:
                yield members

    def _result(self, number: int, members: Members) -> MinutesItem | None:
        results = self._mapping.results
        wording = members.text(results.member)
        if wording is None:
            return None
        if _folded(wording) not in self._outcomes and results.unknown == "error":
            reason = "The mapping does not say what this wording amounts to: add it to `results`."
            members.fault(results.member, wording, "result-unknown", reason)
            return None
        outcome = self._outcomes.get(_folded(wording))
        return MinutesItem(agenda_item=number, outcome=outcome, outcome_verbatim=wording)


def _folded(wording: str) -> str:
    return plain(wording).casefold()
