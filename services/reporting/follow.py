"""The worker that keeps the read model in step with the log: `python -m services.reporting.follow`."""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from typing import Final
from uuid import UUID

import structlog

from services.reporting.opening import open_read_model
from services.reporting.projections.projector import CAPACITY, Projector
from services.reporting.read_model import GenerationWriter, OvertakenError, ReadModel, not_built
from shared.clock import Clock
from shared.collector import spare_long_lived_objects
from shared.errors import BitacoraError, CorruptEvent
from shared.eventlog.open import open_log
from shared.eventlog.store import Store
from shared.eventlog.subscription import Subscription
from shared.logging import configure_logging
from shared.settings import load_settings

IDLE: Final = 0.5
"""Seconds between two looks at whether we should stop, or another generation has become the live one."""
LIVE: Final = 0.1
"""Seconds between two looks at which generation is the live one, while the log grows."""
SHORTEST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 5.0
"""Seconds between two attempts while an engine does not answer: at first, and at most."""

log = structlog.get_logger(__name__)


class Worker:
    """Projects the log into the live generation, for as long as nobody stops it.

    Several may run: each batch goes in only if the generation is where the worker believes it to be, so that one of
    them is always overtaken and begins again from what the other wrote.
    """

    def __init__(
        self,
        store: Store,
        read_model: ReadModel,
        clock: Clock,
        *,
        capacity: int = CAPACITY,
        idle: float = IDLE,
    ) -> None:
        self._store = store
        self._clock = clock
        self._read_model = read_model
        self._capacity = capacity
        self._idle = idle
        self._stopping = threading.Event()
        self._pause = SHORTEST_PAUSE

    def stop(self) -> None:
        """Let `run` return after the batch it is at; may be called from a signal handler or another thread."""
        self._stopping.set()

    def run(self) -> None:
        """Follow until stopped; CorruptEvent when the log cannot be read any further."""
        while not self._stopping.is_set():
            try:
                self._follow_live_generation()
            except OvertakenError:
                log.info("projection_overtaken")
                # Whoever overtook us goes on; we stand by, out of its way.
                self._stopping.wait(random.uniform(0.5, 1.5) * self._idle)  # noqa: S311 - not for secrecy
            except BitacoraError as error:
                log.warning("projection_waits", code=error.code, pause=self._pause)
                self._stopping.wait(self._pause)
                self._pause = min(LONGEST_PAUSE, self._pause * 2)
            except CorruptEvent as error:
                log.critical("projection_stopped", position=error.position, reason=error.reason)
                raise

    def _follow_live_generation(self) -> None:
        generation = self._read_model.live()
        if generation is None:
            raise not_built()
        writer = self._read_model.writer(generation)
        try:
            position = writer.position()
            subscription = Subscription(self._store, position)
            try:
                log.info("projection_follows", generation=generation, position=position)
                self._follow(generation, writer, subscription)
            finally:
                subscription.close()
        finally:
            writer.close()

    def _follow(self, generation: str, writer: GenerationWriter, subscription: Subscription) -> None:
        projector = self._projector()
        looked_at = 0.0
        while not self._stopping.is_set():
            before = subscription.position
            lines = subscription.wait(self._idle)
            self._pause = SHORTEST_PAUSE
            if lines:
                try:
                    for position, line in lines:
                        projector.project(position, line)
                except CorruptEvent as error:
                    self._write_what_precedes(error.position, lines, writer, before)
                    raise
                writer.write(projector.changes(), before=before, after=subscription.position)
            # Not after every batch: some batches more in a generation that was replaced hurt nobody, and readers of the
            # new one wait for theirs no longer than this.
            if time.monotonic() - looked_at >= LIVE:
                if self._read_model.live() != generation:
                    return
                looked_at = time.monotonic()

    def _write_what_precedes(
        self, corrupt: int, lines: list[tuple[int, bytes]], writer: GenerationWriter, before: int
    ) -> None:
        projector = self._projector()
        for position, line in lines:
            if position == corrupt:
                break
            projector.project(position, line)
        if corrupt - 1 > before:
            writer.write(projector.changes(), before=before, after=corrupt - 1)

    def _projector(self) -> Projector:
        def read_stream(stream: UUID, upto: int) -> list[tuple[int, bytes]]:
            return self._store.read_stream(stream, 0, upto)

        return Projector(read_stream, self._clock.day_of, self._capacity)


def main() -> int:
    """Run the worker until SIGTERM or SIGINT; the exit code says whether it ended well."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format)
    store = open_log(settings)
    read_model = open_read_model(settings.effective_read_model_url)
    worker = Worker(store, read_model, Clock(settings.timezone))
    spare_long_lived_objects()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: worker.stop())
    try:
        worker.run()
    except CorruptEvent:
        return 1
    finally:
        read_model.close()
        store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
