"""What the event log offers, whatever engine keeps it: append, read in order, look up; nothing is ever changed.

Positions run 1, 2, 3, … without a gap, and `recorded_at` never falls as they rise. Both are given out inside the
append, under a lock that is held until the commit, so a reader that has seen position N never later finds one below N.
"""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, NamedTuple, Protocol, TypeVar
from uuid import UUID

import msgspec
from eventsourcing.persistence import (
    ApplicationRecorder,
    IntegrityError,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Subscription,
    Tracking,
)

from shared.errors import BitacoraError, CorruptEvent, Unavailable
from shared.eventlog import codec
from shared.eventlog.envelope import BEGINNING, Bookmark, FollowerPosition, NewEvent, StoredLine
from shared.eventlog.subscription import NotificationSubscription, Waiter, notification
from shared.events.record import EventQuarantined
from shared.events.streams import stream_of
from shared.events.texts import folded_code

REVISION: Final = "0005"
"""The revision of the log's tables (`migrations/`) on which this version of the code works."""

VERSION_TABLE: Final = "log_version"
"""Where the database keeps the revision its tables are at."""


MOVE_FOLLOWER: Final = (
    "INSERT INTO followers (name, position) VALUES (?, ?) ON CONFLICT (name) "
    "DO UPDATE SET position = excluded.position WHERE followers.position < excluded.position"
)
"""Moves a follower forwards; touches no row when it is there or further already."""


QUARANTINED_AT_ONCE: Final = 500
"""How many events that put others aside are read at once."""

KEEP_BOOKMARK: Final = (
    "INSERT INTO follower_bookmarks (name, position, identity) VALUES (?, ?, ?) ON CONFLICT (name) "
    "DO UPDATE SET position = excluded.position, identity = excluded.identity"
)
"""Keeps which event it was that a follower was moved to."""


class Limits(NamedTuple):
    """How long the store waits for what, in seconds, before it answers Unavailable; and what else it bears."""

    lock: float = 4.0
    """For the appends of other processes to end."""
    statement: float = 10.0
    """For one statement, its waiting for locks included."""
    connect: float = 5.0
    """For a connection, be it a new one or a free one of the pool."""
    network: float = 10.0
    """For a server that no longer acknowledges what it is sent."""
    room: int = 0
    """Bytes that are to be free on the disk of an SQLite file."""
    clock: float = 60.0
    """For this much a process's clock may be ahead of the engine's, and the log ahead of both."""
    idempotency: timedelta = timedelta(days=7)
    """For which an idempotency key is remembered at least."""


LIMITS: Final = Limits()

T = TypeVar("T")


class IdempotencyRecord(msgspec.Struct, frozen=True):
    """That a request was carried out: which one (`key_hash`, `fingerprint`), and the version it brought a stream to."""

    key_hash: bytes
    fingerprint: bytes
    stream_id: UUID
    version: int


class Seen(msgspec.Struct, frozen=True):
    """That a decision took account of all events of these types up to a position; it holds while there are no more."""

    types: tuple[str, ...]
    upto: int


class Changes(msgspec.Struct, frozen=True):
    """What one request writes: all of it or nothing."""

    events: Sequence[NewEvent]
    key: IdempotencyRecord | None = None
    follower: FollowerPosition | None = None
    seen: Seen | None = None


class Appended(NamedTuple):
    """Where the events of one `Changes` stand: positions `first` to `last` (last < first when there were none)."""

    first: int
    last: int
    recorded_at: datetime


class DeadLetter(NamedTuple):
    """An event that a follower could not handle and set aside, why, and whether it is to try again."""

    follower: str
    position: int
    error: str
    set_aside_at: datetime
    retry: bool


class Quarantined(NamedTuple):
    """An event that was put aside, as the log says at position `at`."""

    event: EventQuarantined
    at: int


class VersionConflict(IntegrityError):
    """This version of the stream was written before; nothing was written. `version` and `stream_id` where known."""

    def __init__(self, message: str, stream_id: UUID | None = None, version: int | None = None) -> None:
        super().__init__(message)
        self.stream_id = stream_id
        self.version = version


class CodeTaken(IntegrityError):
    """Another stream of this kind has this code, be it in other capitals; nothing was written."""


class DuplicateKey(IntegrityError):
    """The idempotency key was used before; nothing was written."""


class FollowerOvertaken(IntegrityError):
    """Another process acting for the same follower got there first; nothing was written."""


