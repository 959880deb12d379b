"""What every question to the record has in common: its two times, who asks, pages, filters, and how answers begin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Any, Final, NamedTuple, TypeVar
from uuid import UUID

import msgspec
from msgspec import Meta
from prometheus_client import CollectorRegistry, Gauge
from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from services.reporting.answers import Answers
from services.reporting.datasets import Field as ColumnField
from services.reporting.datasets import bodies, bounds, commitments, decisions, indicators, meetings
from services.reporting.generations.interface import ReadModel, of_another_log
from services.reporting.queries.access import Scope, readable_rows, scope_of
from services.reporting.queries.corrected import CorrectedSince
from services.reporting.queries.corrections import corrected_since
from services.reporting.queries.moments import AsOf, as_of, mark_at, not_reached, position_asked_for, to_come
from services.reporting.queries.told import Told
from services.reporting.queries.unreadable import unreadable_up_to
from services.reporting.reading import Reading
from services.reporting.routes.waiting import Reached
from shared.aggregate.heirs import OrganizationsByDay
from shared.clock import Clock
from shared.errors import InvalidInput
from shared.eventlog.codec import instant_text
from shared.eventlog.envelope import Bookmark
from shared.eventlog.live import LiveLog
from shared.eventlog.store import LogWentBack, Store
from shared.events.types import CivilDay, Kind, Names
from shared.http.context import visitor_of
from shared.http.moments import KNOWN_AT_BY_DAY, KnownAt, RecordedAt, moment_of
from shared.http.names import split_words
from shared.http.pagination import DEFAULT_LIMIT, Cursor, Key, KeyPosition, Limit, decode_cursor, next_url
from shared.http.resource import LONGEST_WAIT, WaitFor
from shared.http.responses import encoded, read_answer
from shared.http.routing import Query
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Actor
from shared.rules.registry import Rule, rule_asked_for
from shared.rules.traffic_light import TRAFFIC_LIGHT_1

T = TypeVar("T")

TOLD: Final = (Kind.COMMITMENT, Kind.ORGANIZATION, Kind.PILLAR)
"""The kinds of things of which lists of commitments tell."""

LARGEST_POSITION: Final = 2**53
PUBLIC_SECONDS: Final = 5
"""For how long a proxy may tell others what it was told without a token."""
FAR: Final = 100_000
"""So far beyond what they are told may lie what somebody says to have read who does not see everything: where the log
ends is not for them to know, and they may have a position from one who does."""
MOST_VALUES: Final = 50
"""Words in one filter."""

SHOWN: Final = Access(
    EVERYONE,
    anonymous=True,
    note="what is public; with a token also what is internal, and what is reserved where one may read it",
    etag=True,
    log_position=True,
)

_AS_OF: Final = {"known_at", "position", "wait_for"}
"""What of a question only says of which day and position it is."""

_HIDDEN: Final = {
    "commitment": [(commitments, "code")],
    # Whoever may know of a decision or a meeting knows whose it is.
    "body": [(bodies, "code"), (decisions, "body"), (meetings, "body")],
    "decision": [(decisions, "number")],
    "indicator": [(indicators, "code")],
}
"""Where to look for what may be hidden from an asker, by its code."""

Position = Annotated[int, Field(ge=0, le=LARGEST_POSITION)]
Identifier = Annotated[str, Field(description="The UUID or the code.", examples=["SEG-014"])]


class Asked(Query):
    """Of how much of the log is asked, and what the answer must reflect."""

    known_at: Annotated[KnownAt | None, Field(description=KNOWN_AT_BY_DAY)] = None
    position: Annotated[Position | None, Field(description="As the log knew it at this position.")] = None
    wait_for: WaitFor = None

    @property
    def day(self) -> date | None:
        """The day asked about; None where the present or the position says which."""
        return None


class Question(Asked):
    """A question about a day."""

    on: Annotated[
        CivilDay | None, Field(description="The day asked about; by default today, or the day then.")
    ] = None

    @property
    def day(self) -> date | None:
        """See `Asked.day`."""
        return self.on


class Paged(Question):
    """A question about a day, answered a page at a time."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None


