"""A large record, made up from a seed and written straight into a log: to measure on what no import would give.

    .venv/bin/python -m bench.generator URL [--events 1000000] [--seed 7]

Commitments and meetings grow with the number of events: at 1,000,000 there are 10,000 commitments, 5,000 meetings of 40
bodies, and what these decided and handed out. Everything is dated within `YEARS` years, and recorded on the day it
speaks of or a few days later, so that both times spread over the whole record.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, NamedTuple
from uuid import UUID

import typer

from shared.eventlog.envelope import NewEvent
from shared.eventlog.open import open_store
from shared.eventlog.store import Changes, Store
from shared.events.commitments import (
    Assessed,
    Commented,
    Completed,
    Corrected,
    DeadlineRevised,
    DecisionCarriedOut,
    Discarded,
    Evidence,
    InternalDeadline,
    LeadReassigned,
    OrganizationRegistered,
    Origin,
    PillarRegistered,
    ProgressReported,
    PublicDeadline,
    Registered,
    VisibilityChanged,
)
from shared.events.facts import Event
from shared.events.meeting_vocabulary import (
    Acknowledgement,
    BodyKind,
    BudgetRequest,
    DecisionKind,
    Financing,
    Presence,
    ProtocolPeriod,
)
from shared.events.meetings import (
    ActionItemAssigned,
    ActionItemCompleted,
    ActionItemExtended,
    Attendee,
    BodyRegistered,
    BudgetImpact,
    BudgetLineTied,
    DecisionAcknowledged,
    DecisionAgreed,
    DecisionAmended,
    ExpectedMeetings,
    MeetingConvened,
    MeetingHeld,
    MinutesCirculated,
    Protocol,
    Recipient,
    Seat,
)
from shared.events.streams import stream_of
from shared.events.vocabulary import (
    CommitmentKind,
    DeadlineKind,
    DiscardReason,
    Judgement,
    OriginKind,
    ResultType,
    Visibility,
)
from shared.identity.actor import Actor, Role

FIRST_DAY = date(2016, 1, 1)
YEARS = 8
BATCH = 2_000
PILLARS = ("health", "growth", "education", "safety", "poverty", "democracy", "environment")
MINISTRIES = tuple(f"M{number:02d}" for number in range(24))
REGIONS = (None, *(f"R{number:02d}" for number in range(1, 16)))
BODIES = 40
RARE = "commitments.discarded"
"""A type of which there are few events: one in some thousands."""

_ACTOR = Actor(subject="u-1", organization="DCI", role=Role.DCI)
_DIPRES = Actor(subject="u-2", organization="DIPRES", role=Role.DIPRES)
_OPEN = (Visibility.PUBLIC, Visibility.PUBLIC, Visibility.INTERNAL, Visibility.INTERNAL, Visibility.RESERVED)


class Entry(NamedTuple):
    """An event, when it is recorded, and of what it tells."""

    recorded_at: datetime
    stream_id: UUID
    event: Event
    actor: Actor


class Record:
    """The events of a record in the order in which the log learns them."""

    def __init__(self, events: int, seed: int) -> None:
        self._draw = random.Random(seed)
        self.commitments = max(10, events // 100)
        self.meetings = max(5, events // 200)
        self._entries: list[Entry] = []
        self._reports = Counter[int]()
        self._names()
        self._bodies()
        for number in range(self.meetings):
            self._meeting(number)
        for number in range(self.commitments):
            self._commitment(number)
        self._go_on(events)

    def entries(self) -> Iterator[Entry]:
        """Each event in order; of events recorded at one moment, the one of the earlier line above first."""
        yield from sorted(self._entries, key=lambda entry: entry.recorded_at)

    def _say(self, stream: UUID, day: date, event: Event, *, after: int = 0, actor: Actor = _ACTOR) -> None:
        noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        self._entries.append(
            Entry(noon + timedelta(days=after, seconds=len(self._entries) % 1000), stream, event, actor)
        )

    def _day(self, first: int = 0) -> date:
        return FIRST_DAY + timedelta(days=self._draw.randrange(first, YEARS * 365))

    def _names(self) -> None:
        for code in (*MINISTRIES, "DCI", "DIPRES"):
            self._say(
                stream_of("organization", code),
                FIRST_DAY,
                OrganizationRegistered(code=code, name=f"Office {code}"),
            )
        for rank, code in enumerate(PILLARS):
            self._say(
                stream_of("pillar", code),
                FIRST_DAY,
                PillarRegistered(code=code, name=code.title(), rank=rank),
            )

    def _bodies(self) -> None:
        for number in range(BODIES):
            bilateral = number % 4 == 3
            self._say(
                stream_of("body", _body(number)),
                FIRST_DAY,
                BodyRegistered(
                    code=_body(number),
                    name=f"Body {number}",
                    kind=BodyKind.BILATERAL if bilateral else BodyKind.COMMITTEE,
                    decides=True,
                    visibility=Visibility.RESERVED if bilateral else Visibility.INTERNAL,
                    organizations=self._some(MINISTRIES, 2),
                    presiding_organization="DCI",
                    protocol=Protocol(
                        expected_meetings=ExpectedMeetings(count=2, period=ProtocolPeriod.MONTH),
                        days_to_minutes=7,
                        agenda_size=4,
                    ),
                ),
            )

    def _some(self, choices: tuple[str, ...], most: int) -> tuple[str, ...]:
        return tuple(self._draw.sample(choices, self._draw.randrange(1, most + 1)))

    def _meeting(self, number: int) -> None:
        draw, day = self._draw, self._day(20)
        body, stream = _body(number % BODIES), stream_of("meeting", f"meeting {number}")
        moment = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
        who = self._some(MINISTRIES, 3)
        visibility = draw.choice(_OPEN)
        self._say(
            stream,
            day - timedelta(days=10),
            MeetingConvened(body=body, scheduled_at=moment, visibility=visibility, organizations=who),
        )
        attendees = tuple(
            Attendee(organization=code, position="Minister", presence=Presence.PRESENT) for code in who
        )
        absences = (Seat(position="Director"),) if draw.random() < 0.2 else ()
        self._say(stream, day, MeetingHeld(held_at=moment, attendance=attendees, mandatory_absences=absences))
        recipients = tuple(Recipient(organization=code) for code in who)
        self._say(
            stream,
            day + timedelta(days=draw.randrange(1, 12)),
            MinutesCirculated(draft=1, recipients=recipients),
        )
        for place in range(2):
            self._decision(number, place, day, body, stream, visibility)
        for place in range(3):
            self._action_item(number, place, day, body, stream, visibility)

    def _decision(
        self, meeting: int, place: int, day: date, body: str, stream_id: UUID, visibility: Visibility
    ) -> None:
        draw = self._draw
        number = f"{body}-{day.year}-{meeting * 2 + place:05d}"
        stream = stream_of("decision", number)
        impact = None
        if draw.random() < 0.5:
            impact = BudgetImpact(
                amount=str(draw.randrange(1, 10**9)),
                currency="CLP",
                fiscal_year=day.year + 1,
                financing=draw.choice(list(Financing)),
            )
        agreed = DecisionAgreed(
            number=number,
            body=body,
            meeting=stream_id,
            agreed_on=day,
            text=self._text(120),
            kind=draw.choice(list(DecisionKind)),
            visibility=visibility,
            position_in_item=place + 1,
            agenda_item=1,
            commitments=tuple(_code(draw.randrange(self.commitments)) for _ in range(draw.randrange(3))),
            budget_impact=impact,
            organizations=self._some(MINISTRIES, 2),
        )
        self._say(stream, day, agreed, after=14)
        done = DecisionCarriedOut(decision=number, did=())
        self._say(stream_of("decision-outcome", number), day, done, after=14)
        if draw.random() < 0.7:
            outcome = draw.choice([Acknowledgement.AGREED] * 4 + [Acknowledgement.DISPUTED])
            self._say(stream, day, DecisionAcknowledged(outcome=outcome), after=30, actor=_DIPRES)
        if impact is not None and draw.random() < 0.6:
            line = BudgetLineTied(
                fiscal_year=impact.fiscal_year,
                code=f"21-{draw.randrange(99):02d}",
                amount=impact.amount,
                currency="CLP",
                request=draw.choice(list(BudgetRequest)),
            )
            self._say(stream, day, line, after=60, actor=_DIPRES)
        if draw.random() < 0.1:
            amended = DecisionAmended(erratum=1, reads="a", should_read="b", reason="Typing error")
            self._say(stream, day, amended, after=40)

    def _action_item(
        self, meeting: int, place: int, day: date, body: str, stream_id: UUID, visibility: Visibility
    ) -> None:
        draw, stream = self._draw, stream_of("action-item", f"item {meeting} {place}")
        due_on = day + timedelta(days=draw.randrange(7, 120))
        owner = draw.choice(MINISTRIES)
        item = ActionItemAssigned(
            number=place + 1,
            text=self._text(90),
            owner_organization=owner,
            assigned_on=day,
            due_on=due_on,
            body=body,
            meeting=stream_id,
            visibility=visibility,
            agenda_item=1,
            commitment=_code(draw.randrange(self.commitments)),
            circle=self._some(MINISTRIES, 2),
        )
        self._say(stream, day, item, after=14)
        if draw.random() < 0.3:
            later = due_on + timedelta(days=30)
            told = due_on - timedelta(days=2)
            self._say(
                stream,
                max(told, day + timedelta(days=15)),
                ActionItemExtended(due_on=later, previous=due_on, effective_on=told, reason="More time"),
            )
        if draw.random() < 0.8:
            done = due_on + timedelta(days=draw.randrange(-5, 20))
            self._say(
                stream,
                done,
                ActionItemCompleted(completed_on=done, evidence=(Evidence(description="Done"),)),
                after=20,
            )

    def _commitment(self, number: int) -> None:
        draw, code = self._draw, _code(number)
        day = FIRST_DAY + timedelta(days=draw.randrange(1, 365))
        self._say(
            stream_of("commitment", code),
            day,
            Registered(
                code=code,
                title=f"Project {number}: {self._text(40)}",
                lead_organization=draw.choice(MINISTRIES),
                effective_on=day,
                kind=draw.choice(
                    [CommitmentKind.COMMITMENT, CommitmentKind.COMMITMENT, CommitmentKind.ACTION]
                ),
                visibility=draw.choice(_OPEN),
                pillar=draw.choice(PILLARS),
                result_type=draw.choice([None, *ResultType]),
                origin=Origin(kind=draw.choice(list(OriginKind)), source="Speech"),
                region=draw.choice(REGIONS),
                public_deadline=PublicDeadline(on=self._day(400)),
                internal_deadline=InternalDeadline(on=self._day(400)),
                collaborating_organizations=self._some(MINISTRIES, 2),
                description=self._text(500),
            ),
        )

    def _go_on(self, events: int) -> None:
        """What is told of commitments, until there are as many events as were wanted."""
        for _ in range(events - len(self._entries)):
            number = self._draw.randrange(self.commitments)
            day = self._day(366)
            self._say(
                stream_of("commitment", _code(number)),
                day,
                self._happening(number, day),
                after=self._draw.randrange(20),
            )

    def _happening(self, commitment: int, day: date) -> Event:
        draw = self._draw
        kind = draw.random()
        if kind < 0.45:
            return Assessed(
                effective_on=day,
                judgement=draw.choice([*Judgement, Judgement.ON_TRACK]),
                reason=self._text(140),
            )
        if kind < 0.80:
            self._reports[commitment] += 1
            return ProgressReported(
                number=self._reports[commitment],
                period=f"{day.year}-Q{day.month // 4 + 1}",
                effective_on=day,
                observed_progress=self._text(300),
            )
        if kind < 0.88:
            return Commented(text=self._text(120), effective_on=day)
        if kind < 0.96:
            later = day + timedelta(days=draw.randrange(30, 400))
            return DeadlineRevised(
                deadline=draw.choice(list(DeadlineKind)), on=later, effective_on=day, reason=self._text(60)
            )
        if kind < 0.975:
            return LeadReassigned(
                lead_organization=draw.choice(MINISTRIES),
                previous="M00",
                effective_on=day,
                reason="Another office",
            )
        if kind < 0.978:
            return Corrected(field="pillar", value=draw.choice(PILLARS), reason="Wrong")
        if kind < 0.981:
            return VisibilityChanged(
                visibility=draw.choice(_OPEN), previous=Visibility.INTERNAL, reason="Another view"
            )
        if kind < 0.9995:
            return Completed(completed_on=day, evidence=(Evidence(description="Done"),))
        return Discarded(reason_type=DiscardReason.TECHNICAL, reason="Not possible", effective_on=day)

    def _text(self, length: int) -> str:
        return " ".join(self._draw.choices(_WORDS, k=max(1, length // 7)))


_WORDS = (
    *("road", "hospital", "school", "bridge", "permit", "tender", "budget", "works", "delayed", "progress"),
    *("region", "ministry", "contract", "design", "stage", "opening", "quarter", "review", "agreed", "study"),
)


def _code(number: int) -> str:
    return f"C-{number:05d}"


def _body(number: int) -> str:
    return f"B{number:02d}"


def write(store: Store, events: int, seed: int = 7) -> int:
    """Fill an empty, migrated log with a record of so many events; returns the position it has reached."""
    versions: dict[UUID, int] = {}
    batch: list[NewEvent] = []
    position = 0
    moment = datetime.now(UTC)
    for number, entry in enumerate(Record(events, seed).entries(), start=1):
        version = versions[entry.stream_id] = versions.get(entry.stream_id, 0) + 1
        batch.append(
            NewEvent(
                stream_id=entry.stream_id,
                version=version,
                recorded_by=entry.actor,
                correlation_id=f"made-up-{number}",
                data=entry.event,
            )
        )
        moment = entry.recorded_at
        if len(batch) == BATCH:
            position = store.append([Changes(events=batch)], moment)[0].last
            batch = []
    if batch:
        position = store.append([Changes(events=batch)], moment)[0].last
    return position


def main(
    url: Annotated[str, typer.Argument(help="The log: sqlite:///… or postgresql://…, empty.")],
    events: Annotated[int, typer.Option(help="How many events.")] = 1_000_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same record.")] = 7,
) -> None:
    """Make up a large record."""
    store = open_store(url)
    try:
        store.migrate()
        if store.head():
            raise typer.BadParameter("the log is not empty")
        sys.stdout.write(f"{write(store, events, seed)} events\n")
    finally:
        store.close()


if __name__ == "__main__":
    typer.run(main)
