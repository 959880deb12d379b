"""One kind of aggregate as a resource of the API: its document, its history, and the facts that are recorded of it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Final, Generic, NamedTuple, TypeVar, cast
from uuid import UUID

import msgspec
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared.aggregate.aggregate import Aggregate, DayOf, retractions_in
from shared.aggregate.command import Command, Context, Decided, KeyUse, Outcome
from shared.aggregate.documents import members_of
from shared.aggregate.redaction import (
    Document,
    ReadersOf,
    Reference,
    hidden_from,
    redact,
    references_in,
)
from shared.aggregate.repository import Repository
from shared.aggregate.retraction import Judge
from shared.aggregate.telling import AsTold, as_told
from shared.clock import Clock
from shared.eventlog import codec
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.events.facts import Event
from shared.events.registry import EVENT_TYPES
from shared.events.retractions import Retraction
from shared.events.types import Kind
from shared.http.body import USUAL
from shared.http.context import actor_of, context_of
from shared.http.idempotency import idempotency_of
from shared.http.moments import KNOWN_AT, KnownAt, RecordedAt, RecordedOn, moment_of, recorded
from shared.http.pagination import DEFAULT_LIMIT, Cursor, KeyPosition, Limit, decode_cursor
from shared.http.requests import StructRequest, request_of
from shared.http.responses import encoded, page, page_of, read_answer, written_answer
from shared.http.routing import Query, Router
from shared.identity.access import Access
from shared.identity.actor import Actor
from shared.rules.visibility import reads_everything

A = TypeVar("A", bound=Aggregate)
E = TypeVar("E", bound=Event)
P = TypeVar("P")

LONGEST_WAIT: Final = 5.0
"""Seconds a read waits at most for the position it was asked to reflect (`wait_for`)."""

DOCUMENTS: Final = 32 * 1024 * 1024
"""Bytes of documents that a resource keeps, so that asking for the same version again costs nothing."""

LONG: Final = 300
"""Versions from which on an aggregate is rendered in a thread: the other requests must not wait for it."""

WaitFor = Annotated[
    int | None,
    Field(
        ge=0,
        le=2**53,
        description=f"A `Log-Position`: the answer reflects it, or is 503 after {LONGEST_WAIT:g} seconds.",
    ),
]


class Now(Query):
    """A question about the present."""

    wait_for: WaitFor = None


class PastView(Now):
    """A question about a thing as it is, or as it was."""

    version: Annotated[int | None, Field(ge=1, le=2**31, description="As it was at this version.")] = None
    known_at: Annotated[KnownAt | None, Field(description=KNOWN_AT)] = None

    def moment(self, clock: Clock, actor: Actor) -> datetime | None:
        """The instant meant by `known_at`, if it is given."""
        return None if self.known_at is None else moment_of(self.known_at, clock, actor)


class Paged(Now):
    """A question that is answered a page at a time."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None


class HistoryItem(msgspec.Struct, kw_only=True):
    """One event, as it was recorded; null is what of it is not for the reader to know."""

    version: int
    position: int
    type: Annotated[str, Field(examples=["commitments.assessed"])]
    recorded_on: RecordedOn
    recorded_at: RecordedAt
    effective_on: Annotated[
        date | None, Field(description="The day it took effect, where the event is about a day.")
    ]
    recorded_by: Actor
    retracted_by: Annotated[
        int | None, Field(description="The version of the retraction since which it is not believed.")
    ] = None
    correlation_id: Annotated[
        str | None,
        Field(
            description="The request. Who does not see everything is told that of their own and of decisions they know."
        ),
    ]
    causation_id: Annotated[
        int | None, Field(description="The position of the event that triggered it; told like the request.")
    ]
    decision: Annotated[str | None, Field(description="The number of the decision behind it.")]
    data: dict[str, Any] | None


HISTORY: Final = page_of(HistoryItem, "History")


class Private(NamedTuple):
    """What of a thing is kept from one reader, besides the names that they may not know.

    Of the members `hidden`, of its document, of its events or of their data, nothing is said; of the events that
    `withheld` picks out, their data is not shown. `told` says what events are to the reader, and the thing is as if
    nothing else had happened to it.
    """

    hidden: Collection[str] = ()
    withheld: Callable[[type[Event], Mapping[str, Any]], bool] | None = None
    told: AsTold | None = None


PrivateTo = Callable[[A, Actor], Awaitable[Private]]