PositionTold = Annotated[
    int,
    Meta(
        description="How much of the log is taken into account: the position of the last event that the asker may "
        "read, with which all that lies between it and the position asked for is answered alike.",
        examples=[1204],
    ),
]
KnownOn = Annotated[
    date | None,
    Meta(description="The civil day on which the log reached that position; null for an empty log."),
]


ScopeName = Annotated[
    str,
    Meta(
        description="Whose eyes it is for: `public`, `government` or `everything`.",
        extra_json_schema={"enum": ["public", "government", "everything"]},
    ),
]


class Answer(msgspec.Struct, kw_only=True):
    """What an answer says of itself."""

    on: date
    position: PositionTold
    known_on: KnownOn
    known_at: RecordedAt
    scope: ScopeName
    corrected: CorrectedSince


RuleName = Annotated[
    str,
    Meta(
        description="The version of the rule the states follow, and with which values if these are not its own.",
        examples=["traffic_light_1"],
    ),
]
RuleAsked = Annotated[
    Rule,
    PlainValidator(rule_asked_for),
    PlainSerializer(lambda rule: rule.name, return_type=str),
    WithJsonSchema({"type": "string", "examples": [TRAFFIC_LIGHT_1.name, "traffic_light_1:grace_days=30"]}),
    Field(
        description="Judge by this rule, and with these values of its parameters: `name` or `name:parameter=value,…`. "
        "`/v1/rules` lists them; the present one by default. What was reported stays as it was.",
        json_schema_extra={"default": TRAFFIC_LIGHT_1.name},
    ),
]
"""Declare as `rule: RuleAsked = TRAFFIC_LIGHT_1`."""


class Judged(Question):
    """A question about a day whose answer says in which states commitments are."""

    rule: RuleAsked = TRAFFIC_LIGHT_1


NextPage = Annotated[str | None, Meta(description="The absolute URL of the next page; null on the last.")]


_log_is_read: Final = ContextVar("log_is_read", default=False)
"""Whether the log was read since the answer that is being made was begun."""


class ToldUpTo(NamedTuple):
    """Up to which event the page before was told: its position, and its mark."""

    position: int
    mark: str


class Pinned(NamedTuple):
    """The day and the position that all pages of a list are about."""

    on: date
    told: ToldUpTo


HELD: Final = "bitacora.snapshot"
"""Where the scope of a request has the snapshot from which all is answered that is asked in its course."""


