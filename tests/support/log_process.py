"""Real processes that write and follow a log: `python -m tests.support.log_process ROLE URL …`, driven by `Child`.

Each says `ready` when it has everything open and begins at the first line it is sent, so that several begin together.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Self
from uuid import UUID, uuid4

from eventsourcing.persistence import StoredEvent

from shared.errors import BitacoraError
from shared.eventlog.postgres import PostgresStore
from shared.eventlog.store import Store, open_store
from shared.eventlog.subscription import Subscription
from tests.support.ledger import Process, changes, command, event, opened, process, writing, wrote

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0
"""Seconds after which a child that says nothing is given up."""


class Child:
    """One of these processes, seen from the test that started it."""

    def __init__(self, *arguments: object, module: str = "tests.support.log_process") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *map(str, arguments)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.put(line)
        self.lines.put("")

    def hear(self, timeout: float = PATIENCE) -> Any:
        """The next thing it says; None when it has ended."""
        try:
            line = self.lines.get(timeout=timeout)
        except Empty:
            raise TimeoutError(f"{self._process.args!r} said nothing for {timeout} s") from None
        return json.loads(line) if line.endswith("\n") else None

    def say(self, message: object = "go") -> None:
        """Send it one line; a dead child does not hear it."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass

    def ready(self) -> Self:
        """Wait until it has everything open."""
        assert self.hear() == "ready"
        return self

    def kill(self) -> None:
        """SIGKILL: it has no chance to put anything in order."""
        self._process.kill()

    def end(self) -> int:
        """Its exit status, after all it had to say has been read; nothing of it is left open."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            status = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None and sys.exc_info()[0] is not None:
            self.kill()
        self.end()


def start_together(stack: ExitStack, *roles: Sequence[object]) -> list[Child]:
    """Start several of these processes and let all of them begin once each is ready."""
    children = [stack.enter_context(Child(*role)) for role in roles]
    for child in children:
        child.ready()
    for child in children:
        child.say()
    return children


# --- what the children do ------------------------------------------------------------------------------------------


def say(message: object) -> None:
    """One line to the parent."""
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def wait_for_go() -> None:
    """Be ready, and wait for the others to be."""
    say("ready")
    sys.stdin.readline()


def write(store: Store, name: str, requests: int, way: str) -> None:
    """Append `requests` groups of one to many events in streams of their own; some with the library's own insert."""
    rng = random.Random(name)
    written = 0
    for n in range(requests):
        size = rng.choice((1, 1, 2, 40))
        if way == "library":
            assert isinstance(store, PostgresStore)
            stream = uuid4()
            store.insert_events([StoredEvent(stream, v, "t", f"{name} {n} {v}".encode()) for v in range(1, size + 1)])
        else:
            store.append(
                [changes(event(wrote(f"{name} {n} {v}"))) for v in range(size)], datetime.now(UTC)
            )
        written += size
    say(written)


def tail(store: Store, until_quiet: float) -> None:
    """Follow from the beginning until told to stop and nothing new comes; say what was seen, in the order seen."""
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
    positions: list[int] = []
    digest = hashlib.sha256()
    with closing(Subscription(store)) as subscription:
        while True:
            lines = subscription.wait(until_quiet)
            for position, line in lines:
                positions.append(position)
                digest.update(line)
            if not lines and stop.is_set():
                break
    say({"positions": positions, "digest": digest.hexdigest()})


async def hammer(url: str, stream: UUID, name: str, count: int, at_once: int) -> None:
    """Write `count` texts into one ledger, `at_once` at a time, on whatever version it is."""
    async with process(url) as here:
        wait_for_go()
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
        say({"versions": versions, "refused": refused, "texts": await here.texts(stream)})


async def serve(url: str) -> None:
    """Carry out commands read from stdin, many at once, and say of each what it came to: a service without HTTP."""
    async with process(url) as here:
        loop = asyncio.get_running_loop()
        received: asyncio.Queue[str] = asyncio.Queue()

        def listen() -> None:
            for line in sys.stdin:
                loop.call_soon_threadsafe(received.put_nowait, line)
            loop.call_soon_threadsafe(received.put_nowait, "")

        threading.Thread(target=listen, daemon=True).start()
        say("ready")
        async with asyncio.TaskGroup() as tasks:
            while line := await received.get():
                tasks.create_task(carry_out(here, json.loads(line)))


async def carry_out(here: Process, request: dict[str, Any]) -> None:
    """One command, and one line about it."""
    stream = UUID(request["stream"])
    stated = command(key=request["key"])
    try:
        if request.get("open"):
            outcome = await here.ledgers.create(stream, lambda: [opened(request["key"])], stated)
        else:
            outcome = await here.ledgers.change(stream, writing(*request["texts"]), stated)
    except BitacoraError as error:
        say({"id": request["id"], "error": error.code})
    else:
        say({"id": request["id"], "version": outcome.version, "position": outcome.position})


def main(role: str, url: str, *arguments: str) -> None:
    """What the parent asked for."""
    if role == "hammer":
        asyncio.run(hammer(url, UUID(arguments[0]), arguments[1], int(arguments[2]), int(arguments[3])))
        return
    if role == "serve":
        asyncio.run(serve(url))
        return
    unsafe = arguments[-1:] == ("unsafe",)
    with closing(PostgresStore(url, unsafe_functions=True) if unsafe else open_store(url)) as store:
        roles: dict[str, Callable[[], None]] = {
            "write": lambda: write(store, arguments[0], int(arguments[1]), arguments[2]),
            "tail": lambda: tail(store, 0.3),
        }
        wait_for_go()
        roles[role]()


if __name__ == "__main__":
    main(*sys.argv[1:])