async def nothing_private(_: Aggregate, __: Actor) -> Private:
    """For things of which whoever may read them may read everything."""
    return Private()


async def command_of(request: Request, stream_id: UUID | None = None) -> Command:
    """Who asks for a change, in which request, on which version, and under which idempotency key.

    `stream_id` is the id of what the first parameter of the path names, where that is named in more than one way.
    """
    context = context_of(request)
    key = None
    if context.idempotency_key is not None and (once := await idempotency_of(request, stream_id)) is not None:
        key = KeyUse(once.key_hash, once.fingerprint)
    return Command(
        actor=actor_of(request), correlation_id=context.correlation_id, expected=context.expected, key=key
    )


async def caught_up(request: Request, live: LiveLog, wait_for: int | None) -> None:
    """Wait until a position is reflected, where one was asked for.

    Of those who do not see everything the own write is there already: how soon others write is not for them to know.
    """
    if wait_for is None:
        return
    if not reads_everything(actor_of(request)):
        wait_for = min(wait_for, await asyncio.to_thread(live.store.head))
    await live.wait_for(wait_for, LONGEST_WAIT)


async def as_shown(document: Document, actor: Actor, readers_of: ReadersOf, whole: bool) -> bytes:
    """A document as a reader gets it; `whole` is for those who were told of everything that it names."""
    return document.by_day(actor) if whole else (await document.for_reader(actor, readers_of)).body


async def show(
    request: Request,
    document: Document,
    readers_of: ReadersOf,
    *,
    version: int,
    position: int,
    told: int,
    quarantined: int = 0,
    whole: bool = False,
    unchanged: Callable[[], bool] = lambda: True,
) -> Response:
    """The answer to a read of a thing, without the names in it that the reader may not know.

    `whole` is for those who were told of everything that it names. What the others may know can change without a new
    version: so can their tag (see `read_answer`).
    """
    body = await as_shown(document, actor_of(request), readers_of, whole)
    return read_answer(
        request,
        body,
        version=version,
        position=position,
        told=told,
        quarantined=quarantined,
        unchanged=unchanged,
    )