class HeldSnapshot:
    """A snapshot of the read model for several questions: that of the first of them, which waits for what it must."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._reading: Reading | None = None

    def reading(self, opening: AbstractContextManager[Reading]) -> Reading:
        """The snapshot, which is opened for the first question."""
        if self._reading is None:
            self._reading = self._stack.enter_context(opening)
        return self._reading

    def close(self) -> None:
        """Let it go."""
        self._stack.close()


class Reporting:
    """What the routes ask: the read model and the log, off the event loop."""

    def __init__(
        self,
        live: LiveLog,
        read_model: ReadModel,
        organizations: OrganizationsByDay,
        answers: Answers,
        *,
        keep_alive: float,
    ) -> None:
        self.live = live
        self.keep_alive = keep_alive
        self._read_model = read_model
        self._organizations = organizations
        self._answers = answers
        self._told = Told(live.store)
        self._reached = Reached(read_model)
        self._of_this_log: tuple[str, int, int] | None = None
        live.on_restart(self._answers.clear)
        live.on_restart(self._told.clear)
        live.on_restart(self._reached.clear)
        self._position = 0
        self._streams = 0

    def measure(self, registry: CollectorRegistry) -> None:
        """Show in the metrics how far the read model is, and how many follow the log by streams of events."""
        for name, what, value in (
            ("read_model_position", "Position up to which the read model tells.", lambda: self._position),
            ("event_streams_open", "Streams of events that are open.", lambda: self._streams),
        ):
            Gauge(name, what, registry=registry).set_function(value)
        self._answers.measure(registry)

    async def look(self) -> None:
        """Look how far the read model is, for the metrics."""

        def position() -> int:
            with self._read_model.reading() as reading:
                return reading.position

        self._position = await asyncio.to_thread(position)

    async def counted(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """A stream of events, counted while it is open."""
        self._streams += 1
        try:
            async for piece in stream:
                yield piece
        finally:
            self._streams -= 1

    @property
    def store(self) -> Store:
        """The event log; an answer that reads it goes by more than rows, and that is noticed here."""
        _log_is_read.set(True)
        return self.live.store

    @property
    def clock(self) -> Clock:
        """What time it is."""
        return self.live.clock

    async def ask(
        self,
        request: Request,
        asked: Asked,
        answer: Callable[[Reading, AsOf, Scope], T],
        *,
        tells: Collection[Kind],
        thing: UUID | None = None,
        rests_on: UUID | None = None,
        every_day: bool = False,
        pinned: Pinned | None = None,
        page: ToldUpTo | None = None,
        after: int = 0,
    ) -> tuple[AsOf, Scope, T]:
        """The answer to a question, the day and position it turned out to be about, and for whose eyes it is.

        `tells` are the kinds of things of which something is told, so that the answer says what of them, or of one
        `thing`, is told otherwise than before of its day, or of `every_day`; and without how many events it is told
        that cannot be read, of all or of the thing that it `rests_on`. `pinned` are the day and position of the
        first page of a list, `page` is up to where the page before was told: InvalidInput when that was in another log
        than this one. `after` is the position up to which the asker of a feed has read: InvalidInput for one beyond the
        end of the log, or far beyond what the asker is told of it.
        What it comes to is kept, and shared by all who see the same: it goes by the path, by what is `asked`, and by
        the rows of the read model; where `answer` reads the log besides (`store`), it holds for one position.
        Waits, within bounds, for a read model that is not there yet: Unavailable after that.
        """
        visitor = visitor_of(request)
        scope = self._scope_of(visitor)
        on, position, wait_for = asked.day, asked.position, max(asked.wait_for or 0, after)
        known_at = None if asked.known_at is None else moment_of(asked.known_at, self.clock, visitor)
        if pinned is not None:
            on, page, known_at = pinned.on, pinned.told, None
            position = page.position
        if page is not None and await run_in_threadpool(mark_at, self.store, page.position) != page.mark:
            raise InvalidInput(
                "cursor-of-another-log",
                "This cursor is of a log that went back, or was replaced, since.",
                pointer="/query/cursor",
            )
        if known_at is not None or position is not None:
            position = await run_in_threadpool(position_asked_for, self.store, scope, known_at, position)
        if after > self.live.position and scope.everything:
            _must_be_reached(after, await run_in_threadpool(self.store.head))
        if wait_for and not scope.everything:
            # Their own write is there already; how soon others write is not for them to know.
            wait_for = min(wait_for, await run_in_threadpool(self.store.head))
        await self._reached.until(max(wait_for, position or 0), LONGEST_WAIT)
        await self.live.wait_for(wait_for, LONGEST_WAIT)
        scope = self._scope_of(
            visitor
        )  # once more: what was waited for may be what their organisation inherited

        def read() -> tuple[AsOf, Scope, T]:
            with self._snapshot(request, anew=bool(wait_for)) as reading:
                if reading.position < wait_for:
                    raise not_reached(wait_for)
                if not scope.everything:
                    _must_be_reached(after, self._told.position(reading, scope, reading.position) + FAR)
                at = as_of(self._told, self.clock, reading, scope, on, known_at, position)
                if tells:
                    # Not by `store`: what is kept of the answer does not change with it.
                    lost = unreadable_up_to(reading, self.live.store, at.position, scope, rests_on or thing)
                    at = at._replace(unreadable=lost)

                def told() -> tuple[CorrectedSince, T]:
                    _log_is_read.set(False)
                    since = corrected_since(reading, at, scope, tells, thing=thing, every_day=every_day)
                    return since, answer(reading, at, scope)

                if HELD in request.scope:
                    # A table is read to its end once, and by whoever asked for it.
                    since, found = told()
                    return at._replace(corrected=since), scope, found
                now = at.position == reading.position
                question = (
                    answer.__qualname__,
                    request.scope["path"],
                    asked.model_dump_json(exclude=_AS_OF),
                    scope,
                    *(at.on, at.known_on, None if now else at.position),
                )
                since, found = self._answers.of(question, reading, told, by_position=_log_is_read.get)
                return at._replace(corrected=since), scope, found

        return await run_in_threadpool(read)

    def as_told_to(self, reading: Reading, scope: Scope, on: date) -> AsOf:
        """A day as somebody else is told of it now: who may read no more than that."""
        return as_of(self._told, self.clock, reading, scope, on, None, reading.position)

    async def newest(self, position: int, look: Callable[[Reading], T]) -> T:
        """What is found in the newest snapshot, which reflects at least a position; nothing of it is kept.

        Waits, within bounds, for a read model that is not there yet: Unavailable after that.
        """
        await self._reached.until(position, LONGEST_WAIT)

        def read() -> T:
            with self.reading(anew=True) as reading:
                if reading.position < position:
                    raise not_reached(position)
                return look(reading)

        return await run_in_threadpool(read)

    @contextmanager
    def reading(self, *, anew: bool = False) -> Iterator[Reading]:
        """A snapshot of the read model; Unavailable when it tells of another log than there is.

        What was compared with the log stays right until the log goes back; `anew`, it is compared all the same.
        """
        with self._read_model.reading() as reading:
            which = (reading.generation, reading.position, self.live.restarts)
            if anew or which != self._of_this_log:
                try:
                    self.store.must_hold(Bookmark(reading.position, reading.identity))
                except LogWentBack as error:
                    raise of_another_log() from error
                self._of_this_log = which
            yield reading

    @contextmanager
    def _snapshot(self, request: Request, *, anew: bool) -> Iterator[Reading]:
        held: HeldSnapshot | None = request.scope.get(HELD)
        if held is None:
            with self.reading(anew=anew) as reading:
                yield reading
        else:
            yield held.reading(self.reading(anew=anew))

    async def readable(
        self, kind: str, codes: Collection[str], actor: Actor | None
    ) -> Collection[str] | None:
        """Those of some codes of a kind of things that an asker may know of now; None: of all on record."""
        hidden = _HIDDEN.get(kind)
        scope = self._scope_of(actor)
        if hidden is None or scope.everything:
            return None

        def read() -> set[str]:
            found: set[str] = set()
            with self.reading() as reading:
                for dataset, column in hidden:
                    wanted = {*codes} - found
                    rows = readable_rows(reading, scope, reading.position, dataset, column, wanted)
                    found |= {getattr(row, column) for row in rows}
            return found

        return await run_in_threadpool(read)

    def earlier_side(
        self,
        request: Request,
        reading: Reading,
        at: AsOf,
        on: date,
        known_at: datetime | date | None,
        position: int | None,
    ) -> AsOf:
        """What an answer about `at` is compared with: an earlier day, as known then or, if it says so, before."""
        if known_at is None and position is None:
            return at._replace(on=on)
        visitor = visitor_of(request)
        scope = self._scope_of(visitor)
        moment = (
            None
            if known_at is None
            else moment_of(known_at, self.clock, visitor, pointer="/query/from_known_at")
        )
        chosen = position_asked_for(self.store, scope, moment, position)
        found = as_of(self._told, self.clock, reading, scope, on, moment, chosen)
        if found.position > at.position:
            raise InvalidInput(
                "positions-reversed",
                "The earlier day is to be known at a later position than the later day.",
                pointer="/query/from_position",
            )
        return found

    def _scope_of(self, actor: Actor | None) -> Scope:
        return scope_of(actor if actor is None else self._organizations.with_heritage(actor))

    async def close(self) -> None:
        """Give back what it waits with; the read model and the log are whoever's who opened them."""
        await self._reached.close()

    def end_waits(self) -> None:
        """Let nobody wait for the read model any more: the service is about to stop."""
        self._reached.end_waits()


