"""Following the log: every event beyond a position, in order, none missed and none twice."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, Protocol

from eventsourcing.persistence import ApplicationRecorder, Notification, OperationalError
from eventsourcing.persistence import Subscription as LibrarySubscription

from shared.errors import Unavailable
from shared.eventlog.codec import identity_of
from shared.eventlog.envelope import BEGINNING, Bookmark, StoredLine

CLOSELY: Final = 0.008
"""Seconds between two looks at a growing log, for a reader that others wait for."""

BATCH: Final = 2_000
"""Events handed over at most at once."""

PATIENCE: Final = 1.0
"""Seconds of one wait for a subscriber of the library, which waits again for as long as it is not stopped."""


class Waiter(Protocol):
    """Sleeps until the log has grown beyond a position, in the calling thread."""

    def wait(self, after: int, timeout: float) -> int:
        """The head of the log as soon as it is beyond `after`, or after `timeout` seconds whatever it is."""

    def lines(self, known: int, limit: int, timeout: float) -> list[tuple[int, bytes]]:
        """The event at `known` and those beyond it, as soon as there are any, or the first is gone.

        After `timeout` seconds whatever there is.
        """

    def wake(self) -> None:
        """End a running wait early (from any thread)."""

    def close(self) -> None:
        """Give back its connection."""


def has_changed(known: int, lines: list[tuple[int, bytes]]) -> bool:
    """Whether events from one on say more than that it is there: something beyond it, or not even that."""
    return lines[-1][0] > known if lines else known > 0


class Source(Protocol):
    """As much of a store as a subscription needs."""

    def waiter(self, poll: float) -> Waiter:
        """See `Store.waiter`."""

    def read_stored(
        self, after: int, limit: int, *, upto: int | None = None, types: Sequence[str] = ()
    ) -> list[StoredLine]:
        """See `Store.read_stored`."""

    def must_hold(self, bookmark: Bookmark) -> None:
        """See `Store.must_hold`."""

    def readable(self, lines: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
        """See `Store.readable`."""


class Subscription:
    """A reader that tails the log from a bookmark on, in the calling thread.

    It relies on the order of the log alone (positions have no gaps and appear in order), so it can be given up at any
    moment and taken up again from the last bookmark its caller has kept.
    """

    def __init__(self, store: Source, after: Bookmark = BEGINNING, *, poll: float = CLOSELY) -> None:
        self._store = store
        self._waiter = store.waiter(poll)
        self.bookmark = after

    def wait(self, timeout: float) -> list[tuple[int, bytes]]:
        """The next events, as soon as there are any; an empty list after `timeout` seconds or when woken.

        `bookmark` moves to the last of them. LogWentBack when the event there is no longer in the log.
        """
        lines = self._waiter.lines(self.bookmark.position, BATCH + 1, timeout)
        if self.bookmark != BEGINNING:
            # Read together with what follows it, so that nothing comes between.
            if not lines or Bookmark(lines[0][0], identity_of(lines[0][1])) != self.bookmark:
                self._store.must_hold(self.bookmark)
                return []
            del lines[0]
        if lines:
            position, line = lines[-1]
            self.bookmark = Bookmark(position, identity_of(line))
        return self._store.readable(lines)

    def wake(self) -> None:
        """End a running wait early (from any thread)."""
        self._waiter.wake()

    def close(self) -> None:
        """Give back the connection it waits on."""
        self._waiter.close()


class NotificationSubscription(LibrarySubscription[ApplicationRecorder]):
    """The same for subscribers of the `eventsourcing` library: one notification at a time, until it is stopped."""

    def __init__(
        self, store: ApplicationRecorder, source: Source, gt: int | None = None, topics: Sequence[str] = ()
    ) -> None:
        super().__init__(store, gt, topics)
        self._source = source
        self._waiter = source.waiter(CLOSELY)
        self._types = tuple(topics)
        self._position = gt or 0
        self._ahead: deque[StoredLine] = deque()
        self._stopped = threading.Event()
        self._iterating = threading.Lock()

    def stop(self) -> None:
        """End the iteration, from any thread."""
        self._stopped.set()
        self._waiter.wake()

    def __exit__(self, *args: object, **kwargs: Any) -> None:
        super().__exit__(*args, **kwargs)
        with self._iterating:
            self._waiter.close()

    def __next__(self) -> Notification:
        with self._iterating:
            try:
                while not self._ahead and not self._stopped.is_set():
                    self._wait()
            except Unavailable as error:
                raise OperationalError(error.message) from error
            if self._stopped.is_set():
                raise StopIteration
            return notification(self._ahead.popleft())

    def _wait(self) -> None:
        head = self._waiter.wait(self._position, PATIENCE)
        if head > self._position:
            found = self._source.read_stored(self._position, BATCH, upto=head, types=self._types)
            self._ahead.extend(found)
            self._position = found[-1].position if len(found) == BATCH else head


def notification(stored: StoredLine) -> Notification:
    """An event as the `eventsourcing` library knows it."""
    return Notification(
        originator_id=stored.stream_id,
        originator_version=stored.version,
        topic=stored.type,
        state=stored.line,
        id=stored.position,
    )
