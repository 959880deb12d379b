"""A cheap HTTP/1.1 load generator: prepared requests over keep-alive connections, one thread, no HTTP library.

The machine that measures is also the machine that is measured, so a request here costs about as little as Python
allows: the bytes are ready beforehand, and of the answer only the status and the length are read. Anything but a 2xx
counts as a failure, and `Outcome.demand_success` makes it loud.
"""

from __future__ import annotations

import asyncio
import json
import time
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

GRACE = 10.0
"""Seconds to wait for the last answers once no more requests are sent."""

END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"

OnAnswer = Callable[[int, float, float, bytes], None]
"""Called with the number of the request, the instants it was due and answered, and the whole answer."""


class LoadFailed(Exception):
    """Some requests were not answered with a 2xx, so what was measured is not what was meant."""


@dataclass
class Outcome:
    """What one round of load came to; latencies are in seconds, failures counted by status."""

    seconds: float
    latencies: array[float]
    failures: Counter[str] = field(default_factory=Counter)
    first_failure: str = ""

    @property
    def answered(self) -> int:
        """How many requests were answered with a 2xx."""
        return len(self.latencies)

    @property
    def rate(self) -> float:
        """Successful requests per second."""
        return self.answered / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float:
        """The latency, in seconds, within which this share (0 to 1) of the requests was answered."""
        return percentile(self.latencies, share)

    def demand_success(self) -> Outcome:
        """This outcome, or `LoadFailed` where anything went wrong or nothing was answered."""
        if self.failures or not self.latencies:
            raise LoadFailed(
                f"{self.answered} answered, failures {dict(self.failures)}: {self.first_failure}"
            )
        return self


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share (0 to 1) of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * round(share * 1_000_000) // 1_000_000) - 1)]