def _must_be_reached(after: int, head: int) -> None:
    if after > head:
        raise to_come("/query/after")


def heading(at: AsOf, scope: Scope) -> dict[str, Any]:
    """The members of `Answer`."""
    return {
        "on": at.on,
        "position": at.position_told,
        "known_on": at.known_on,
        "known_at": None if at.known_at is None else instant_text(at.known_at),
        "scope": scope.name,
        "corrected": at.corrected,
    }


def tagged(request: Request, body: msgspec.Struct | Mapping[str, Any] | bytes, at: AsOf) -> Response:
    """An answer, as JSON or as bytes, under a tag made from what is sent: the same wherever it comes from."""
    content = encoded(body)
    tag = blake2b(content, digest_size=12, key=b"%d" % at.unreadable if at.unreadable else b"").hexdigest()
    answer = read_answer(
        request, content, etag=f'"{tag}"', position=at.position_told, quarantined=at.unreadable
    )
    if visitor_of(request) is None:
        # What anybody is told, a proxy may tell for a while; its position is in it, and so in its tag.
        answer.headers["Cache-Control"] = f"public, max-age={PUBLIC_SECONDS}"
    return answer


# --- pages ---------------------------------------------------------------------------------------------------------


def going_on(request: Request, cursor: str | None, *shape: Any) -> tuple[list[Any] | None, Pinned | None]:
    """After which key, of values of these types, a list goes on, and what all pages are about."""
    key = decode_cursor(request, cursor, *shape, date, KeyPosition, str)
    if key is None:
        return None, None
    *after, on, position, mark = key
    return after, Pinned(on, ToldUpTo(position, mark))


