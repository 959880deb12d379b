"""A commitments service without HTTP in a process of its own, to do one thing at the very moment others do theirs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime
from multiprocessing.connection import Connection
from typing import Any, Self

from services.commitments.commitment.model import Commitment
from services.commitments.commitment.repository import ENDING, Commitments
from services.commitments.commitment.splitting import Splitting
from services.commitments.indicator.repository import Indicators
from services.commitments.outcome.decisions import DecisionOnRecord, Decisions
from services.commitments.outcome.repository import DecisionOutcomes
from services.commitments.plan.repository import Directory, Organizations
from shared.aggregate.command import Command, Outcome
from shared.clock import Clock
from shared.errors import BitacoraError, RuleBroken
from shared.eventlog.envelope import FollowerPosition, Recorded
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.events.commitments import (
    Completed,
    Corrected,
    DecisionUnresolved,
    Evidence,
    Merged,
    OrganizationChanged,
    Registered,
    Split,
)
from shared.events.meetings import DecisionAgreed
from shared.events.streams import stream_of
from shared.rules.dated_facts import RESTATING
from tests.support.forking import processes
from tests.support.ledger import DAY
from tests.support.scenario import ANA

PATIENCE = 30.0
DONE = "done"
Deed = tuple[str, dict[str, Any]]
"""What to do, a method of `_Service`, and with what."""


class Rival:
    """One of these processes, seen from the test that started it."""

    def __init__(self, url: str) -> None:
        self._connection, theirs = processes.Pipe()
        self._process = processes.Process(target=main, args=(theirs, url), daemon=True)
        self._process.start()
        theirs.close()

    def tell(self, deed: Deed) -> None:
        """Let it do something; it has read the whole of the log up to its start."""
        self._connection.send(deed)

    def hear(self) -> Any:
        """What the last thing came to: `DONE`, or the code of the refusal."""
        assert self._connection.poll(PATIENCE), "the rival said nothing"
        return self._connection.recv()

    def __enter__(self) -> Self:
        assert self.hear() == "ready"
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(BrokenPipeError):
            self._connection.send(None)
        self._process.join(PATIENCE)
        self._process.kill()
        self._process.join()
        self._connection.close()
        self._process.close()


class _Service:
    """What can be done here."""

    def __init__(self, live: LiveLog) -> None:
        directory = Directory(live)
        self.commitments = Commitments(live, directory)
        self.organizations = Organizations(live, directory)
        indicators = Indicators(live, directory, self.commitments)
        self.outcomes = DecisionOutcomes(live, Decisions(live), self.commitments, indicators)

    async def merge(self, command: Command, *, code: str, into: str) -> Outcome:
        """A commitment goes on in another one."""
        one = await self.commitments.find(code, ANA)
        context = self.commitments.context(command)
        merged = Merged(into=into, reason="The same promise", effective_on=context.today)
        return await self.commitments.change(
            one.id,
            lambda current: self.commitments.merge(current, merged, context),
            command,
            considering=ENDING,
        )

    async def split(self, command: Command, *, code: str, parts: tuple[str, str]) -> Outcome:
        """A commitment goes on in two parts."""
        one = await self.commitments.find(code, ANA)
        context = self.commitments.context(command)
        split = Split(reason="Too wide", effective_on=context.today)
        asked = Splitting(split, [{"code": part, "title": part} for part in parts])
        return await self.commitments.change(
            one.id,
            lambda current: self.commitments.split(current, asked, context),
            command,
            considering=(Merged,),
        )

    async def complete(self, command: Command, *, code: str, day: date | None = None) -> Outcome:
        """A commitment is kept."""
        one = await self.commitments.find(code, ANA)
        context = self.commitments.context(command)
        kept = Completed(completed_on=day or context.today, evidence=(Evidence(description="Opened"),))
        complete = self.commitments.ending(Commitment.complete)
        return await self.commitments.change(
            one.id, lambda current: complete(current, kept, context), command, considering=(Merged,)
        )

    async def register(self, command: Command, *, code: str, parent: str) -> Outcome:
        """A new commitment, part of another one."""
        new = Registered(code=code, title=code, lead_organization="INTERIOR", effective_on=DAY, parent=parent)
        return await self.commitments.register(new, command)

    async def move(self, command: Command, *, code: str, parent: str) -> Outcome:
        """A commitment is part of another one after all."""
        one = await self.commitments.find(code, ANA)
        corrected = Corrected(field="parent", value=parent, reason="Misread")
        correct = self.commitments.knowing(Commitment.correct)
        return await self.commitments.change(
            one.id,
            lambda current: correct(current, corrected, self.commitments.context(command)),
            command,
            considering=RESTATING,
        )

    async def decide(self, _: Command, *, agreed: DecisionAgreed) -> Outcome:
        """What was agreed is carried out, if it can be."""
        recorded = Recorded(
            position=1,
            recorded_at=datetime.now(UTC),
            type=agreed.TYPE,
            stream_id=stream_of("decision", agreed.number),
            version=1,
            recorded_by=ANA,
            correlation_id="rivals",
            data=agreed,
        )
        at = FollowerPosition(f"rival.{agreed.number}", 1)
        outcome = await self.outcomes.act(DecisionOnRecord(agreed, recorded, None), at)
        if isinstance(why := outcome.events[-1], DecisionUnresolved):
            raise RuleBroken(why.code, why.reason)
        return outcome

    async def describe(self, command: Command, *, code: str, **description: Any) -> Outcome:
        """An organisation is registered, or described anew."""
        return await self.organizations.describe(code, OrganizationChanged(**description), command)


async def serve(parent: Connection, url: str) -> None:
    """Do what is told, one thing after the other."""
    store = open_store(url)
    live = LiveLog(store, Clock())
    service = _Service(live)
    try:
        await live.start()
        parent.send("ready")
        while (deed := await asyncio.to_thread(parent.recv)) is not None:
            name, details = deed
            try:
                await getattr(service, name)(Command(actor=ANA, correlation_id="rivals"), **details)
            except BitacoraError as error:
                parent.send(error.code)
            else:
                parent.send(DONE)
    finally:
        await live.stop()
        store.close()


def main(parent: Connection, url: str) -> None:
    """The whole of the child."""
    with suppress(EOFError):
        asyncio.run(serve(parent, url))
