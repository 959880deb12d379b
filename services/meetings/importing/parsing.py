"""From a line to what it says: one meeting, its body, its agenda, and what came of each item.

Everything that can be wrong with the members of a row is found here, all of it at once, before the record is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from services.meetings.body.model import check_body
from services.meetings.importing.mapping import Bodies, Mapping
from shared.errors import InvalidInput
from shared.events.meeting_vocabulary import BodyKind, ItemOutcome
from shared.events.meetings import AgendaItem, Attendee, BodyChanged, MinutesItem
from shared.events.streams import stream_of
from shared.tabular.cells import Unreadable
from shared.tabular.engine import ImportRow
from shared.tabular.members import Members, found_at, instant
from shared.tabular.reading import JsonLine
from shared.tabular.report import RowError
from shared.tabular.text import ascii_of, by_word, folded, plain


class DescribedBody(NamedTuple):
    """A body as the source and the mapping describe it together."""

    code: str
    description: BodyChanged


class MeetingRow(ImportRow, frozen=True, kw_only=True):
    """One meeting as one row tells of it."""

    reference: str
    body: str
    """Its code."""
    described: BodyChanged | None = None
    """How the source describes the body; None where it has to be on record."""
    start_at: datetime
    end_at: datetime | None
    end_is_actual: bool
    """Whether that is when it ended, and not when it was to."""
    took_place: bool
    """Whether it was held, as far as the source tells, if its time is past and it was not cancelled."""
    title: str | None
    place: str | None
    cancelled: bool
    agenda: tuple[AgendaItem, ...]
    results: tuple[MinutesItem, ...]
    """The items that something came of."""
    attendance: tuple[Attendee, ...] = ()
    """Who came; without a line, nobody tells."""
    left_out: tuple[RowError, ...]
    """What of the row cannot be recorded, while the rest of it can."""
    omissions: tuple[tuple[str | None, str | None, str], ...]
    """The same, but for where the row stands."""
    members: dict[str, str | None]
    """The member of the source that each of these is from."""

    def difference(self, earlier: MeetingRow) -> RowError | None:
        """The first thing on which the two disagree."""
        for name, member in self.members.items():
            if getattr(self, name) != getattr(earlier, name):
                reason = f"Line {earlier.line} tells of the same meeting and differs."
                return RowError(self.line, member, self.reference, "conflicting-row", reason)
        return None


class SourceBodies:
    """The organisations that a source describes, each as the body it would be on record."""

    def __init__(self, mapping: Bodies, described: Sequence[dict[str, Any]]) -> None:
        self._mapping = mapping
        self._described = {
            reference: one
            for one in described
            if isinstance(reference := found_at(one, mapping.reference), str)
        }
        self._bodies: dict[str, DescribedBody] = {}
        self._references: dict[str, str] = {}

    def body(self, reference: str) -> DescribedBody:
        """The body behind a reference; InvalidInput says why there is none, or none that can be told from another."""
        found = self._bodies.get(reference)
        if found is None:
            found = self._body(reference)
            taker = self._references.setdefault(found.code, reference)
            if taker != reference:
                raise InvalidInput(
                    "body-code-shared",
                    f"'{found.code}' would stand for {taker}, too: give one of them another code in the mapping.",
                )
            self._bodies[reference] = found
        return found

    def _body(self, reference: str) -> DescribedBody:
        mapping = self._mapping
        content = self._described.get(reference, {mapping.reference: reference})
        code = name = None
        kind, decides, visibility = mapping.kind, mapping.decides, mapping.visibility
        for rule in mapping.where:
            if found_at(content, rule.member) in rule.values:
                code, name = rule.code or code, rule.name or name
                kind, visibility = rule.kind or kind, rule.visibility or visibility
                decides = decides if rule.decides is None else rule.decides
        code = code or self._code_from(_text(found_at(content, mapping.code)))
        name = name or _text(found_at(content, mapping.name))
        if code is None or name is None:
            raise InvalidInput(
                "unknown-organization",
                "It is not described, with a code and a name, in the file of organisations or in the mapping.",
            )
        description = BodyChanged(name=name, kind=BodyKind(kind), decides=decides, visibility=visibility)
        check_body(code, description, ())
        return DescribedBody(code, description)

    def _code_from(self, text: str | None) -> str | None:
        if text is None:
            return None
        for letters, others in self._mapping.transliterate.items():
            text = text.replace(letters, others)
        return self._mapping.prefix + re.sub(r"[^A-Za-z0-9]+", "-", ascii_of(text)).strip("-")


def _text(value: object) -> str | None:
    return plain(value) or None if isinstance(value, str) else None


class Parser:
    """Parses lines under one mapping."""

    def __init__(self, mapping: Mapping, bodies: SourceBodies) -> None:
        self._mapping = mapping
        self._bodies = bodies
        # What each wording that the mapping knows amounts to; None for those that are kept as they are.
        self._outcomes: dict[str, ItemOutcome | None] = dict.fromkeys(map(folded, mapping.results.verbatim))
        self._outcomes |= by_word(mapping.results.values)
        meetings, agenda = mapping.meetings, mapping.agenda.member
        self._members = {
            "body": mapping.bodies.member,
            "start_at": meetings.start,
            "end_at": meetings.end,
            "title": meetings.title,
            "place": next(iter(meetings.place), None),
            "cancelled": meetings.cancelled,
            "agenda": agenda,
            "results": f"{agenda}[].{mapping.results.member}",
            "omissions": meetings.end,
        }

    def row(self, line: JsonLine) -> MeetingRow | list[RowError]:
        """What a line says, or everything that is wrong with it."""
        if line.problem is not None:
            reason = f"The line cannot be read: {line.problem}."
            return [RowError(line.line, None, None, "row-unreadable", reason)]
        members, meetings = Members(line.line, line.content), self._mapping.meetings
        reference = members.required(meetings.reference)
        if members.flag(meetings.deleted):
            reason = "The source says that it was deleted there."
            members.fault(meetings.deleted, "true", "row-deleted", reason)
        body = self._body(members)
        start = self._start(members)
        end = self._end(members, start)
        title = members.text(meetings.title)
        places = [place for member in meetings.place if (place := members.text(member)) is not None]
        cancelled = members.flag(meetings.cancelled)
        agenda, results = self._agenda(members)
        if members.errors or reference is None or body is None or start is None:
            return members.errors
        return MeetingRow(
            line=line.line,
            key=reference,
            order=start,
            stream=stream_of("meeting", reference),
            reference=reference,
            body=body.code,
            described=body.description,
            start_at=start,
            end_at=end,
            end_is_actual=meetings.end_is == "actual",
            took_place=meetings.held == "past" or bool(results),
            title=title,
            place=", ".join(places) or None,
            cancelled=cancelled,
            agenda=agenda,
            results=results,
            left_out=tuple(members.left_out),
            omissions=tuple((one.column, one.value, one.code) for one in members.left_out),
            members=self._members,
        )

    def _body(self, members: Members) -> DescribedBody | None:
        member = self._mapping.bodies.member
        value = members.at(member)
        named = value if isinstance(value, list) else [value]
        if len(named) != 1 or not isinstance(named[0], str):
            members.fault(member, value, "body-not-one", "A meeting is of one body, named by its reference.")
            return None
        try:
            return self._bodies.body(named[0])
        except InvalidInput as error:
            members.fault(member, named[0], error.code, error.message)
            return None

    def _start(self, members: Members) -> datetime | None:
        member = self._mapping.meetings.start
        text = members.required(member)
        try:
            return None if text is None else instant(text)
        except Unreadable as error:
            members.fault(member, text, error.code, error.reason)
            return None

    def _end(self, members: Members, start: datetime | None) -> datetime | None:
        """The end, if it can be one: a meeting whose end cannot be goes on record without it."""
        member = self._mapping.meetings.end
        text = members.text(member)
        if text is None:
            return None
        try:
            end = instant(text)
        except Unreadable as error:
            members.leave_out(member, text, error.code, error.reason)
            return None
        if start is None or end > start:
            return end
        # The domain refuses both alike; to whoever mends the source they are two mistakes.
        code, reason = (
            ("ends-at-start", "It would end the moment it began.")
            if end == start
            else ("ends-before-start", "It would end before it began.")
        )
        reason += f" It began at {members.at(self._mapping.meetings.start)}."
        members.leave_out(member, text, code, reason)
        return None

    def _agenda(self, meeting: Members) -> tuple[tuple[AgendaItem, ...], tuple[MinutesItem, ...]]:
        agenda = self._mapping.agenda
        items: list[AgendaItem] = []
        results: list[MinutesItem] = []
        seen: set[str] = set()
        for members in meeting.objects(agenda.member, agenda.order):
            if agenda.public is not None and members.at(agenda.public) is False:
                reason = "The source keeps this item from the public."
                members.leave_out(agenda.public, "false", "item-not-public", reason)
                continue
            number = len(items) + 1
            title = members.required(agenda.title)
            label = members.text(agenda.label)
            reference = members.text(agenda.reference)
            if reference is not None:
                if reference in seen:
                    members.fault(agenda.reference, reference, "item-twice", "This item stands there twice.")
                seen.add(reference)
            items.append(AgendaItem(number=number, title=title or "", label=label, reference=reference))
            results.extend(self._result(number, members))
        return tuple(items), tuple(results)

    def _result(self, number: int, members: Members) -> Iterator[MinutesItem]:
        results = self._mapping.results
        wording = members.text(results.member)
        if wording is None:
            return
        if folded(wording) not in self._outcomes and results.unknown == "error":
            reason = "The mapping does not say what this wording amounts to: add it to `results`."
            members.fault(results.member, wording, "result-unknown", reason)
            return
        outcome = self._outcomes.get(folded(wording))
        yield MinutesItem(agenda_item=number, outcome=outcome, outcome_verbatim=wording)