def next_page(request: Request, at: AsOf, last: Key | None) -> str | None:
    """Where a list goes on after its last key, about the same day and position while the log grows."""
    return None if last is None else next_url(request, [*last, at.on.isoformat(), at.position_told, at.mark])


# --- filters -------------------------------------------------------------------------------------------------------

Words = type[StrEnum] | Sequence[str]


def listed(meaning: str, known: Words = ()) -> Any:
    """The field of a query parameter that takes one word, or several separated by commas."""
    values = f": {', '.join(known)}" if known else ""
    return Field(max_length=2_000, description=f"{meaning}, or several separated by commas{values}.")


def _names(field: ColumnField) -> list[Names]:
    return [Names(Kind(field.names))] if field.names else []


def filter_parameters(filters: Mapping[str, ColumnField]) -> dict[str, Any]:
    """The query parameters of some filters, for a model of a query."""
    found: dict[str, Any] = {}
    for name, field in filters.items():
        if field.between:
            for bound, word in zip(bounds(name), ("later", "earlier"), strict=True):
                found[bound] = (
                    Annotated[CivilDay | None, Field(description=f"{field.about} {word}.")],
                    None,
                )
        else:
            listing = listed(field.about, field.words or ())
            found[name] = (Annotated[str | None, listing, *_names(field)], None)
    return found


def filters_in(query: Query, filters: Mapping[str, ColumnField]) -> dict[str, list[str]]:
    """What a query admits rows by; InvalidInput for a value that cannot be one."""
    found: dict[str, list[str]] = {}
    for name, field in filters.items():
        if field.between:
            days = {bound: getattr(query, bound) for bound in bounds(name)}
            given = {bound: day for bound, day in days.items() if day is not None}
            if list(given.values()) != sorted(given.values()):
                raise InvalidInput(
                    "days-reversed",
                    "The first day is later than the last.",
                    pointer=f"/query/{bounds(name)[0]}",
                )
            found |= {bound: [day.isoformat()] for bound, day in given.items()}
        elif values := values_in(query, name, field.words):
            found[name] = values
    return found


def values_in(query: Query, name: str, known: Iterable[str] | None = None) -> list[str]:
    """The words of a parameter, none where it is not given; InvalidInput for one that is not `known`."""
    text: str | None = getattr(query, name)
    if text is None:
        return []
    values = split_words(text)
    if not values or len(values) > MOST_VALUES or (known is not None and not {*known} >= {*values}):
        admitted = "" if known is None else f" The values are {', '.join(sorted(known))}."
        raise InvalidInput(
            "filter-value-unknown",
            f"Give between 1 and {MOST_VALUES} values, separated by commas.{admitted}",
            pointer=f"/query/{name}",
        )
    return values
