"""A resource answers with one version of a thing, whatever is recorded of it meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import msgspec
import pytest

from shared.aggregate.aggregate import Aggregate, Entry, evolves
from shared.aggregate.command import Command
from shared.aggregate.redaction import Readers, Reference
from shared.aggregate.repository import Repository
from shared.clock import Clock
from shared.eventlog.envelope import NewEvent, Recorded
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.eventlog.store import Changes, Store
from shared.events.commitments import Commented, Registered
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.http.resource import LONG, Resource
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Actor, Role
from tests.support.web import NOW, Installation

ANA = Actor(subject="ana", organization="DCI", role=Role.DCI)
STREAM = stream_of("commitment", "SEG-14")


class Remarks(Aggregate):
    """What was remarked about a commitment, by position."""

    BEGINS_WITH = (Registered,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        self.texts: dict[int, str] = {}

    @evolves(Commented)
    def _commented(self, entry: Entry[Commented]) -> None:
        self.texts[entry.position] = entry.event.text


class Shown(msgspec.Struct):
    """The remarks as an answer has them."""

    texts: list[str]


def remark(number: int) -> Commented:
    return Commented(text=f"Remark {number}", effective_on=NOW.date())


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A log that holds a commitment with so many remarks that the answer is made in a thread."""
    with closing(open_store(f"sqlite:///{tmp_path / 'log.db'}")) as made:
        made.migrate()
        registered = Registered(
            code="SEG-14", title="Fewer victims", lead_organization="INTERIOR", effective_on=NOW.date()
        )
        history: list[Event] = [registered, *(remark(number) for number in range(2, LONG + 1))]
        new = [
            NewEvent(stream_id=STREAM, version=version, recorded_by=ANA, correlation_id="test", data=event)
            for version, event in enumerate(history, 1)
        ]
        made.append([Changes(new)], NOW)
        yield made


async def test_what_is_recorded_while_a_long_answer_is_made_does_not_change_it_midway(
    store: Store, tmp_path: Path
) -> None:
    begun, recorded = threading.Event(), threading.Event()

    def render(it: Remarks, _: date) -> Shown:
        shown = []
        for text in it.texts.values():
            begun.set()
            assert recorded.wait(60)
            shown.append(text)
        return Shown(shown)

    async def nobody_knows(_: Reference) -> Readers | None:
        return None

    router = Router("commitments", id=str)
    live = LiveLog(store, Clock(now=lambda: NOW))
    remarks = Repository(live, Remarks, "commitment")
    Resource(
        router,
        "/v1/remarks/{id}",
        remarks,
        readers_of=nobody_knows,
        read=Access(EVERYONE, etag=True, log_position=True),
        identity=lambda _: {},
        identity_types={},
    ).document(Shown, render, doc="Remarks.")
    installation = Installation(tmp_path, [router])  # after the routes it is to have
    await live.start()
    try:
        async with installation.client(**installation.token()) as client:
            asked = asyncio.create_task(client.get("/v1/remarks/SEG-14"))
            assert await asyncio.to_thread(begun.wait, 60)
            await remarks.change(STREAM, lambda _: remark(LONG + 1), Command(ANA, "test"))
            recorded.set()
            answer = await asked
            assert answer.headers["etag"] == f'"{LONG}"'
            assert len(answer.json()["texts"]) == LONG - 1
            later = await client.get("/v1/remarks/SEG-14")
            assert later.headers["etag"] == f'"{LONG + 1}"'
            assert len(later.json()["texts"]) == LONG
    finally:
        recorded.set()
        await live.stop()
