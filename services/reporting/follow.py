"""The worker that keeps the read model in step with the log: `python -m services.reporting.follow`.

Where there is no generation of its fingerprint yet, or the live one is of a log that went back, it builds one first.
"""

from __future__ import annotations

import contextlib
import math
import random
import signal
import sys
import threading
import time
from typing import Final
from uuid import UUID

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from services.reporting.datasets import Schema
from services.reporting.generations import open_installed
from services.reporting.generations.interface import (
    GenerationWriter,
    OvertakenError,
    ReadModel,
    RebuildUnderWayError,
)
from services.reporting.projections.projector import CAPACITY, MustBeginAnewError, Projector
from services.reporting.rebuild import build_missing, rebuild
from shared import telemetry
from shared.clock import Clock
from shared.collector import spare_long_lived_objects
from shared.errors import BitacoraError, CorruptEvent
from shared.eventlog.codec import identity_of
from shared.eventlog.envelope import Bookmark
from shared.eventlog.open import open_log
from shared.eventlog.store import LogWentBack, Store
from shared.eventlog.subscription import Subscription
from shared.http.metrics import new_registry
from shared.logging import configure_logging
from shared.settings import load_settings
from shared.starting import beginning, must_be_reachable

IDLE: Final = 0.5
"""Seconds between two looks at whether we should stop, or another generation has become the live one."""
BEAT: Final = 5.0
"""Seconds after which a worker that has nothing to write shows that it is there."""
LIVE: Final = 0.1
"""Seconds between two looks at which generation is the live one, while the log grows."""
SHORTEST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 1.0
"""Seconds between two attempts while an engine does not answer: at first, and at most."""
FIRST_ANALYSIS: Final = 1_000
GROWTH: Final = 1.3
"""The planner's statistics are renewed at so many events, and whenever there are so many times as many."""

log = structlog.get_logger(__name__)