class Resource(Generic[A]):
    """The routes of one kind of aggregate, below a path that ends in the parameter by which one is found.

    `identity` are the members by which answers call it, besides its id, and `called` is how its own path ends. `whole`
    is for those who were told of everything that the thing names.
    """

    def __init__(
        self,
        router: Router,
        path: str,
        repository: Repository[A],
        *,
        readers_of: ReadersOf,
        read: Access,
        identity: Callable[[A], Mapping[str, Any]],
        identity_types: Mapping[str, Any],
        versioned: bool = True,
        called: Callable[[A], str] = lambda it: str(it.id),
        private: PrivateTo[A] = nothing_private,
        whole: Callable[[A, Actor], bool] = lambda _, __: False,
    ) -> None:
        self.router = router
        self.path = path
        self.repository = repository
        self._readers_of = readers_of
        self._read = read
        self._identity = identity
        self._identity_types = identity_types
        self._versioned = versioned
        self._called = called
        self._private = private
        self._whole = whole
        self._judges: dict[type[Event], Judge] = {}
        self._documents: OrderedDict[UUID, tuple[int, date, Document]] = OrderedDict()
        self._bytes = 0
        repository.live.on_restart(self._forget_all)

    @property
    def _kind(self) -> str:
        return self.repository.kind.replace("-", "_")

    # --- facts -----------------------------------------------------------------------------------------------------

    def _operation(self, name: str) -> str:
        """How a fact is called among all those of a service: a bare verb is followed by what it is done to."""
        return name if "_" in name else f"{name}_{self._kind}"

    def written(self, **more: Any) -> type[msgspec.Struct]:
        """The type of the answer to a write: which one, its new version, and where the log has it."""
        words = " ".join((self._kind, *list(more)[:1], "written")).replace("_", " ")
        return msgspec.defstruct(
            "".join(words.title().split()),
            [
                ("id", UUID),
                *self._identity_types.items(),
                *more.items(),
                ("version", int),
                ("position", int),
            ],
            namespace={
                "__doc__": "What was recorded: of which thing, the version it brought it to, and its position."
            },
            kw_only=True,
        )

    def fact(
        self,
        name: str,
        event: type[E],
        decide: Callable[[A, P, Context], Decided | Awaitable[Decided]],
        *,
        access: Access,
        request: type[StructRequest[Any]] | None = None,
        path_fields: Mapping[str, str] | None = None,
        tells: Mapping[str, str] | None = None,
        considering: Callable[[P], Sequence[type[Event]]] = lambda _: (),
        tag: str | None = None,
        body_required: bool = True,
        largest_body: int = USUAL,
        recorded_as: Sequence[type[Event]] = (),
        again: Judge | None = None,
    ) -> None:
        """Declare the POST `name` below the resource, by which a fact is recorded.

        The request proposes the event, or whatever else `decide` takes where it says more than that (`path_fields`
        says which of its fields are parameters of the path). `decide` guards it and completes it; `considering` names
        what of other streams may not be recorded meanwhile. `tells` are members of the answer that are fields of the
        event recorded.

        A fact is judged again, by what is known of this thing alone, when an earlier one is retracted: by `decide`, or
        by `again` where `decide` asks other streams. `recorded_as` are the other types of event it may become.
        """
        self._judges.update(dict.fromkeys((event, *recorded_as), again or decide))
        body = request or request_of(event, without=tuple((path_fields or {}).values()))
        fields = tuple((path_fields or {}).values())
        hints = {field.name: field.type for field in msgspec.structs.fields(event)}

        async def endpoint(request: Request, identifier: str, *given: Any) -> Response:
            *values, proposed = given
            found = await self.repository.find(identifier, actor_of(request))
            command = await command_of(request, found.id)
            context = self.repository.context(command)
            said = proposed.struct(context.today, **dict(zip(fields, values, strict=True)))
            outcome = await self.repository.change(
                found.id,
                lambda current: decide(current, said, context),
                command,
                considering=considering(said),
            )
            return await self.answer(request, outcome, found, tells or {})

        self.router.post(
            f"{self.path}/{name}",
            access=access,
            body=body,
            body_required=body_required,
            largest_body=largest_body,
            answers=self.written(
                **{member: hints.get(field, Any) for member, field in (tells or {}).items()}
            ),
            name=self._operation(getattr(decide, "__name__", name)),
            doc=decide.__doc__,
            records=(event, *recorded_as),
            **({} if tag is None else {"tag": tag}),
        )(endpoint)

    def retractions(
        self,
        event: type[Retraction],
        *,
        access: Access,
        considering: Sequence[type[Event]] = (),
    ) -> None:
        """Declare the POST by which one of the facts recorded of it is retracted."""

        async def retract(current: A, proposed: Retraction, context: Context) -> Decided:
            return await self.repository.retract(current, proposed, context, self._judges)

        retract.__name__ = f"retract_{self._kind}_event"
        retract.__doc__ = self.repository.retract.__doc__
        self.fact("retractions", event, retract, access=access, considering=lambda _: considering)

    async def answer(
        self, request: Request, outcome: Outcome, found: A, tells: Mapping[str, str] | None = None
    ) -> Response:
        """The answer to a write on one of these."""
        more = {}
        if tells:
            members = members_of(await self.repository.last_event(outcome))
            more = {member: members[field] for member, field in tells.items()}
        return written_answer(
            request, outcome, self.location(found, outcome), **self._identity(found), **more
        )

    def location(self, found: A, outcome: Outcome) -> str:
        """Where what was recorded can be read."""
        base = self.path.rpartition("/")[0]
        version = f"?version={outcome.version}" if self._versioned else ""
        return f"{base}/{self._called(found)}{version}"

    async def told(self, identifier: str, actor: Actor) -> A:
        """The one with this id or code as it is to an actor. NotFound when there is none that they may know of."""
        found = await self.repository.find(identifier, actor)
        private = await self._private(found, actor)
        if private.told is None:
            return found
        return (await self.repository.as_it_was(found.id, told=private.told)).state

    # --- documents -------------------------------------------------------------------------------------------------

    def document(
        self,
        answers: type[msgspec.Struct],
        render: Callable[[A, date], msgspec.Struct],
        *,
        doc: str,
        same_on: Callable[[A, date, date], bool] = lambda _, __, ___: True,
        beside: Callable[[A, int], Mapping[str, Any]] = lambda _, __: {},
        past: bool = True,
    ) -> None:
        """Declare the GET of one of these, rendered as of a day.

        `same_on` says whether the calendar alone has left it as it was between two days. `beside` are members that
        follow from other streams, up to a position; where there are any, the document changes without a new version.
        """
        repository, clock = self.repository, self.repository.clock

        async def endpoint(request: Request, identifier: str, asked: Any) -> Response:
            await caught_up(request, repository.live, asked.wait_for)
            actor = actor_of(request)
            known_at = asked.moment(clock, actor) if past else None
            in_the_past = past and (asked.version is not None or known_at is not None)
            found = await repository.find(identifier, actor, ever=in_the_past)
            private = await self._private(found, actor)
            state, day = found, clock.today()
            if in_the_past or private.told is not None:
                view = await repository.as_it_was(
                    found.id, version=asked.version if past else None, known_at=known_at, told=private.told
                )
                state, position = view.state, repository.reflected(found)
                if in_the_past:
                    day, position = clock.day_of(view.moment), view.position
                version = state.version
                body = await asyncio.to_thread(lambda: encoded(render(state, day)))
                document = Document(answers, body)
            else:
                version, position, document = await self._current(answers, found, day, render)
            others = {member: value for member, value in beside(state, position).items() if value}
            if others:
                document = document.with_members(others)
            hidden = [member for member in private.hidden if member in answers.__struct_fields__]
            return await show(
                request,
                document.without(hidden) if hidden else document,
                self._readers_of,
                version=version,
                position=position,
                told=state.position,
                quarantined=state.quarantined,
                whole=self._whole(state, actor),
                unchanged=lambda: (
                    not others
                    and state.version == version
                    and same_on(state, clock.day_of(state.recorded_at), day)
                ),
            )

        self.router.get(
            self.path,
            access=self._read,
            query=PastView if past else Now,
            answers=answers,
            name=f"get_{self._kind}",
            doc=doc,
        )(endpoint)

    async def _current(
        self,
        answers: type[msgspec.Struct],
        found: A,
        today: date,
        render: Callable[[A, date], msgspec.Struct],
    ) -> tuple[int, int, Document]:
        """The document of the present version, with that version and the position it reflects."""
        kept = self._documents.get(found.id)
        if kept is not None and kept[0] == found.version and kept[1] == today:
            self._documents.move_to_end(found.id)
            return kept[0], self.repository.reflected(found), kept[2]
        version, position = found.version, self.repository.reflected(found)
        if version < LONG:
            body = encoded(render(found, today))
        else:
            # Folded anew, for the thread alone: the shared one takes in further events while it is rendered.
            past = await self.repository.as_it_was(found.id, version=version)
            body = await asyncio.to_thread(lambda: encoded(render(past.state, today)))
        document = Document(answers, body)
        self._forget(found.id)
        self._documents[found.id] = (version, today, document)
        self._bytes += len(body)
        while self._bytes > DOCUMENTS:
            self._forget(next(iter(self._documents)))
        return version, position, document

    def _forget(self, stream_id: UUID) -> None:
        kept = self._documents.pop(stream_id, None)
        if kept is not None:
            self._bytes -= len(kept[2].body)

    def _forget_all(self) -> None:
        self._documents.clear()
        self._bytes = 0

    # --- history ---------------------------------------------------------------------------------------------------

    def history(self, *, doc: str) -> None:
        """Declare the GET of everything that was recorded of one of these, an item for each event, in order."""
        repository = self.repository

        async def endpoint(request: Request, identifier: str, asked: Paged) -> Response:
            await caught_up(request, repository.live, asked.wait_for)
            actor = actor_of(request)
            found = await repository.find(identifier, actor, ever=True)
            # What is found may move on while the log is read: the answer ends with this version.
            version, position, last = found.version, repository.reflected(found), found.position
            retracted = {number: one.by for number, one in found.retracted.items()}
            private = await self._private(found, actor)
            key = decode_cursor(request, asked.cursor, KeyPosition)
            after, limit = key[0] if key else 0, asked.limit + 1
            day_of = repository.clock.day_of
            if private.told is None:
                lines = await repository.lines(
                    found.id, after_version=after, upto_version=version, limit=limit
                )
                # What is in memory was read before: a line may have been damaged since.
                repository.decoded(lines)
                items = [_item(line, day_of) for _, line in lines]
            else:
                lines = await repository.lines(found.id, upto_version=version)
                history = as_told(repository.decoded(lines), private.told)
                version, last, retracted = history[-1].version, history[-1].position, retractions_in(history)
                items = list(_told_items(history[after : after + limit], dict(lines), day_of))
            more, items = len(items) > asked.limit, items[: asked.limit]
            for item in items:
                item.retracted_by = retracted.get(item.version)
                _keep_back(item, private)
                if not reads_everything(actor):
                    item.recorded_at = None
            if not reads_everything(actor) and not self._whole(found, actor):
                await _redact(items, actor, self._readers_of)
            body = page(items, [items[-1].version] if more else None, request)
            return read_answer(
                request,
                body,
                version=version,
                position=position,
                told=last,
                quarantined=0 if private.told else found.quarantined,
            )

        self.router.get(
            f"{self.path}/history",
            access=self._read,
            query=Paged,
            answers=HISTORY,
            name=f"get_{self._kind}_history",
            doc=doc,
        )(endpoint)


