"""What the event log offers, whatever engine keeps it: append, read in order, look up; nothing is ever changed.

Positions run 1, 2, 3, … without a gap, and `recorded_at` never falls as they rise. Both are given out inside the
append, under a lock that is held until the commit, so a reader that has seen position N never later finds one below N.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

import msgspec
from eventsourcing.persistence import IntegrityError

from shared.errors import BitacoraError
from shared.eventlog.envelope import FollowerPosition, NewEvent


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


class Filed(NamedTuple):
    """Under what the engine finds an event; its bytes must say the same."""

    position: int
    stream_id: UUID
    version: int
    type: str
    recorded_at: datetime | None


class VersionConflict(IntegrityError):
    """Somebody else already wrote this version of the stream; nothing was written."""


class DuplicateKey(IntegrityError):
    """The idempotency key was used before; nothing was written."""


class FollowerOvertaken(IntegrityError):
    """Another process acting for the same follower got there first; nothing was written."""


class Outdated(IntegrityError):
    """Meanwhile there is more of what the decision had to take account of; nothing was written."""


class LogNotReady(BitacoraError):
    """The tables of the log are missing or those of an older version; `bitacora migrate` makes them."""

    def __init__(self) -> None:
        super().__init__(
            "log-not-migrated",
            "The event log has no tables yet, or those of an older version: run `bitacora migrate`.",
        )


class Writer(Protocol):
    """The one connection through which a process appends."""

    async def write(self, batch: Sequence[Changes], now: datetime) -> Sequence[Appended]:
        """Append a batch in one transaction: all of it or nothing."""

    async def close(self) -> None:
        """Give the connection back."""


class Store(Protocol):
    """The event log on one engine. Every method blocks; none may be called on an event loop."""

    def append(self, batch: Sequence[Changes], now: datetime) -> Sequence[Appended]:
        """Append a batch in one transaction: all of it or nothing.

        Raises VersionConflict, DuplicateKey, FollowerOvertaken or Outdated when one of the batch lost a race, be it to
        an earlier one of the same batch, and Unavailable when the engine did not answer (the outcome of the batch is
        then unknown until the log is read again).
        """

    def writer(self) -> Writer:
        """A new writer for the event loop that calls this."""

    def read(
        self, after: int, limit: int, *, upto: int | None = None, types: Sequence[str] = ()
    ) -> list[tuple[int, bytes]]:
        """At most `limit` events beyond position `after`, in order: (position, stored line)."""

    def read_stream(
        self,
        stream_id: UUID,
        after_version: int = 0,
        upto_position: int | None = None,
        *,
        upto_version: int | None = None,
        limit: int | None = None,
    ) -> list[tuple[int, bytes]]:
        """The events of one stream in order of version, at most `limit`: (position, stored line)."""

    def read_filed(self, after: int, limit: int, *, upto: int) -> list[Filed]:
        """What the engine files the same events under that `read` gives, without their bytes."""

    def head(self) -> int:
        """The position of the last event, 0 when there is none."""

    def recorded_at(self, position: int) -> datetime | None:
        """When the log learned the event at a position; None when there is no such position."""

    def find_key(self, key_hash: bytes) -> IdempotencyRecord | None:
        """The request that was carried out under an idempotency key."""

    def position_of(self, stream_id: UUID, version: int) -> int | None:
        """The position of one version of a stream."""

    def follower_position(self, name: str) -> int:
        """How far a follower has acted, 0 when it has not begun."""

    def migrate(self) -> None:
        """Make what is missing of the log's tables; several processes may call this at once."""

    def check_ready(self) -> None:
        """Raise LogNotReady when `migrate` has something to do, Unavailable when the engine does not answer."""

    def waiter(self, poll: float) -> Waiter:
        """Something that sleeps until the log grows; `poll` is the seconds between two looks while it does."""

    def close(self) -> None:
        """Give back every connection."""


class Waiter(Protocol):
    """Sleeps until the log has grown beyond a position, in the calling thread."""

    def wait(self, after: int, timeout: float) -> int:
        """The head of the log as soon as it is beyond `after`, or after `timeout` seconds whatever it is."""

    def wake(self) -> None:
        """End a running wait early (from any thread)."""

    def close(self) -> None:
        """Give back its connection."""


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


def open_store(url: str) -> Store:
    """The store behind a URL: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://…`.

    Any other scheme is a ValueError.
    """
    if url.startswith("sqlite:///"):
        from shared.eventlog.sqlite import SQLiteStore

        return SQLiteStore(url.removeprefix("sqlite:///"))
    if url.startswith(("postgresql://", "postgres://")):
        from shared.eventlog.postgres import PostgresStore

        return PostgresStore(url)
    raise ValueError("The log's URL must begin with sqlite:/// or postgresql://.")