class Worker:
    """Projects the log into the live generation, for as long as nobody stops it.

    Several may run: each batch goes in only if the generation is where the worker believes it to be, so that one of
    them is always overtaken and begins again from what the other wrote. An event that cannot be projected stops the
    generation before it, not the worker: it leaves word of that for readiness, and tries again now and then.
    """

    def __init__(
        self,
        store: Store,
        read_model: ReadModel,
        clock: Clock,
        *,
        capacity: int = CAPACITY,
        idle: float = IDLE,
        longest_pause: float = LONGEST_PAUSE,
    ) -> None:
        self._store = store
        self._clock = clock
        self._read_model = read_model
        self._capacity = capacity
        self._idle = idle
        self._longest_pause = longest_pause
        self._stopping = threading.Event()
        self._pause = SHORTEST_PAUSE
        self._analyzed_at = 0
        self._analyzing: threading.Thread | None = None
        self._failures = Counter("projection_failures", "Not shown.", registry=None)
        self.position = 0
        """How far the generation is that it follows."""

    def measure(self, registry: CollectorRegistry) -> None:
        """Show in metrics how far it is, where the log ends, and what keeps it from going on."""
        self._failures = Counter(
            "projection_failures",
            "Times it had to wait because an engine did not answer or an event could not be read.",
            registry=registry,
        )
        for name, what, value in (
            ("projection_position", "Position up to which was projected.", lambda: self.position),
            ("log_head", "Position of the last event of the log.", self._head),
            (
                "log_quarantined_events",
                "Events that were put aside.",
                lambda: len(self._store.known_quarantined),
            ),
        ):
            Gauge(name, what, registry=registry).set_function(value)

    def _head(self) -> float:
        try:
            return self._store.head()
        except BitacoraError:
            return math.nan

    def stop(self) -> None:
        """Let `run` return after the batch it is at; may be called from a signal handler or another thread."""
        self._stopping.set()

    def run(self) -> None:
        """Follow until stopped."""
        while not self._stopping.is_set():
            try:
                build_missing(self._store, self._read_model, self._clock)
                self._follow_live_generation()
            except (OvertakenError, RebuildUnderWayError):
                log.info("projection_overtaken")
                # Whoever overtook us goes on; we stand by, out of its way.
                self._stopping.wait(random.uniform(0.5, 1.5) * self._idle)  # noqa: S311 - not for secrecy
            except LogWentBack as error:
                log.critical("projection_of_another_log", position=error.bookmark.position)
                self._stopping.wait(SHORTEST_PAUSE)
            except CorruptEvent as error:
                log.critical("projection_stopped", position=error.position, reason=error.reason)
                self._wait()
                self._look_for_quarantined()
            except MustBeginAnewError as error:
                log.warning("projection_begins_anew", without=error.position)
                self._begin_anew()
            except BitacoraError as error:
                log.warning("projection_waits", code=error.code, pause=self._pause)
                self._wait()
        if self._analyzing is not None:
            self._analyzing.join()

    def _look_for_quarantined(self) -> None:
        """Somebody may have put the event aside meanwhile."""
        with contextlib.suppress(BitacoraError):
            self._store.quarantined()

    def _begin_anew(self) -> None:
        """Build a generation without an event that was put aside, while the present one answers."""
        try:
            self._store.quarantined()
            rebuild(self._store, self._read_model, self._clock)
        except (
            BitacoraError,
            CorruptEvent,
            OvertakenError,
            RebuildUnderWayError,
            MustBeginAnewError,
        ) as error:
            log.warning("projection_not_begun_anew", reason=str(error))
            self._wait()

    def _wait(self) -> None:
        self._failures.inc()
        self._stopping.wait(self._pause)
        self._pause = min(self._longest_pause, self._pause * 2)

    def _follow_live_generation(self) -> None:
        generation = self._read_model.live()
        if generation is None:
            raise OvertakenError
        writer = self._read_model.writer(generation)
        try:
            bookmark, self._analyzed_at = writer.progress()
            self.position = bookmark.position
            subscription = Subscription(self._store, bookmark)
            try:
                log.info("projection_follows", generation=generation, position=bookmark.position)
                self._follow(generation, writer, subscription)
            finally:
                subscription.close()
        finally:
            writer.close()

    def _follow(self, generation: str, writer: GenerationWriter, subscription: Subscription) -> None:
        projector = self._projector()
        looked_at = shown_at = 0.0
        while not self._stopping.is_set():
            before = subscription.bookmark
            lines = subscription.wait(self._idle)
            began = telemetry.now()
            if lines:
                try:
                    for position, line in lines:
                        projector.project(position, line)
                except CorruptEvent as error:
                    self._write_what_precedes(error, lines, writer, before)
                    raise
                except MustBeginAnewError as error:
                    writer.stop(f"it is being built anew without the event at position {error.position}")
                    raise
                writer.write(projector.changes(), before=before.position, after=subscription.bookmark)
                self.position = subscription.bookmark.position
                for position, line in lines if began else ():
                    telemetry.done("project", began, line, position=position, generation=generation)
                self._pause = SHORTEST_PAUSE
                self._analyze_if_grown(generation, subscription.bookmark.position)
                shown_at = time.monotonic()
            elif time.monotonic() - shown_at >= BEAT:
                writer.beat()
                shown_at = time.monotonic()
            # Not after every batch: some batches more in a generation that was replaced hurt nobody, and readers of the
            # new one wait for theirs no longer than this.
            if time.monotonic() - looked_at >= LIVE:
                if self._read_model.live() != generation:
                    return
                looked_at = time.monotonic()

    def _write_what_precedes(
        self, error: CorruptEvent, lines: list[tuple[int, bytes]], writer: GenerationWriter, before: Bookmark
    ) -> None:
        projector = self._projector()
        after = before
        for position, line in lines:
            if position == error.position:
                break
            projector.project(position, line)
            after = Bookmark(position, identity_of(line))
        if after != before:
            writer.write(projector.changes(), before=before.position, after=after)
        writer.stop(f"the event at position {error.position} cannot be read")

    def _analyze_if_grown(self, generation: str, position: int) -> None:
        """Renew the statistics of a generation that has grown, beside the work: boards are slow by old ones."""
        if position < max(FIRST_ANALYSIS, self._analyzed_at * GROWTH):
            return
        if self._analyzing is None or not self._analyzing.is_alive():
            self._analyzed_at = position
            self._analyzing = threading.Thread(target=self._analyze, args=(generation,), name="analyze")
            self._analyzing.start()

    def _analyze(self, generation: str) -> None:
        try:
            self._read_model.analyze(generation)
        except (BitacoraError, OvertakenError) as error:
            log.warning("statistics_not_renewed", reason=str(error))

    def _projector(self) -> Projector:
        def read_stream(stream: UUID, upto: int) -> list[tuple[int, bytes]]:
            return self._store.read_stream(stream, 0, upto)

        return Projector(read_stream, self._clock.day_of, self._capacity, self._read_model.schema.windows)


def main() -> int:
    """Run the worker until SIGTERM or SIGINT."""
    with beginning():
        settings = load_settings()
        configure_logging(settings.log_level, settings.log_format)
        if settings.telemetry:
            telemetry.begin_tracing("worker")
        must_be_reachable(settings.log_named_by, settings.effective_log_url)
        must_be_reachable(settings.read_model_named_by, settings.effective_read_model_url, directory=True)
        clock = Clock(settings.timezone)
        store = open_log(settings)
        read_model = open_installed(settings, Schema(clock.zone.key, windows=settings.warning_windows))
    worker = Worker(store, read_model, clock)
    if settings.metrics_port:
        registry = new_registry()
        worker.measure(registry)
        start_http_server(settings.metrics_port, settings.host, registry)
    spare_long_lived_objects()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: worker.stop())
    try:
        worker.run()
    finally:
        read_model.close()
        store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
