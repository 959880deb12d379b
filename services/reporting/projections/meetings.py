"""From the events of bodies, meetings and action items to their rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any, ClassVar

import msgspec

from services.reporting.datasets import (
    DecisionChange,
    action_items,
    bodies,
    decision_changes,
    meetings,
    minutes,
    minutes_texts,
    taken_up,
)
from services.reporting.projections.corrections import About, Answers, Telling, answers_of
from services.reporting.projections.differ import ByDay, Now
from services.reporting.projections.observations import Observations
from services.reporting.projections.projection import (
    DayOf,
    effective_day,
    json_text,
    only,
    readers_of,
    shown_by_day,
)
from services.reporting.terms import filed
from shared.eventlog.codec import instant_text
from shared.eventlog.envelope import Recorded
from shared.events.facts import Event
from shared.events.meeting_vocabulary import ItemOutcome
from shared.events.meetings import (
    ActionItemAssigned,
    ActionItemCancelled,
    ActionItemCompleted,
    ActionItemExtended,
    ActionItemPublished,
    ActionItemReassigned,
    AgendaAgreed,
    AgendaRevised,
    AttendanceCorrected,
    BodyChanged,
    BodyRegistered,
    Ending,
    MeetingCancelled,
    MeetingConvened,
    MeetingHeld,
    MeetingPublished,
    MeetingRescheduled,
    MinutesApproved,
    MinutesCirculated,
    MinutesDrafted,
)
from shared.events.streams import stream_of
from shared.events.types import Kind
from shared.events.vocabulary import Visibility
from shared.rules.action_item_state import ActionItemFacts
from shared.rules.dated_facts import VisibilityByDay


class BodyProjection(Telling):
    """What a body is and holds itself to."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset((BodyChanged,))
    CORRECTING: ClassVar[frozenset[type[Event]]] = TYPES

    __slots__ = ("_code", "_day_of", "_now", "_thing")

    def __init__(self, recorded: Recorded, day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, BodyRegistered)
        self._day_of = day_of
        self._thing = recorded.stream_id.hex
        self._code = event.code
        self._now: dict[str, Any] = {}

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        event = recorded.data
        assert isinstance(event, BodyRegistered | BodyChanged)
        protocol = event.protocol
        expected = None if protocol is None else protocol.expected_meetings
        self._now = {
            "name": event.name,
            "kind": event.kind.value,
            "presiding_organization": event.presiding_organization,
            "expected_meetings": None if expected is None else expected.count,
            "expected_period": None if expected is None else expected.period.value,
            "days_to_minutes": None if protocol is None else protocol.days_to_minutes,
            "agenda_size": None if protocol is None else protocol.agenda_size,
            "visibility": event.visibility.value,
            "in_force_from": None if protocol is None else protocol.in_force_from,
        }
        recorded_on = self._day_of(recorded.recorded_at)
        yield only(bodies, (self._thing,), code=self._code, recorded_on=recorded_on, **self._now)
        yield readers_of(recorded.stream_id, concerned=event.organizations)

    @property
    def about(self) -> About:
        """See `Telling.about`."""
        return About(Kind.BODY, self._thing, self._code)

    def answers(self) -> Answers:
        """See `Telling.answers`: a body is told alike of all days, and so is what its protocol expects of a year."""
        day = self._now["in_force_from"]
        return [(date.min, self._now | {"in_force_from": day and day.isoformat()})]

    def shown_on(self, _day: date) -> Visibility:
        """See `Telling.shown_on`."""
        return Visibility(self._now["visibility"])