class Outdated(IntegrityError):
    """Meanwhile there is more of what the decision had to take account of; nothing was written."""


class LogWentBack(Unavailable):
    """The log no longer holds what this process has read in it: it was restored, or another is in its place."""

    def __init__(self, bookmark: Bookmark) -> None:
        super().__init__(
            "log-went-back",
            f"The log no longer holds what was read in it at position {bookmark.position}; "
            "the service takes it up anew.",
            retry_after=2,
        )
        self.bookmark = bookmark


class ClockAhead(Unavailable):
    """The clock of this process is further ahead of the engine's than may be; nothing was written."""

    def __init__(self) -> None:
        super().__init__(
            "clock-ahead",
            "The clock of this process is ahead of the clock of the log's engine: nothing is recorded by it.",
            retry_after=30,
        )


class LogAhead(Unavailable):
    """The last event of the log was recorded in what is still the future; nothing was written."""

    def __init__(self) -> None:
        super().__init__(
            "log-ahead-of-clock",
            "The last event on record is of an instant that is still to come: nothing is recorded until it has.",
            retry_after=30,
        )


class LogNotReady(BitacoraError):
    """The tables of the log are missing or those of an older version; `bitacora migrate` makes them."""

    def __init__(self) -> None:
        super().__init__(
            "log-not-migrated",
            "The event log has no tables yet, or those of an older version: run `bitacora migrate`.",
        )


def disk_full() -> Unavailable:
    """The error of an append for which there is no room."""
    return Unavailable(
        "log-disk-full", "There is no room left for the event log; nothing was recorded.", retry_after=10
    )


def fate_unknown() -> Unavailable:
    """The error of an append that the engine was given and did not answer."""
    return Unavailable(
        "log-unavailable",
        "The event log did not answer, and whether this was recorded is not known: send it again with the same "
        "Idempotency-Key, or look before you do.",
    )


class Writer(Protocol):
    """The one connection through which a process appends."""

    async def write(
        self, batch: Sequence[Changes], now: datetime, known: Bookmark | None = None
    ) -> Sequence[Appended]:
        """See `Store.append`."""

    async def close(self) -> None:
        """Give the connection back."""


