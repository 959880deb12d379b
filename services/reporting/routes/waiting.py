"""Waiting until the read model reflects a position: one look at it serves all who wait."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.concurrency import run_in_threadpool

from services.reporting.generations.interface import ReadModel
from services.reporting.queries.moments import not_reached
from shared.errors import BitacoraError, shutting_down

SLICE: Final = 0.5
"""Seconds one look may last; after that it is asked whether anybody still waits."""


class Reached:
    """How far the read model has come, as far as anybody here has seen."""

    def __init__(self, read_model: ReadModel) -> None:
        self.position = 0
        self._watch = read_model.watch()
        self._waiting: dict[asyncio.Future[None], int] = {}
        self._watching: asyncio.Task[None] | None = None
        self._leaving = False

    def clear(self) -> None:
        """Forget it: the log went back, and the read model is built anew."""
        self.position = 0

    async def until(self, position: int, timeout: float) -> None:
        """Return once the read model reflects a position; Unavailable after `timeout` seconds."""
        if self.position >= position:
            return
        if self._leaving:
            raise shutting_down()
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[reached] = position
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._look(), name="read-model-watch")
        try:
            await asyncio.wait_for(reached, timeout)
        except TimeoutError:
            raise not_reached(position) from None
        finally:
            del self._waiting[reached]

    def end_waits(self) -> None:
        """Let nobody wait any more, now or later: the process is about to stop."""
        self._leaving = True
        for reached in self._waiting:
            if not reached.done():
                reached.set_exception(shutting_down())

    async def _look(self) -> None:
        """Watch for as long as somebody waits."""
        while self._waiting:
            try:
                self.position = await run_in_threadpool(self._watch.wait, self.position, SLICE)
            except BitacoraError as error:
                for reached in self._waiting:
                    if not reached.done():
                        reached.set_exception(error)
                return
            for reached, position in self._waiting.items():
                if position <= self.position and not reached.done():
                    reached.set_result(None)

    async def close(self) -> None:
        """Stop watching. Nobody may wait any more."""
        if self._watching is not None:
            await self._watching
        await run_in_threadpool(self._watch.close)
