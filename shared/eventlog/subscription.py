"""Following the log: every event beyond a position, in order, none missed and none twice."""

from __future__ import annotations

from collections.abc import Sequence

from shared.eventlog.store import Store

CLOSELY = 0.008
"""Seconds between two looks at a growing log, for a reader that others wait for."""

BATCH = 2_000
"""Events handed over at most at once."""


class Subscription:
    """A reader that tails the log from a position, in the calling thread.

    It relies on the order of the log alone (positions have no gaps and appear in order), so it can be given up at any
    moment and taken up again from the last position its caller has kept.
    """

    def __init__(
        self, store: Store, after: int = 0, types: Sequence[str] = (), *, poll: float = CLOSELY
    ) -> None:
        self._store = store
        self._waiter = store.waiter(poll)
        self._types = types
        self.position = after

    def wait(self, timeout: float) -> list[tuple[int, bytes]]:
        """The next events, as soon as there are any; an empty list after `timeout` seconds or when woken.

        `position` moves past everything seen, events of other types included.
        """
        head = self._waiter.wait(self.position, timeout)
        if head <= self.position:
            return []
        lines = self._store.read(self.position, BATCH, upto=head, types=self._types)
        self.position = lines[-1][0] if len(lines) == BATCH else head
        return lines

    def wake(self) -> None:
        """End a running wait early (from any thread)."""
        self._waiter.wake()

    def close(self) -> None:
        """Give back the connection it waits on."""
        self._waiter.close()