class Store(ProcessRecorder):
    """The event log on one engine. Every method blocks; none may be called on an event loop.

    It is also a recorder of the `eventsourcing` library (see `docs/eventlog.md`): the methods at its end are that
    library's interface, and give and take bytes as they lie in the log.
    """

    limits: Limits
    POSITION: ClassVar[str]
    """The column that holds the position."""
    KEYS: ClassVar[str]
    """The table of idempotency keys with the instants at which they were used."""
    _quarantine: Mapping[int, Quarantined] | None = None

    # --- what each engine does in its own way ----------------------------------------------------------------------

    @abstractmethod
    def append(
        self, batch: Sequence[Changes], now: datetime, known: Bookmark | None = None
    ) -> Sequence[Appended]:
        """Append a batch in one transaction: all of it or nothing.

        With `known`, only to a log that holds that event, and the version before each of those to be written:
        LogWentBack otherwise. ClockAhead when `now` is further ahead of the engine's clock than the limits allow,
        LogAhead when the last event is ahead of both.

        Raises VersionConflict, CodeTaken, DuplicateKey, FollowerOvertaken or Outdated when one of the batch lost a
        race, be it to an earlier one of the same batch, and Unavailable when the engine did not answer (the outcome of
        the batch is then unknown until the log is read again).
        """

    @abstractmethod
    def writer(self) -> Writer:
        """A new writer for the event loop that calls this."""

    @abstractmethod
    def waiter(self, poll: float) -> Waiter:
        """Something that sleeps until the log grows; `poll` is the seconds between two looks while it does."""

    @abstractmethod
    def check_writable(self) -> None:
        """Go the way of an append, without writing: Unavailable when it does not lead through in time."""

    def check_room(self) -> None:
        """NotReady when there is hardly any room left where the log is, as far as that can be seen from here."""

    def tidy(self) -> None:
        """Give back what room is not needed any more; to be called now and then by a process that writes."""

    @abstractmethod
    def may_be_behind(self) -> bool:
        """Whether this is a copy of the log that follows another."""

    @abstractmethod
    def engine_time(self) -> datetime:
        """What time it is by the engine's own clock."""

    @abstractmethod
    def close(self) -> None:
        """Give back every connection."""

    @abstractmethod
    def _insert(
        self, events: Sequence[StoredEvent], tracking: Tracking | None, now: datetime | None
    ) -> list[int]:
        """Append bytes, stamped where `now` is given, and move a follower as well; the positions of the events."""

    @abstractmethod
    def _migrate(self) -> None:
        """Run the migrations, after whoever is at it."""

    @abstractmethod
    def rows(self, sql: str, values: Sequence[Any]) -> list[Any]:
        """The rows a statement gives (`?` marks a value); a failure of the engine comes out as an error of ours."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Callable[[str, Sequence[Any]], int]]:
        """A transaction in which statements are run; each says how many rows it touched."""

    @abstractmethod
    def as_stored(self, value: Any) -> Any:
        """A stream's id, an instant or anything else as the engine takes it."""

    @abstractmethod
    def as_instant(self, value: Any) -> datetime:
        """An instant as the engine gives it, in UTC."""

    # --- reading ---------------------------------------------------------------------------------------------------

    def read(
        self, after: int, limit: int, *, upto: int | None = None, types: Sequence[str] = ()
    ) -> list[tuple[int, bytes]]:
        """At most `limit` events beyond position `after`, in order: (position, stored line).

        With `types` only events of these; the cost is then that of their number, not of the log's length. What was put
        aside comes as an event that changes nothing (`log.event_unreadable`), also where it was of these types.
        """
        return self.readable(self._select("{position}, state", after, limit, upto, types))

    def read_stored(
        self, after: int, limit: int, *, upto: int | None = None, types: Sequence[str] = ()
    ) -> list[StoredLine]:
        """The events that `read` gives, with what the engine files them under."""
        found = self.read_as_it_lies(after, limit, upto=upto, types=types)
        lines = self.readable([(stored.position, stored.line) for stored in found])
        return [stored._replace(line=line) for stored, (_, line) in zip(found, lines, strict=True)]

    def read_as_it_lies(
        self, after: int, limit: int, *, upto: int | None = None, types: Sequence[str] = ()
    ) -> list[StoredLine]:
        """The same with the bytes of those put aside as well, for whoever checks the log.

        A stream or an instant that makes no sense comes as a nil id and as none.
        """
        columns = "{position}, originator_id, originator_version, topic, recorded_at, state"
        return [
            StoredLine(
                at,
                _sensible(_uuid, stream) or UUID(int=0),
                version,
                type_,
                _sensible(self.as_instant, moment) if moment else None,
                line,
            )
            for at, stream, version, type_, moment, line in self._select(columns, after, limit, upto, types)
        ]

    def read_stream(
        self,
        stream_id: UUID,
        after_version: int = 0,
        upto_position: int | None = None,
        *,
        upto_version: int | None = None,
        limit: int | None = None,
    ) -> list[tuple[int, bytes]]:
        """The events of one stream in order of version: (position, stored line)."""
        where = Where(self.as_stored).and_("originator_id =", stream_id)
        where.and_("originator_version >", after_version)
        where.and_("originator_version <=", upto_version)
        where.and_(f"{self.POSITION} <=", upto_position)
        sql = f"SELECT {self.POSITION}, state FROM stored_events {where} ORDER BY originator_version"
        return self.readable(self.rows(sql + where.limit(limit), where.values))

    def quarantined(self) -> Mapping[int, Quarantined]:
        """The events that were put aside, by position; looked up in the log, and passed over from now on."""
        found: dict[int, Quarantined] = {}
        after = 0
        while lines := self._select(
            "{position}, state", after, QUARANTINED_AT_ONCE, None, (EventQuarantined.TYPE,)
        ):
            after = lines[-1][0]
            for at, line in lines:
                try:
                    data = codec.decode(line, at).data
                except CorruptEvent:
                    continue
                if isinstance(data, EventQuarantined):
                    found[data.position] = Quarantined(data, at)
        self._quarantine = found
        return found

    @property
    def known_quarantined(self) -> Mapping[int, Quarantined]:
        """The same as it was at the last look; does not block."""
        return self._quarantine or {}

    def note_quarantined(self, quarantined: Quarantined) -> None:
        """Pass over one more event from now on: the log was just heard to say so. Does not block."""
        self._quarantine = {**(self._quarantine or {}), quarantined.event.position: quarantined}

    def readable(self, lines: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """Lines as they lie, with a stand-in where one was put aside and has not been mended since."""
        known = self.quarantined() if self._quarantine is None else self._quarantine
        if not known:
            return lines
        return [(at, line if at not in known else _stand_in(at, line, known[at])) for at, line in lines]

    def head(self) -> int:
        """The position of the last event, 0 when there is none."""
        return int(self.rows(f"SELECT coalesce(max({self.POSITION}), 0) FROM stored_events", [])[0][0])

    def bookmark(self) -> Bookmark:
        """The last event of the log."""
        sql = f"SELECT {self.POSITION}, state FROM stored_events ORDER BY {self.POSITION} DESC LIMIT 1"
        rows = self.rows(sql, [])
        return Bookmark(rows[0][0], codec.identity_of(rows[0][1])) if rows else BEGINNING

    def identity_at(self, position: int) -> str | None:
        """Which event is at a position; None when there is none. Before the first one it is always the same."""
        if position == BEGINNING.position:
            return BEGINNING.identity
        found = self.read(position - 1, 1, upto=position)
        return codec.identity_of(found[0][1]) if found else None

    def must_hold(self, bookmark: Bookmark) -> None:
        """Raise LogWentBack when the log holds another event, or none, where one was seen.

        Unavailable when there is none on an engine that may only be behind another one.
        """
        present = self.identity_at(bookmark.position)
        if present is None and self.may_be_behind():
            raise Unavailable("log-unavailable", "The event log is behind what was read of it; try again.")
        if present != bookmark.identity:
            raise LogWentBack(bookmark)

    def check_clock(self, now: datetime) -> None:
        """Raise what an append at this instant would raise for the clocks alone."""
        check_clocks(now, self.engine_time(), self.recorded_at(self.head()), self.limits)

    def recorded_at(self, position: int) -> datetime | None:
        """When the log learned the event at a position; None when there is no such position."""
        where = Where(self.as_stored).and_(f"{self.POSITION} =", position)
        rows = self.rows(f"SELECT recorded_at FROM stored_events {where}", where.values)
        return self.as_instant(rows[0][0]) if rows and rows[0][0] else None

    def position_of(self, stream_id: UUID, version: int) -> int | None:
        """The position of one version of a stream."""
        found = self.read_stream(stream_id, version - 1, upto_version=version)
        return found[0][0] if found else None

    def spelling(self, kind: str, code: str) -> str | None:
        """The code of a thing of this kind as it is on record, from any spelling of it; None when nothing is meant.

        Of two things in an old log whose codes differ in capitals alone, each is meant by its own spelling only.
        """
        where = Where(self.as_stored).and_("kind =", kind).and_("folded =", folded_code(code))
        rows = self.rows(f"SELECT code FROM codes {where}", where.values)
        if rows and rows[0][0] != code and self.read_stream(stream_of(kind, code), limit=1):
            return code
        return rows[0][0] if rows else None

    def find_key(self, key_hash: bytes) -> IdempotencyRecord | None:
        """The request that was carried out under an idempotency key; None when it is unknown or forgotten."""
        where = Where(self.as_stored).and_("key_hash =", key_hash)
        rows = self.rows(
            f"SELECT fingerprint, stream_id, version FROM idempotency_keys {where}", where.values
        )
        return IdempotencyRecord(key_hash, rows[0][0], _uuid(rows[0][1]), rows[0][2]) if rows else None

    def check_ready(self) -> None:
        """Raise LogNotReady when `migrate` has something to do, Unavailable when the engine does not answer.

        A newer revision will do: what migrations add stands beside what the version before them works with.
        """
        found = self.rows(f"SELECT version_num FROM {VERSION_TABLE}", [])
        if not found or found[0][0] < REVISION:
            raise LogNotReady

    def migrate(self) -> None:
        """Bring the tables of the log to this version; several processes may call this at once."""
        try:
            self.check_ready()
        except LogNotReady:
            self._migrate()

    def grant(self, writers: Sequence[str], readers: Sequence[str]) -> None:  # noqa: ARG002 - for those who can
        """Let roles append to the log, or only read it, and do nothing else; ValueError on an engine without roles."""
        raise ValueError("Only PostgreSQL has roles to grant anything to.")

    # --- followers -------------------------------------------------------------------------------------------------

    def followers(self) -> dict[str, int]:
        """How far each follower has acted."""
        return dict(self.rows("SELECT name, position FROM followers ORDER BY name", []))

    def follower_position(self, name: str) -> int:
        """How far a follower has acted, 0 when it has not begun."""
        return self.max_tracking_id(name) or 0

    def resume(self, name: str) -> int:
        """From where a follower goes on: how far it has acted, or 0 where that was in another log than this one.

        What it had set aside is forgotten then: its handler knows by the record what it has done already.
        """
        position = self.follower_position(name)
        where = Where(self.as_stored).and_("name =", name).and_("position =", position)
        known = self.rows(f"SELECT identity FROM follower_bookmarks {where}", where.values)
        present = self.identity_at(position)
        # Whoever moved it before there were identities left none.
        if present is not None and (not known or known[0][0] in (None, present)):
            return position
        with self.transaction() as execute:
            if execute("DELETE FROM followers WHERE name = ? AND position = ?", [name, position]):
                execute("DELETE FROM dead_letters WHERE follower = ?", [name])
        return 0

    def dead_letters(self, name: str | None = None) -> list[DeadLetter]:
        """The events that followers have set aside, in order."""
        where = Where(self.as_stored).and_("follower =", name)
        rows = self.rows(
            f"SELECT follower, position, error, set_aside_at, retry FROM dead_letters {where} "
            "ORDER BY follower, position",
            where.values,
        )
        return [DeadLetter(n, at, error, self.as_instant(m), bool(again)) for n, at, error, m, again in rows]

    def set_aside(self, at: FollowerPosition, error: str, now: datetime) -> None:
        """Put an event that a follower cannot handle on the list of those, and move the follower past it.

        FollowerOvertaken when another process acting for the same follower got there first.
        """
        values = [error, self.as_stored(now), at.name, at.position]
        with self.transaction() as execute:
            if at.retry:
                done = execute(
                    "UPDATE dead_letters SET error = ?, set_aside_at = ? WHERE follower = ? AND position = ?",
                    values,
                )
            else:
                done = execute(MOVE_FOLLOWER, [at.name, at.position])
                if done:
                    execute(KEEP_BOOKMARK, [at.name, at.position, at.identity])
                    execute(
                        "INSERT INTO dead_letters (error, set_aside_at, follower, position, retry) "
                        "VALUES (?, ?, ?, ?, false)",
                        values,
                    )
            if not done:
                raise FollowerOvertaken(f"follower {at.name} is already further")

    def retry(self, name: str, position: int | None = None) -> int:
        """Ask a follower to try one event that it set aside again, or all of them; how many there are."""
        where = Where(self.as_stored).and_("follower =", name)
        where.and_("position =", position)
        with self.transaction() as execute:
            return execute(f"UPDATE dead_letters SET retry = true {where}", where.values)

    def take_up(self, name: str, position: int) -> bool:
        """Whether the caller, of all processes of a follower, is the one to try an event that was asked for again."""
        sql = "UPDATE dead_letters SET retry = false WHERE follower = ? AND position = ? AND retry"
        with self.transaction() as execute:
            return execute(sql, [name, position]) == 1

    def prune_keys(self, now: datetime, limit: int) -> int:
        """Forget at most `limit` idempotency keys whose time to live has passed; how many there were."""
        where = Where(self.as_stored).and_("created_at <", now - self.limits.idempotency)
        old = f"SELECT key_hash FROM {self.KEYS} {where} ORDER BY created_at{where.limit(limit)}"
        with self.transaction() as execute:
            return execute(f"DELETE FROM {self.KEYS} WHERE key_hash IN ({old})", where.values)

    def _select(
        self, columns: str, after: int, limit: int, upto: int | None, types: Sequence[str]
    ) -> list[Any]:
        """Some columns of events beyond a position, in order."""
        position = self.POSITION
        columns = columns.format(position=position)
        if not types:
            where = Where(self.as_stored).and_(f"{position} >", after)
            where.and_(f"{position} <=", upto)
            sql = f"SELECT {columns} FROM stored_events {where} ORDER BY {position}"
            return self.rows(sql + where.limit(limit), where.values)
        # One walk down the index for each type: no engine merges them by itself, and some would walk the whole log.
        parts, values = [], list[Any]()
        for number, type_ in enumerate(types):
            where = Where(self.as_stored).and_("topic =", type_)
            where.and_(f"{position} >", after)
            where.and_(f"{position} <=", upto)
            some = f"SELECT {position} FROM stored_events {where} ORDER BY {position}{where.limit(limit)}"
            parts.append(f"SELECT {position} FROM ({some}) AS of_type_{number}")
            values += where.values
        chosen = f"SELECT {position} FROM ({' UNION ALL '.join(parts)}) AS merged ORDER BY {position}"
        sql = (
            f"SELECT {columns} FROM stored_events WHERE {position} IN ({chosen} LIMIT ?) ORDER BY {position}"
        )
        return self.rows(sql, [*values, limit])

    # --- as a recorder of the `eventsourcing` library --------------------------------------------------------------

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        """Append lines, which are stamped, or other bytes as they are; with `tracking`, move a follower as well.

        Bytes that are no line stop the services that follow this log: an application that shares it writes through the
        mapper of `shared.eventlog.library`.
        """
        lines = all(codec.is_unstamped(event.state) for event in stored_events)
        return self._insert(stored_events, kwargs.get("tracking"), datetime.now(UTC) if lines else None)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """The events of one stream, by version."""
        stream_id = _uuid(originator_id)
        where = Where(self.as_stored).and_("originator_id =", stream_id)
        where.and_("originator_version >", gt)
        where.and_("originator_version <=", lte)
        sql = (
            f"SELECT originator_version, topic, state FROM stored_events {where} ORDER BY originator_version"
        )
        rows = self.rows(sql + (" DESC" if desc else "") + where.limit(limit), where.values)
        return [StoredEvent(stream_id, *row) for row in rows]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Events in order of position, from `start` (or beyond it) to `stop`."""
        after = 0 if start is None else start - 1 if inclusive_of_start else start
        return [notification(stored) for stored in self.read_stored(after, limit, upto=stop, types=topics)]

    def max_notification_id(self) -> int | None:
        """The position of the last event; None when there is none."""
        return self.head() or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> Subscription[ApplicationRecorder]:
        """Every event beyond a position, as it comes."""
        return NotificationSubscription(self, self, gt, topics)

    def insert_tracking(self, tracking: Tracking) -> None:
        """Move a follower forwards; FollowerOvertaken when it is there or further already."""
        self._insert([], tracking, None)

    def max_tracking_id(self, application_name: str) -> int | None:
        """How far a follower has acted; None when it has not begun."""
        where = Where(self.as_stored).and_("name =", application_name)
        rows = self.rows(f"SELECT position FROM followers {where}", where.values)
        return int(rows[0][0]) if rows else None


def check_clocks(now: datetime, engine: datetime, last: datetime | None, limits: Limits) -> None:
    """Raise ClockAhead or LogAhead where the clock of a process, or the `last` instant on record, is too far ahead.

    Instants on record never fall, so that one from the future would hold all later ones until it has come.
    """
    most = timedelta(seconds=limits.clock)
    if now - engine > most:
        raise ClockAhead
    if last is not None and last - max(now, engine) > most:
        raise LogAhead


class Where:
    """The condition of a statement as it is put together, and its values in the order of their marks."""

    def __init__(self, value: Callable[[Any], Any]) -> None:
        self._value = value
        self._conditions: list[str] = []
        self.values: list[Any] = []

    def and_(self, comparison: str, value: Any) -> Where:
        """Demand one thing more; nothing when the value is None."""
        if value is not None:
            self._conditions.append(f"{comparison} ?")
            self.values.append(self._value(value))
        return self

    def limit(self, limit: int | None) -> str:
        """The end of the statement: how many rows at most."""
        if limit is None:
            return ""
        self.values.append(limit)
        return " LIMIT ?"

    def __str__(self) -> str:
        return "WHERE " + " AND ".join(self._conditions) if self._conditions else ""


def position_at(store: Store, moment: datetime) -> int:
    """The largest position the log had reached at a moment: what `known_at` means.

    `recorded_at` never falls as positions rise and positions have no gaps, so a binary search finds it in about
    log2(head) single-row reads, and no index has to be kept for it.
    """
    low, high = 0, store.head()
    while low < high:
        middle = (low + high + 1) // 2
        recorded = store.recorded_at(middle)
        if recorded is not None and recorded <= moment:
            low = middle
        else:
            high = middle - 1
    return low


def _stand_in(position: int, line: bytes, quarantined: Quarantined) -> bytes:
    if hashlib.sha256(line).hexdigest() != quarantined.event.sha256:
        return line
    return codec.stand_in(line, position, quarantined.event, quarantined.at)


def _sensible(read: Callable[[Any], T], value: Any) -> T | None:
    try:
        return read(value)
    except ValueError:
        return None


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)
