"""Answers that are kept: whoever asks what was asked before is told what that came to, for as long as it would.

What an answer says is known by the question, the day, the eyes it is for and the rows that it was made of; so it is
kept with the names of the datasets that it read, and holds until one of them has other rows. How far the log has come
is not in it: that is written anew around each.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Iterator
from contextlib import contextmanager
from threading import Event, Lock
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge
from sqlalchemy import Connection, event

from services.reporting.reading import Reading
from shared.http.responses import encoded

T = TypeVar("T")

OBJECTS: Final = 3
"""How many bytes an answer takes in memory for each byte that is sent of it, at most: 1.3 to 2.2 were measured."""
LONGEST_WAIT: Final = 5.0
"""Seconds for which somebody waits for another who asks the same."""


class _Kept(NamedTuple):
    answer: Any
    position: int
    """How far the generation was when it was made."""
    datasets: Collection[str] | None
    """Whose rows it was made of; None where it may say another thing at every position."""
    size: int

    def holds(self, reading: Reading) -> bool:
        """Whether the same question comes to the same in a snapshot of the same generation."""
        if self.datasets is None or reading.position <= self.position:
            return reading.position == self.position
        return all(reading.changed.get(name, 0) <= self.position for name in self.datasets)


class Answers:
    """The answers of one process, those not asked for longest going first when there are too many bytes of them.

    `datasets` are the names of all there are. What is kept is shared: nobody may change it.
    """

    def __init__(self, datasets: Collection[str], largest: int) -> None:
        self._datasets = frozenset(datasets)
        self._largest = largest
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._size = 0
        self._guard = Lock()
        self._under_way: dict[Hashable, Event] = {}
        self._asked = Counter(
            "kept_answers", "Questions, by whether their answer was kept.", ("found",), registry=None
        )
        self._hit, self._missed = self._asked.labels("hit"), self._asked.labels("miss")

    def measure(self, registry: CollectorRegistry) -> None:
        """Show in the metrics how many bytes are kept, and how often that saved the work."""
        registry.register(self._asked)
        size = Gauge(
            "kept_answers_bytes", "What kept answers take in memory, by estimate.", registry=registry
        )
        size.set_function(lambda: self._size)

    def clear(self) -> None:
        """Forget all: the log is another one."""
        with self._guard:
            self._kept.clear()
            self._size = 0

    def of(
        self,
        question: Hashable,
        reading: Reading,
        answer: Callable[[], T],
        *,
        by_position: Callable[[], bool] = lambda: False,
    ) -> T:
        """What a question comes to in a snapshot: as it was kept, or else by `answer`, which then is kept.

        `question` names all that the answer goes by besides the rows. `by_position` says, once it was made, whether it
        also goes by what is in the log and in no dataset. Of those who ask the same at once, one does the work.
        """
        question = (reading.generation, question)
        kept = self._find(question, reading)
        if kept is None:
            with self._guard:
                other = self._under_way.get(question)
                if other is None:
                    self._under_way[question] = done = Event()
            if other is not None:
                other.wait(LONGEST_WAIT)
                kept = self._find(question, reading)
                # Theirs may have been a snapshot other than ours, or no answer at all.
                return (
                    self._made(question, reading, answer, by_position)
                    if kept is None
                    else cast(T, kept.answer)
                )
            try:
                return self._made(question, reading, answer, by_position)
            finally:
                with self._guard:
                    del self._under_way[question]
                done.set()
        return cast(T, kept.answer)

    def _find(self, question: Hashable, reading: Reading) -> _Kept | None:
        with self._guard:
            kept = self._kept.get(question)
            if kept is None or not kept.holds(reading):
                return None
            self._kept.move_to_end(question)
        self._hit.inc()
        return kept

    def _made(
        self,
        question: Hashable,
        reading: Reading,
        answer: Callable[[], T],
        by_position: Callable[[], bool],
    ) -> T:
        self._missed.inc()
        with _texts_of(reading.connection) as texts:
            found = answer()
        datasets = (
            None
            if by_position()
            else {name for name in self._datasets if any(name in text for text in texts)}
        )
        try:
            size = OBJECTS * len(encoded(found))
        except (TypeError, ValueError, msgspec.MsgspecError):
            return found
        # What read no row was made of something else, and nobody here knows how long that holds.
        kept = _Kept(found, reading.position, datasets or None, size)
        with self._guard:
            before = self._kept.get(question)
            if size <= self._largest and (before is None or before.position <= kept.position):
                self._size += size - (0 if before is None else before.size)
                self._kept[question] = kept
                self._kept.move_to_end(question)
                while self._size > self._largest:
                    self._size -= self._kept.popitem(last=False)[1].size
        return found


@contextmanager
def _texts_of(connection: Connection) -> Iterator[list[str]]:
    """The statements that are sent meanwhile, as texts."""
    texts: list[str] = []

    def sent(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        texts.append(text)

    event.listen(connection, "before_cursor_execute", sent)
    try:
        yield texts
    finally:
        event.remove(connection, "before_cursor_execute", sent)
