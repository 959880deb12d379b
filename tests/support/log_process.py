"""Real processes that write and follow a log, driven by `Child`.

Each says "ready" when it has everything open and begins at the first thing it is told, so that several begin together.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import threading
from contextlib import ExitStack, closing, suppress
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any, Self
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from shared.errors import BitacoraError
from shared.eventlog.open import open_store
from shared.eventlog.store import Store
from shared.eventlog.subscription import Subscription
from tests.support.forking import processes
from tests.support.ledger import Process, changes, command, event, opened, process, writing, wrote

PATIENCE = 60.0
"""Seconds after which a child that says nothing is given up."""


class Child:
    """One of these processes, seen from the test that started it."""

    def __init__(self, role: str, url: str, *arguments: object) -> None:
        self._connection, theirs = processes.Pipe()
        self._process = processes.Process(target=main, args=(theirs, role, url, *arguments), daemon=True)
        self._process.start()
        theirs.close()

    def hear(self, timeout: float = PATIENCE) -> Any:
        """The next thing it says; None when it has ended."""
        if not self._connection.poll(timeout):
            raise TimeoutError(f"{self._process.name} said nothing for {timeout} s")
        try:
            return self._connection.recv()
        except (EOFError, ConnectionResetError):
            return None

    def has_said_something(self, timeout: float) -> bool:
        """Whether there is something to hear, at the latest after so many seconds; its end is something too."""
        return self._connection.poll(timeout)

    def say(self, message: object = "go") -> None:
        """Tell it something; a dead child does not hear it."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self._connection.send(message)

    def ready(self) -> Self:
        """Wait until it has everything open."""
        assert self.hear() == "ready"
        return self

    def kill(self) -> None:
        """SIGKILL: it has no chance to put anything in order."""
        self._process.kill()

    def end(self) -> int | None:
        """Let it end; its exit status."""
        self.say(None)
        self._process.join(PATIENCE)
        if self._process.is_alive():
            self.kill()
            self._process.join()
        status = self._process.exitcode
        self._connection.close()
        self._process.close()
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if not self._connection.closed:
            if kind is not None:
                self.kill()
            self.end()


def start_together(stack: ExitStack, *roles: tuple[str, str, *tuple[object, ...]]) -> list[Child]:
    """Start several of these processes and let all of them begin once each is ready."""
    children = [stack.enter_context(Child(*role)) for role in roles]
    for child in children:
        child.ready()
    for child in children:
        child.say()
    return children


# --- what the children do ------------------------------------------------------------------------------------------


def write(parent: Connection, url: str, name: str, requests: int, way: str) -> None:
    """Append groups of one to many events in streams of their own: through the store, or through the library's."""
    with closing(open_store(url)) as store:
        insert = unordered_recorder(url).insert_events if way == "unordered" else store.insert_events
        parent.send("ready")
        parent.recv()
        rng = random.Random(name)
        written = 0
        for n in range(requests):
            size = rng.choice((1, 1, 2, 40))
            texts = [f"{name} {n} {v}" for v in range(1, size + 1)]
            if way == "append":
                store.append([changes(event(wrote(text))) for text in texts], datetime.now(UTC))
            else:
                stream = uuid4()
                insert([StoredEvent(stream, v, "t", text.encode()) for v, text in enumerate(texts, 1)])
            written += size
        parent.send(written)


def unordered_recorder(url: str) -> PostgresApplicationRecorder:
    """The library's own recorder in the mode in which it appends without a lock (POSTGRES_ENABLE_DB_FUNCTIONS)."""
    at = psycopg.conninfo.conninfo_to_dict(url)
    datastore = PostgresDatastore(
        dbname=str(at["dbname"]),
        host=str(at["host"]),
        port=str(at["port"]),
        user=str(at["user"]),
        password=str(at.get("password", "")),
        enable_db_functions=True,
    )
    return PostgresApplicationRecorder(datastore)


def tail(parent: Connection, store: Store) -> None:
    """Follow from the beginning until told to stop and nothing new comes; say what was seen, in the order seen."""
    positions: list[int] = []
    digest = hashlib.sha256()
    stop = False
    with closing(Subscription(store)) as subscription:
        while True:
            lines = subscription.wait(0.2)
            for position, line in lines:
                positions.append(position)
                digest.update(line)
            if stop and not lines:
                break
            stop = stop or parent.poll()
    parent.send({"positions": positions, "digest": digest.hexdigest()})


def make_tables(parent: Connection) -> None:
    """Open the log it is told of, and make its tables as soon as it is told to; again and again."""
    while (url := parent.recv()) is not None:
        with closing(open_store(url)) as store:
            parent.send("ready")
            parent.recv()
            try:
                store.migrate()
                store.check_ready()
            except Exception as error:  # noqa: BLE001 - whatever it is, the test is to hear of it
                parent.send(repr(error))
            else:
                parent.send("made")


async def hammer(parent: Connection, url: str, stream: UUID, name: str, count: int, at_once: int) -> None:
    """Write `count` texts into one ledger, `at_once` at a time, on whatever version it is."""
    async with process(url) as here:
        parent.send("ready")
        parent.recv()
        versions: list[int] = []
        refused: list[str] = []
        numbers = iter(range(count))

        async def work() -> None:
            for n in numbers:
                try:
                    outcome = await here.ledgers.change(stream, writing(f"{name} {n}"), command())
                    versions.append(outcome.version)
                except BitacoraError as error:
                    refused.append(error.code)

        await asyncio.gather(*(work() for _ in range(at_once)))
        parent.send({"versions": versions, "refused": refused, "texts": await here.texts(stream)})


async def serve(parent: Connection, url: str) -> None:
    """Carry out what it is told, many commands at once, and say what each came to: a service without HTTP."""
    async with process(url) as here:
        loop = asyncio.get_running_loop()
        received: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()

        def listen() -> None:
            request: dict[str, Any] | None = {}
            while request is not None:
                try:
                    request = parent.recv()
                except EOFError:
                    request = None
                loop.call_soon_threadsafe(received.put_nowait, request)

        listener = threading.Thread(target=listen)
        listener.start()
        parent.send("ready")
        async with asyncio.TaskGroup() as tasks:
            while (request := await received.get()) is not None:
                tasks.create_task(carry_out(parent, here, request))
        listener.join()


async def carry_out(parent: Connection, here: Process, request: dict[str, Any]) -> None:
    """One command or one question, and one line about what it came to."""
    name, stream = request["name"], request["stream"]
    stated = command(key=name if request["keyed"] else None)
    try:
        if "upto" in request:
            await here.live.wait_for(request["upto"], PATIENCE)
            parent.send({"name": name, "texts": await here.texts(stream)})
            return
        if "texts" in request:
            outcome = await here.ledgers.change(stream, writing(*request["texts"]), stated)
        else:
            outcome = await here.ledgers.create(stream, lambda: [opened(name)], stated)
    except BitacoraError as error:
        parent.send({"name": name, "error": error.code})
    else:
        parent.send({"name": name, "version": outcome.version, "position": outcome.position})


def main(parent: Connection, role: str, url: str, *arguments: Any) -> None:
    """What the parent asked for."""
    if role == "hammer":
        asyncio.run(hammer(parent, url, *arguments))
    elif role == "serve":
        asyncio.run(serve(parent, url))
    elif role == "make tables":
        make_tables(parent)
    elif role == "write":
        write(parent, url, *arguments)
    else:
        with closing(open_store(url)) as store:
            parent.send("ready")
            parent.recv()
            tail(parent, store)
