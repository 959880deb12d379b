"""A decision acts: this process follows the log and carries out every decision that was agreed, in order, once.

How far it has come is kept in the log's own database and commits with the events it caused, so that a process may be
killed at any moment, and several may do this at once: who comes second is told so and goes on from there.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Final

import structlog

from services.commitments.outcome.decisions import DecisionOnRecord, Decisions
from services.commitments.outcome.repository import DecisionOutcomes
from shared.errors import Unavailable
from shared.eventlog.envelope import Recorded
from shared.eventlog.live import LiveLog
from shared.eventlog.store import FollowerOvertaken
from shared.events.meetings import DecisionAgreed

FOLLOWER: Final = "commitments.decisions"
PAUSE: Final = 0.5
"""Seconds before a log that did not answer is asked again."""

log = structlog.get_logger(__name__)


class DecisionsPolicy:
    """The follower of the log that carries decisions out, as a task on the event loop of the service."""

    def __init__(self, live: LiveLog, decisions: Decisions, outcomes: DecisionOutcomes) -> None:
        self._live = live
        self._decisions = decisions
        self._outcomes = outcomes
        self._waiting: deque[tuple[int, str]] = deque()
        self._more = asyncio.Event()
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.position = 0
        """Every decision up to this position has its outcome."""
        self.failure: Exception | None = None
        """Why no decision is carried out any more, if that is so; readiness reports it."""
        live.subscribe((DecisionAgreed,), self._agreed)

    def start(self) -> None:
        """Begin; call once `live` has started."""
        self._task = asyncio.create_task(self._run(), name="decisions-policy")

    async def stop(self) -> None:
        """Finish the decision in hand, and no other. Harmless when nothing was started."""
        self._stopping.set()
        self._more.set()
        if self._task is not None:
            await self._task

    def standing(self) -> str:
        """How far it has come, in a sentence; raises what has stopped it."""
        failure = self.failure or self._live.failure
        if failure is not None:
            raise failure
        waiting = sum(position > self.position for position, _ in self._waiting)
        return f"decisions carried out up to position {self.position}, {waiting} waiting"

    def _agreed(self, recorded: Recorded) -> None:
        assert isinstance(recorded.data, DecisionAgreed)
        self._waiting.append((recorded.position, recorded.data.number))
        self._more.set()

    async def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._more.clear()
                while self._waiting and not self._stopping.is_set():
                    position, number = self._waiting[0]
                    if position > self.position:
                        await self._carry_out(position, number)
                    else:
                        self._waiting.popleft()
                await self._more.wait()
        except Exception as error:
            self.failure = error
            log.critical("decisions_policy_stopped", position=self.position, exc_info=error)

    async def _carry_out(self, position: int, number: str) -> None:
        """One attempt at the next decision; afterwards the position says whether it is done."""
        decision = self._decisions.decision(number)
        assert decision is not None, "whoever knows of a decision subscribed before"
        try:
            if self.position == 0:
                # On starting: another process, or an earlier life of this one, may be further.
                self.position = await self._kept()
            if position > self.position:
                await self._act(decision)
                self.position = position
        except FollowerOvertaken:
            self.position = await self._kept()
        except Unavailable as error:
            log.warning("decisions_policy_interrupted", code=error.code, decision=number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), PAUSE)

    async def _act(self, decision: DecisionOnRecord) -> None:
        outcome = await self._outcomes.act(decision, FOLLOWER)
        log.info(
            "decision_acted",
            decision=decision.agreed.number,
            caused=decision.position,
            position=outcome.position,
        )

    async def _kept(self) -> int:
        return await asyncio.to_thread(self._live.store.follower_position, FOLLOWER)
