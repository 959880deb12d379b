"""The follower of decisions in a process of its own, to be killed at any moment: a commitments service without HTTP."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Self

from services.commitments.commitment.repository import Commitments
from services.commitments.indicator.repository import Indicators
from services.commitments.outcome.decisions import Decisions
from services.commitments.outcome.policy import decisions_policy
from services.commitments.outcome.repository import DecisionOutcomes
from services.commitments.plan.repository import Directory
from shared.clock import Clock
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from tests.support.forking import processes

PATIENCE = 30.0


class Follower:
    """One of these processes, seen from the test that started it."""

    def __init__(self, url: str) -> None:
        self._connection, theirs = processes.Pipe()
        self._process = processes.Process(target=main, args=(theirs, url), daemon=True)
        self._process.start()
        theirs.close()

    def begun(self) -> Self:
        """Wait until it follows the log."""
        assert self._connection.poll(PATIENCE), "the follower did not begin"
        assert self._connection.recv() == "following"
        return self

    def kill(self) -> None:
        """SIGKILL, and gone."""
        self._process.kill()
        self._process.join(PATIENCE)
        self._close()

    def end(self) -> int | None:
        """Let it end; its exit status."""
        with suppress(BrokenPipeError):
            self._connection.send("stop")
        self._process.join(PATIENCE)
        status = self._process.exitcode
        self._close()
        return status

    def _close(self) -> None:
        self._connection.close()
        self._process.close()


async def follow(parent: Connection, url: str) -> None:
    """Carry decisions out until told to stop."""
    store = open_store(url)
    live = LiveLog(store, Clock())
    directory = Directory(live)
    decisions = Decisions(live)
    commitments = Commitments(live, directory)
    indicators = Indicators(live, directory, commitments)
    policy = decisions_policy(live, decisions, DecisionOutcomes(live, decisions, commitments, indicators))
    try:
        await live.start()
        policy.start()
        parent.send("following")
        await asyncio.to_thread(parent.recv)
        await policy.readiness()
    finally:
        await policy.stop()
        await live.stop()
        store.close()


def main(parent: Connection, url: str) -> None:
    """The whole of the child."""
    with suppress(EOFError):
        asyncio.run(follow(parent, url))
