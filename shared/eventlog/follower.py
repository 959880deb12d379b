"""A follower acts on events: each once and in order, whichever process does it, and however often one is killed.

How far it has come is kept in the log's own database and commits with the events it caused (`FollowerPosition`); of
several processes that follow under one name, the second is told so and goes on from there. An event that it cannot
handle for a reason nobody foresaw is set aside: it goes on a list (`bitacora followers`), the follower goes on with the
next one, and tries it again when somebody asks for that. Nothing it meets ever stops a service.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge

from shared.errors import BitacoraError, NotReady, Unavailable
from shared.eventlog import codec
from shared.eventlog.envelope import FollowerPosition, Recorded
from shared.eventlog.lag import keeping_up, lag_of
from shared.eventlog.live import LiveLog
from shared.eventlog.store import Changes, FollowerOvertaken
from shared.events.facts import Event
from shared.telemetry import span

PAUSE: Final = 0.5
"""Seconds before a log that did not answer is asked again."""
LOOK: Final = 2.0
"""Seconds between two looks for events that are to be tried again."""
TRIES: Final = 5
"""How often an event is tried for which the answer is to try again though the log itself answers."""
WAITED_FOR: Final = frozenset(
    {"log-unavailable", "log-disk-full", "log-went-back", "clock-ahead", "log-ahead-of-clock"}
)
"""Refusals that last as long as the log is not well, and say nothing of the event."""
AT_ONCE: Final = 200
"""Events that are read at once."""

Handle = Callable[[Recorded, FollowerPosition], Awaitable[object]]
"""Acts on an event; what it appends carries the position it is given, and FollowerOvertaken it lets through."""

log = structlog.get_logger(__name__)


def names_of(types: Iterable[type[Event]]) -> tuple[str, ...]:
    """The names of some types of events."""
    return tuple(sorted(cls.TYPE for cls in types))


async def keeps_up(live: LiveLog, name: str, types: tuple[str, ...], summary: str, position: int = 0) -> str:
    """The summary, with how far a follower is behind, in whichever process it acts; FellBehind when that is too far."""
    kept = await asyncio.to_thread(live.store.follower_position, name)
    lag = await asyncio.to_thread(lag_of, live.store, max(position, kept), types)
    return keeping_up("follower-behind", summary, lag, live.clock.now(), live.bound)


class Follower:
    """Follows the events of some types under a name, as a task on the event loop of a service."""

    def __init__(self, live: LiveLog, name: str, types: Iterable[type[Event]], handle: Handle) -> None:
        self.name = name
        self.position = 0
        """Every event of its types up to this position was handled, or is set aside."""
        self.set_aside = 0
        """How many events are on the list of those it could not handle, at the last look."""
        self._live = live
        types = tuple(types)
        self._types = names_of(types)
        self._handle = handle
        self._tried = 0
        self._begun = False
        self._more = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        live.subscribe(types, lambda _recorded: self._more.set(), forget=self._begin_anew, replay=False)

    def start(self) -> None:
        """Begin; call once `live` has started."""
        self._task = asyncio.create_task(self._run(), name=f"follower-{self.name}")

    async def stop(self) -> None:
        """Finish the event in hand, and no other. Harmless when nothing was started."""
        self._stopping.set()
        self._more.set()
        if self._task is not None:
            await self._task

    async def readiness(self) -> str:
        """How far it has come, and what it has set aside, in a sentence; NotReady when it acts no more."""
        if self._task is None or self._task.done():
            raise NotReady("follower-ended", f"{self.name} acts no more beyond position {self.position}")
        summary = f"acted up to position {self.position}"
        if self.set_aside:
            summary += f"; {self.set_aside} set aside, see `bitacora followers`"
        return await keeps_up(self._live, self.name, self._types, summary, self.position)

    def measure(self, registry: CollectorRegistry) -> None:
        """Show in the metrics of a service how far it has come, and how much it has set aside."""
        for name, what, value in (
            ("follower_position", "Position of the log up to which was acted.", lambda: self.position),
            ("follower_dead_letters", "Events that were set aside.", lambda: self.set_aside),
        ):
            gauge = Gauge(name, what, ("follower",), registry=registry)
            gauge.labels(self.name).set_function(value)

    # --- following -------------------------------------------------------------------------------------------------

    def _begin_anew(self) -> None:
        self._begun = False
        self._more.set()

    async def _run(self) -> None:
        while not self._stopping.is_set():
            self._more.clear()
            try:
                if not self._begun:
                    self._begun = True
                    self.position = await asyncio.to_thread(self._live.store.resume, self.name)
                await self._act_on_what_is_new()
                await self._act_on_what_is_to_be_tried_again()
            except FollowerOvertaken:
                self._begun = False  # another process is further: go on from there
            except Unavailable as error:
                log.warning(
                    "follower_interrupted", follower=self.name, code=error.code, position=self.position
                )
                await self._wait(self._stopping, PAUSE)
            except Exception as error:
                log.error("follower_failed", follower=self.name, position=self.position, exc_info=error)
                await self._wait(self._stopping, PAUSE)
            else:
                await self._wait(self._more, LOOK)

    async def _act_on_what_is_new(self) -> None:
        while not self._stopping.is_set():
            upto = self._live.position
            if upto <= self.position:
                return
            lines = await asyncio.to_thread(
                self._live.store.read, self.position, AT_ONCE, upto=upto, types=self._types
            )
            for position, line in lines:
                if self._stopping.is_set():
                    return
                await self._act(line, FollowerPosition(self.name, position, identity=codec.identity_of(line)))
                self.position = position
            if len(lines) < AT_ONCE:
                self.position = upto

    async def _act_on_what_is_to_be_tried_again(self) -> None:
        letters = await asyncio.to_thread(self._live.store.dead_letters, self.name)
        self.set_aside = len(letters)
        for letter in letters:
            if not letter.retry or self._stopping.is_set():
                continue
            if await asyncio.to_thread(self._live.store.take_up, self.name, letter.position):
                lines = await asyncio.to_thread(self._live.store.read, letter.position - 1, 1)
                if not lines:
                    return  # the log went back: this is to be resumed from elsewhere
                await self._act(lines[0][1], FollowerPosition(self.name, letter.position, retry=True))
                self._more.set()

    async def _act(self, line: bytes, at: FollowerPosition) -> None:
        try:
            recorded = codec.decode(line, at.position)
            if recorded.type in self._types:
                with span(f"act on {recorded.type}", line, position=at.position, follower=self.name):
                    await self._handle(recorded, at)
            elif at.retry:
                # It was put aside meanwhile: there is nothing to act on any more.
                await self._live.append(Changes([], follower=at))
            self._tried = 0
        except FollowerOvertaken:
            raise
        except Exception as error:
            self._tried += 1
            if isinstance(error, Unavailable) and (error.code in WAITED_FOR or self._tried < TRIES):
                raise
            self._tried = 0
            log.error("follower_set_aside", follower=self.name, position=at.position, exc_info=error)
            why = error.message if isinstance(error, BitacoraError) else f"{type(error).__name__}: {error}"
            await asyncio.to_thread(self._live.store.set_aside, at, why, self._live.clock.now())
            self.set_aside += not at.retry

    @staticmethod
    async def _wait(event: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)
