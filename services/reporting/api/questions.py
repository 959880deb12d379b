"""What every question to the record has in common: the two times, who asks, and waiting for one's own write."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from services.reporting.api.waiting import Reached
from services.reporting.queries.moments import AsOf, as_of, position_asked_for
from services.reporting.queries.access import Scope, scope_of
from services.reporting.generations.interface import ReadModel
from services.reporting.reading import Reading
from shared.clock import Clock
from shared.eventlog.codec import instant_text
from shared.eventlog.live import LiveLog
from shared.eventlog.store import Store
from shared.http.context import visitor_of
from shared.http.records import LONGEST_WAIT
from shared.http.schemas import CivilDay, Instant
from shared.rules.traffic_light import CURRENT_RULE

T = TypeVar("T")

LARGEST_POSITION = 2**53

Day = Annotated[CivilDay | None, Query(description="The day asked about; by default today, or the day then.")]
KnownAt = Annotated[Instant | None, Query(description="As the log knew it at this moment.")]
Position = Annotated[
    int | None, Query(ge=0, le=LARGEST_POSITION, description="As the log knew it at this position.")
]
WaitFor = Annotated[
    int | None,
    Query(
        ge=0,
        le=LARGEST_POSITION,
        description=f"A `Log-Position`: the answer reflects it, or is 503 after {LONGEST_WAIT:g} seconds.",
    ),
]


class Question(NamedTuple):
    """The two times asked for, in the asker's own words, and what the answer must reflect."""

    on: date | None = None
    known_at: datetime | None = None
    position: int | None = None
    wait_for: int | None = None


def question(
    on: Day = None, known_at: KnownAt = None, position: Position = None, wait_for: WaitFor = None
) -> Question:
    """The dependency that reads a question from the query string."""
    return Question(on, known_at, position, wait_for)


class Reporting:
    """What the routes ask: the read model and the log, off the event loop."""

    def __init__(self, live: LiveLog, read_model: ReadModel, *, keep_alive: float) -> None:
        self.live = live
        self.read_model = read_model
        self.keep_alive = keep_alive
        self._reached = Reached(read_model)

    @property
    def store(self) -> Store:
        """The event log."""
        return self.live.store

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self.live.clock

    async def ask(self, asked: Question, answer: Callable[[Reading, AsOf], T]) -> tuple[AsOf, T]:
        """The answer to a question, and the day and position it turned out to be about.

        Waits, within bounds, for a read model that is not there yet: Unavailable after that.
        """
        position = None
        if asked.known_at is not None or asked.position is not None:
            position = await run_in_threadpool(
                position_asked_for, self.store, self.clock, asked.known_at, asked.position
            )
        await self._reached.until(max(asked.wait_for or 0, position or 0), LONGEST_WAIT)
        return await run_in_threadpool(self._ask, asked, position, answer)

    def reached(self) -> int:
        """How far the read model has followed the log. Blocks."""
        with self.read_model.reading() as reading:
            return reading.position

    async def close(self) -> None:
        """Give back what it waits with; the read model and the log are whoever's who opened them."""
        await self._reached.close()

    def _ask(
        self, asked: Question, position: int | None, answer: Callable[[Reading, AsOf], T]
    ) -> tuple[AsOf, T]:
        with self.read_model.reading() as reading:
            at = as_of(self.store, self.clock, reading.position, asked.on, asked.known_at, position)
            return at, answer(reading, at)


def reporting_of(request: Request) -> Reporting:
    """What the app that serves this request answers from."""
    reporting: Reporting = request.scope["app"].state.reporting
    return reporting


def asker_of(request: Request) -> Scope:
    """What whoever is asking may see."""
    return scope_of(visitor_of(request))


def heading(at: AsOf, scope: Scope) -> dict[str, Any]:
    """What every answer says of itself: which day, which position, under which rule, for whose eyes."""
    return {"status_rule": CURRENT_RULE, **heading_without_rule(at, scope)}


def heading_without_rule(at: AsOf, scope: Scope) -> dict[str, Any]:
    """What an answer says of itself in which no commitment has a state."""
    return {
        "on": at.on,
        "position": at.position,
        "known_at": None if at.known_at is None else instant_text(at.known_at),
        "scope": scope.name,
    }