class _Stored(msgspec.Struct):
    version: int
    position: int
    type: str
    recorded_at: datetime
    recorded_by: Actor
    correlation_id: str
    data: msgspec.Raw
    causation_id: int | None = None


class _Cited(msgspec.Struct):
    decision: Any = None


class _Dated(_Cited):
    effective_on: Any = None
    completed_on: Any = None
    origin: _Cited | None = None


_stored = msgspec.json.Decoder(_Stored).decode
_dated = msgspec.json.Decoder(_Dated).decode


def _told_items(
    history: Sequence[Recorded], lines: Mapping[int, bytes], day_of: DayOf
) -> Iterator[HistoryItem]:
    """Events for a history as they are told to a reader; `lines` are these events as the log has them, by position."""
    for one in history:
        line = lines[one.position]
        item = _item(line, day_of)
        item.version = one.version
        if one.data != codec.decode(line, one.position).data:
            item.data = cast("Any", msgspec.Raw(_encode(one.data)))
        yield item


def _item(line: bytes, day_of: DayOf) -> HistoryItem:
    """One event for a history, its data as the log holds it, of whatever type it is."""
    event = _stored(line)
    dated = _dated(event.data)
    return HistoryItem(
        version=event.version,
        position=event.position,
        type=event.type,
        **recorded("recorded", event.recorded_at, day_of),
        effective_on=dated.effective_on or dated.completed_on,
        recorded_by=event.recorded_by,
        correlation_id=event.correlation_id,
        causation_id=event.causation_id,
        # What a decision called into being names it as its origin.
        decision=dated.decision or (None if dated.origin is None else dated.origin.decision),
        # Bytes of JSON go out as they lie.
        data=cast("Any", event.data),
    )


