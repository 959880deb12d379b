"""The part of a service that sees to the imports it has accepted, one after the other, each in a process apart.

A service process carries out one import at a time; of several processes, each takes the next that nobody is at. One
that is told to stop gives back what it has in hand, and the next one begins it again: an import is completed by running
it again.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

import msgspec
import structlog
from prometheus_client import CollectorRegistry, Gauge

from shared.errors import BitacoraError, NotReady, Unavailable
from shared.eventlog.imports import LEASE, Claim, Figures, Imports
from shared.eventlog.live import LiveLog
from shared.eventlog.open import LogSettings, limits_of
from shared.identity.actor import Role
from shared.tabular.carrying_out import TOOK_TOO_LONG, Task

LOOK: Final = 2.0
"""Seconds between two looks for imports that other processes accepted, or left behind."""
RENEW: Final = LEASE.total_seconds() / 6
"""Seconds after which a claim is renewed."""
GRACE: Final = 15.0
"""Seconds beyond its time after which an import that does not end by itself is ended."""
PAUSE: Final = 5.0
"""Seconds of rest after an import broke off, or the log did not answer."""
PRUNE_EVERY: Final = 3_600.0

log = structlog.get_logger(__name__)


class ImportWorker:
    """Carries the imports of a service out, as a task on its event loop."""

    def __init__(
        self,
        live: LiveLog,
        service: str,
        settings: LogSettings,
        *,
        seconds: float,
        kept: timedelta,
        may_record: Mapping[Role, Sequence[str]],
    ) -> None:
        """`seconds`: for how long one may run; `kept`: for how long reports are; `may_record`: see `Task`."""
        self.live = live
        self.service = service
        self._settings = settings
        self._seconds = seconds
        # As long as a key is remembered, so is what was asked for under it.
        self._kept = max(kept, limits_of(settings).idempotency)
        self._may_record = {role: list(names) for role, names in may_record.items()}
        self.imports = Imports(live.store)
        self._figures = Figures(0, 0, None)
        self._more = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._prune_at = 0.0

    def start(self) -> None:
        """Begin; call once `live` has started."""
        self._task = asyncio.create_task(self._run(), name="imports")

    async def stop(self) -> None:
        """End, and leave what is in hand to the next process. Harmless when nothing was started."""
        self._stopping.set()
        self._more.set()
        if self._task is not None:
            await self._task

    def wake(self) -> None:
        """There is one more."""
        self._more.set()

    async def readiness(self) -> str:
        """How things stand, in a sentence; NotReady when no process carries imports out."""
        if self._task is not None and self._task.done():
            raise NotReady("imports-not-carried-out", "this process carries imports out no more")
        await self.look()
        waiting, running, since = self._figures
        now = await asyncio.to_thread(self.live.store.engine_time)
        if since is not None and not running and now - since > self.live.bound:
            raise NotReady("imports-not-carried-out", f"{waiting} imports wait, and nobody carries them out")
        return f"{waiting} waiting, {running} being carried out"

    async def look(self) -> None:
        """Look how many there are, for the metrics."""
        self._figures = await asyncio.to_thread(self.imports.figures, self.service)

    def measure(self, registry: CollectorRegistry) -> None:
        """Show in the metrics of a service how many imports wait, and how many are being carried out."""
        figures: tuple[tuple[str, str, Callable[[], float]], ...] = (
            ("imports_waiting", "Imports that wait to be carried out.", lambda: self._figures.waiting),
            ("imports_running", "Imports that are being carried out.", lambda: self._figures.running),
        )
        for name, what, value in figures:
            Gauge(name, what, registry=registry).set_function(value)

    # --- carrying out ----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._more.clear()
            pause = LOOK
            try:
                claim = await asyncio.to_thread(self.imports.claim, self.service)
                if claim is not None:
                    if await self._carry_out(claim):
                        continue
                    pause = PAUSE
                elif time.monotonic() >= self._prune_at:
                    self._prune_at = time.monotonic() + PRUNE_EVERY
                    await asyncio.to_thread(self.imports.prune, self._kept)
            except BitacoraError as error:
                log.warning("imports_wait", code=error.code)
                pause = PAUSE
            except OSError as error:
                log.error("import_process_not_started", exc_info=error)
                pause = PAUSE
            await self._rest(pause)

    async def _rest(self, seconds: float) -> None:
        waiting = self._stopping if seconds > LOOK else self._more
        try:
            async with asyncio.timeout(seconds):
                await waiting.wait()
        except TimeoutError:
            pass

    async def _carry_out(self, claim: Claim) -> bool:
        """Carry one out in a process of its own; whether that process came to its end."""
        settings = self._settings
        task = Task(
            service=self.service,
            id=claim.id,
            lease=claim.lease,
            log_url=settings.effective_log_url,
            limits=limits_of(settings),
            pooled=settings.postgres_pooler == "transaction",
            timezone=self.live.clock.zone.key,
            seconds=self._seconds,
            may_record=self._may_record,
        )
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", f"services.{self.service}.importing"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode(task) + b"\n")
            if await self._watched(process, claim):
                return True
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
            process.stdin.close()
        stopping = self._stopping.is_set()
        if await asyncio.to_thread(self.imports.give_back, claim, counted=not stopping) and not stopping:
            log.error("import_broke_off", id=str(claim.id), status=process.returncode)
        return False

    async def _watched(self, process: asyncio.subprocess.Process, claim: Claim) -> bool:
        """Renew the claim for as long as it runs; whether all is told of it that there is to tell."""
        until = time.monotonic() + self._seconds + GRACE
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while True:
                await asyncio.wait((ended, stopping), timeout=RENEW, return_when=asyncio.FIRST_COMPLETED)
                if ended.done():
                    return ended.result() == 0
                if stopping.done():
                    return False
                with suppress(Unavailable):  # the process itself finds out whether it can go on
                    if not await asyncio.to_thread(self.imports.renew, claim):
                        return True
                if time.monotonic() > until:
                    return await asyncio.to_thread(self.imports.finish, claim, failure=TOOK_TOO_LONG)
        finally:
            ended.cancel()
            stopping.cancel()