class MeetingProjection(Telling):
    """What the register needs to know of a meeting."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset(
        (
            MeetingRescheduled,
            MeetingCancelled,
            AgendaAgreed,
            AgendaRevised,
            MeetingHeld,
            AttendanceCorrected,
            MinutesDrafted,
            MinutesCirculated,
            MinutesApproved,
            MeetingPublished,
            *Observations.TYPES,
        )
    )
    CORRECTING: ClassVar[frozenset[type[Event]]] = frozenset(
        (MeetingRescheduled, AgendaAgreed, AgendaRevised, AttendanceCorrected)
    )

    __slots__ = (
        "_agenda",
        "_day_of",
        "_drafts",
        "_id",
        "_now",
        "_observations",
        "_organizations",
        "_recipients",
        "_visibility",
    )

    def __init__(self, recorded: Recorded, day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, MeetingConvened)
        self._day_of = day_of
        self._id = recorded.stream_id
        self._organizations = event.organizations
        self._visibility = VisibilityByDay(event.visibility, recorded.position)
        self._recipients: tuple[str, ...] = ()
        self._observations = Observations(day_of)
        self._agenda = event.agenda
        self._drafts: dict[int, dict[int, str | None]] = {}
        """By their number, what drafts of the minutes say of which item of the agenda."""
        self._now: dict[str, Any] = {
            "body": event.body,
            "title": event.title,
            "convened_at": recorded.position,
            "held_at": None,
            "held_on": None,
            "cancelled_on": None,
            "cancellation": None,
            "circulated_on": None,
            "attendance_recorded": False,
            "absences": "[]",
            "recipients_missing": None,
        }

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        if isinstance(recorded.data, Observations.TYPES):
            yield self._observations.take_in(recorded)
            return
        now, day_of = self._now, self._day_of
        match recorded.data:
            case MeetingConvened() | MeetingRescheduled() as event:
                now["scheduled_at"] = instant_text(event.scheduled_at)
                now["scheduled_on"] = day_of(event.scheduled_at)
                if isinstance(event, MeetingConvened):
                    now |= {"agenda_items": len(event.agenda), "visibility": event.visibility.value}
            case MeetingCancelled() as event:
                now |= {"cancelled_on": day_of(recorded.recorded_at), "cancellation": event.reason}
            case AgendaAgreed() | AgendaRevised() as event:
                self._agenda = event.agenda
                now["agenda_items"] = len(event.agenda)
            case MeetingHeld() | AttendanceCorrected() as event:
                now |= {"held_at": instant_text(event.held_at), "held_on": day_of(event.held_at)}
                now["attendance_recorded"] = bool(event.attendance)
                now["absences"] = json_text(event.mandatory_absences)
            case MinutesDrafted() as event:
                told = {one.agenda_item: one.summary for one in event.items if one.agenda_item is not None}
                self._drafts[event.draft] = told
                return
            case MinutesCirculated() as event:
                # Minutes are out on the day they are first sent to somebody; what is sent again later mends them.
                day = effective_day(recorded, day_of)
                now["circulated_on"] = min(day, now["circulated_on"] or day)
                self._recipients += tuple(recipient.organization for recipient in event.recipients)
            case MinutesApproved() as event:
                now["recipients_missing"] = json_text(event.recipients_missing)
                if event.endings and now["held_on"] is not None:
                    yield from self._taken_up(recorded, event.endings)
                if now["held_on"] is not None:
                    yield from self._minutes(recorded.stream_id.hex, event.draft)
            case MeetingPublished() as event:
                self._visibility.take_in(event, recorded.position)
                now["visibility"] = self._visibility.now.value
                yield shown_by_day(recorded.stream_id, self._visibility)
        yield only(meetings, (recorded.stream_id.hex,), **now)
        yield readers_of(recorded.stream_id, concerned=self._organizations, others=self._recipients)

    @property
    def about(self) -> About:
        """See `Telling.about`."""
        return About(Kind.MEETING, self._id.hex, str(self._id))

    def answers(self) -> Answers:
        """See `Telling.answers`: from which day on the register tells what of it."""
        now = {name: msgspec.to_builtins(value) for name, value in self._now.items()}
        said: dict[str, Any] = {name: now[name] for name in ("scheduled_at", "agenda_items")}
        days: list[tuple[date | None, Sequence[str]]] = [
            (self._now["held_on"], ("held_at", "attendance_recorded", "absences", "recipients_missing")),
            (self._now["circulated_on"], ("circulated_on",)),
        ]
        if self._now["cancelled_on"] is not None:
            days.append((min(self._now["cancelled_on"], self._now["scheduled_on"]), ("cancellation",)))
        elif self._now["held_on"] is None and self._now["scheduled_on"] < date.max:
            now["unrecorded"] = True
            days.append((self._now["scheduled_on"] + timedelta(days=1), ("unrecorded",)))
        found: Answers = [(date.min, said)]
        for day, members in sorted((day, members) for day, members in days if day is not None):
            said = said | {name: now[name] for name in members}
            found.append((day, said))
        return found

    def shown_on(self, day: date) -> Visibility:
        """See `Telling.shown_on`."""
        return self._visibility.shown_on(day)

    def days_shown(self) -> Iterable[date]:
        """See `Telling.days_shown`."""
        return self._visibility.days()

    def _minutes(self, meeting: str, draft: int) -> Iterable[Now]:
        """What the sealed minutes say of the commitments on the agenda."""
        told, held_on = self._drafts.get(draft, {}), self._now["held_on"]
        said = {
            (meeting, one.number, commitment): (one.title, told[one.number])
            for one in self._agenda
            if one.number in told
            for commitment in one.commitments
        }
        yield Now(minutes, {key: [(held_on, texts)] for key, texts in said.items()})
        yield Now(
            minutes_texts,
            {
                (meeting, item, stream_of("commitment", commitment).hex, chunk): [(held_on, (terms,))]
                for (_, item, commitment), texts in said.items()
                for chunk, terms in enumerate(
                    terms for text in texts if text is not None for terms in filed(text)
                )
            },
        )

    def _taken_up(self, recorded: Recorded, endings: Sequence[Ending]) -> Iterable[Now]:
        """Which decisions it took up again; of two items on one, that which ended it counts."""
        outcomes: dict[str, str | None] = {}
        for ending in endings:
            outcome = ending.outcome and ending.outcome.value
            for number in ending.decisions:
                if outcomes.get(number, ItemOutcome.POSTPONED) == ItemOutcome.POSTPONED:
                    outcomes[number] = outcome
        held_on, body = self._now["held_on"], self._now["body"]
        of = {stream_of("decision", number).hex: outcome for number, outcome in outcomes.items()}
        meeting, position = recorded.stream_id.hex, recorded.position
        yield Now(taken_up, {(one, meeting): [(held_on, (body, outcome))] for one, outcome in of.items()})
        change: ByDay = [(None, (DecisionChange.REFERRAL.value,))]
        yield Now(decision_changes, {(one, position): change for one in of})


class ActionItemProjection(Telling):
    """On which days what held of an action item."""

    TYPES: ClassVar[frozenset[type[Event]]] = frozenset(
        (
            ActionItemExtended,
            ActionItemReassigned,
            ActionItemCompleted,
            ActionItemCancelled,
            ActionItemPublished,
        )
    )

    CORRECTING: ClassVar[frozenset[type[Event]]] = frozenset()

    __slots__ = ("_asked", "_circle", "_facts", "_id", "_visibility")

    def __init__(self, recorded: Recorded, _day_of: DayOf) -> None:
        event = recorded.data
        assert isinstance(event, ActionItemAssigned)
        self._id = recorded.stream_id
        self._circle = event.circle
        self._visibility = VisibilityByDay(event.visibility, recorded.position)
        self._facts = ActionItemFacts(event, recorded.position)
        self._asked = {
            "number": event.number,
            "text": event.text,
            "assigned_on": event.assigned_on,
            "first_due_on": event.due_on,
            "body": event.body,
            "meeting_id": event.meeting.hex,
            "agenda_item": event.agenda_item,
            "decision": event.decision,
            "commitment": event.commitment,
        }

    def apply(self, recorded: Recorded) -> Iterable[Now]:
        """See `Projection.apply`."""
        event = recorded.data
        if isinstance(event, ActionItemPublished):
            self._visibility.take_in(event, recorded.position)
            yield shown_by_day(recorded.stream_id, self._visibility)
        else:
            self._facts.apply(event, recorded.position)
        yield self._by_day()
        owner, _position = self._facts.owners.on(date.max)
        yield readers_of(recorded.stream_id, concerned=(owner,), others=self._circle)

    def _by_day(self) -> Now:
        same = self._asked | {"visibility": self._visibility.now.value}
        spans = [(day, action_items.row(**same, **facts._asdict())) for day, facts in self._facts.spans()]
        return Now(action_items, {(self._id.hex,): list(spans)})

    @property
    def about(self) -> About:
        """See `Telling.about`."""
        return About(Kind.ACTION_ITEM, self._id.hex, str(self._id))

    def answers(self) -> Answers:
        """See `Telling.answers`."""
        return answers_of([self._by_day()], self._facts.first_day)

    def shown_on(self, day: date) -> Visibility:
        """See `Telling.shown_on`."""
        return self._visibility.shown_on(day)

    def days_shown(self) -> Iterable[date]:
        """See `Telling.days_shown`."""
        return self._visibility.days()