def _data(item: HistoryItem) -> dict[str, Any]:
    """The data of an event as JSON, which until now may be bytes as they lie in the log."""
    data: Any = item.data
    return _read(data) if isinstance(data, msgspec.Raw) else data


def _keep_back(item: HistoryItem, private: Private) -> None:
    """Take out of an item what is kept from its reader."""
    if private.hidden:
        item.data = {name: value for name, value in _data(item).items() if name not in private.hidden}
    if "correlation_id" in private.hidden:
        item.correlation_id = None
    event_type = EVENT_TYPES.get(item.type)
    withheld = private.withheld is not None and (
        event_type is None or private.withheld(event_type, _data(item))
    )
    if withheld:
        item.data = None
    if withheld or "decision" in private.hidden:
        item.decision = None


async def _redact(items: Sequence[HistoryItem], actor: Actor, readers_of: ReadersOf) -> None:
    """Take out of a page of history what the reader may not know."""
    references: set[Reference] = set()
    typed = [(item, EVENT_TYPES.get(item.type)) for item in items if item.data is not None]
    for item, event_type in typed:
        if event_type is not None:
            references.update(references_in(event_type, _data(item)))
    hidden = await hidden_from(actor, references, readers_of)
    if hidden:
        for item, event_type in typed:
            if event_type is not None:
                item.data = _as_if_never_said(event_type, redact(event_type, _data(item), hidden))
            if item.decision is not None and Reference(Kind.DECISION, item.decision) in hidden:
                item.decision = None
    for item in items:
        # What else was done in the same request, or made them do it, may be hidden. A gap must not say where.
        if item.decision is None and not actor.is_of((item.recorded_by.organization,)):
            item.correlation_id = item.causation_id = None


def _as_if_never_said(event_type: type[Event], data: dict[str, Any]) -> Any:
    """The data of an event without what is as if it had not been said; where it cannot be without, it is null."""
    try:
        return msgspec.Raw(_encode(msgspec.convert(data, event_type)))
    except msgspec.ValidationError:
        return data


_encode = msgspec.json.Encoder(decimal_format="number").encode
_read = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