def request(
    method: str,
    path: str,
    *,
    headers: Mapping[str, str] | None = None,
    body: object = None,
    host: str = "bench",
) -> bytes:
    """The bytes of one request; `body` is sent as JSON."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    content = b"" if body is None else json.dumps(body, ensure_ascii=False).encode()
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(content)}"]
    return "\r\n".join(lines).encode() + END_OF_HEAD + content


class _Run:
    """What the connections of one round share: the next request, the end, and what was seen."""

    def __init__(self, requests: Sequence[bytes], count: int | None, on_answer: OnAnswer | None) -> None:
        self.requests = requests
        self.count = count
        self.on_answer = on_answer
        self.sent = 0
        self.pending = 0
        self.stopping = False
        self.idle: list[_Connection] = []
        self.backlog: list[float] = []
        self.closed_loop = True
        self.latencies: array[float] = array("d")
        self.failures: Counter[str] = Counter()
        self.first_failure = ""
        self.finished = asyncio.get_running_loop().create_future()
        self.last_answer = 0.0

    def fail(self, what: str, detail: str) -> None:
        self.failures[what] += 1
        self.first_failure = self.first_failure or detail

    def stop(self) -> None:
        self.stopping = True
        self.settle()

    def settle(self) -> None:
        if self.stopping and not self.pending and not self.backlog and not self.finished.done():
            self.finished.set_result(None)

    def next_for(self, connection: _Connection) -> None:
        """Gives a free connection its next request, or lets it rest."""
        if self.closed_loop:
            if self.stopping or (self.count is not None and self.sent >= self.count):
                self.stop()
            else:
                connection.send(self.sent, time.perf_counter())
        elif self.backlog:
            connection.send(self.sent, self.backlog.pop(0))
        else:
            self.idle.append(connection)
            self.settle()


class _Connection(asyncio.Protocol):
    """One keep-alive connection with at most one request under way."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.received = b""
        self.expected = -1
        self.busy = False
        self.number = 0
        self.due = 0.0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is one in all but name

    def send(self, number: int, due: float) -> None:
        run = self.run
        self.number, self.due, self.busy = number, due, True
        run.sent += 1
        run.pending += 1
        self.transport.write(run.requests[number % len(run.requests)])

    def data_received(self, data: bytes) -> None:
        received = self.received + data if self.received else data
        if self.expected < 0:
            end = received.find(END_OF_HEAD)
            if end < 0:
                self.received = received
                return
            self.expected = end + 4 + self._length(received[: end + 2])
        if len(received) < self.expected:
            self.received = received
            return
        self.received, self.expected = b"", -1
        self._answered(received)

    def _length(self, head: bytes) -> int:
        """The length of the body; streamed answers are not for this client."""
        head = head.lower()
        at = head.find(LENGTH)
        if at < 0:
            if head[9:12] in {b"204", b"304"}:
                return 0
            self.run.fail("unmeasured", f"an answer without Content-Length: {head[:200]!r}")
            return 0
        return int(head[at + len(LENGTH) : head.index(b"\r\n", at + 2)])

    def _answered(self, answer: bytes) -> None:
        run = self.run
        now = run.last_answer = time.perf_counter()
        self.busy = False
        run.pending -= 1
        if answer[9:10] == b"2":
            run.latencies.append(now - self.due)
            if run.on_answer is not None:
                run.on_answer(self.number, self.due, now, answer)
        else:
            run.fail(answer[9:12].decode(), answer[:1000].decode(errors="replace"))
        run.next_for(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self.busy:
            self.busy = False
            self.run.pending -= 1
            self.run.fail("connection lost", f"the connection ended during request {self.number}: {exc}")
            self.run.stop()


async def drive(
    port: int | Sequence[int],
    requests: Sequence[bytes],
    *,
    host: str = "127.0.0.1",
    connections: int = 16,
    seconds: float,
    count: int | None = None,
    rate: float | None = None,
    on_answer: OnAnswer | None = None,
) -> Outcome:
    """Sends the requests, in turn and over again, until the time or the count is up.

    Where several ports are given, the connections are dealt out among them in turn, as a balancer would.

    Without a `rate` each connection sends its next request as soon as the last one is answered. With one (requests
    per second), each is due at its own instant whether or not the earlier ones are answered, and its latency counts
    from that instant.
    """
    loop = asyncio.get_running_loop()
    run = _Run(requests, count, on_answer)
    run.closed_loop = rate is None
    ports = [port] if isinstance(port, int) else port
    opened = [
        await loop.create_connection(lambda: _Connection(run), host, ports[number % len(ports)])
        for number in range(connections)
    ]
    pacing: asyncio.Task[None] | None = None
    start = time.perf_counter()
    stop = loop.call_later(seconds, run.stop)
    try:
        if rate is None:
            for _, connection in opened:
                run.next_for(connection)
        else:
            run.idle = [connection for _, connection in opened]
            pacing = asyncio.create_task(_pace(run, rate, start, count))
        try:
            await asyncio.wait_for(run.finished, seconds + GRACE)
        except TimeoutError:
            run.fail("no answer", f"{run.pending} requests without an answer {GRACE:.0f} s after the end")
        elapsed = run.last_answer - start
    finally:
        stop.cancel()
        if pacing is not None:
            pacing.cancel()
        for transport, connection in opened:
            connection.busy = False
            transport.abort()
        await asyncio.sleep(0)
    return Outcome(elapsed, run.latencies, run.failures, run.first_failure)


async def _pace(run: _Run, rate: float, start: float, count: int | None) -> None:
    """Lets each request become due at its instant; one that finds no free connection waits for the next."""
    number = 0
    while not run.stopping and (count is None or number < count):
        due = start + number / rate
        if (early := due - time.perf_counter()) > 0:
            await asyncio.sleep(early)
            if run.stopping:
                return
        number += 1
        if run.idle:
            run.idle.pop().send(run.sent, due)
        else:
            run.backlog.append(due)
    run.stop()
