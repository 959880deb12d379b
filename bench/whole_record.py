"""The record as a whole: import it, rebuild the read model from it, read its feed, ask for boards, see writes."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from bench.dataset import FIRST_YEAR, MAPPING, assessment, code_of, write_observations
from bench.figures import Figure, figure
from bench.ground import Ground, answer, declare_plan, headers_of, with_headers
from bench.load import LoadFailed, drive, percentile, request
from bench.postgres import fresh_database
from bench.processes import run
from bench.stream import read_lines
from services.reporting.datasets import Schema
from services.reporting.generations import open_read_model
from services.reporting.rebuild import rebuild
from shared.clock import Clock
from shared.eventlog.open import open_store
from shared.events.streams import stream_of
from shared.identity.actor import Role

COMMITMENTS, YEARS = 10_000, 5
WRITES = 500
"""Writes per second while it is measured how fast they become visible."""
WRITTEN = 1_000
"""Commitments that are written to, each once before anything counts."""
PROBES = 2
"""Clients that ask for the board while the writes go on, one request at a time each."""
LONGEST_STEP = 90.0
"""Seconds after which a step is given up."""
BOARD = "/v1/board?group_by=pillar,status&limit=200"
NARROW = "/v1/board?group_by=status&pillar=health&limit=200"


@dataclass(frozen=True)
class Record:
    """A log full of imported commitments, and what importing it took."""

    url: str
    commitments: int
    rows: int
    events: int
    seconds: float


async def measure(ground: Ground, wanted: set[str]) -> list[Figure]:
    """The figures that need a record of 10,000 commitments, as far as they are wanted."""
    steps: dict[str, Callable[[Ground, Record], Coroutine[Any, Any, Figure]]] = {
        "rebuild": measure_rebuild,
        "feed": measure_feed,
        "board": measure_board,
        "visible": measure_visible,
    }
    found: list[Figure] = []
    async with imported(ground) as record:
        if "import" in wanted:
            found.append(import_figure(record))
        for name, step in steps.items():
            # Boards are read from what a rebuild made, as they are in a new installation.
            needed = name == "rebuild" and wanted & {"board", "visible"}
            if name in wanted or needed:
                one = await attempt(name, step(ground, record))
                if name in wanted or one.failed:
                    found.append(one)
    return found


async def attempt(name: str, step: Coroutine[Any, Any, Figure]) -> Figure:
    """The figure, or why there is none."""
    try:
        async with asyncio.timeout(LONGEST_STEP):
            return await step
    except Exception as error:  # noqa: BLE001 (whatever it is, the other figures are still wanted)
        return Figure(name=name, failed=f"{type(error).__name__}: {error}")


@asynccontextmanager
async def imported(ground: Ground) -> AsyncIterator[Record]:
    """A fresh log into which the portfolio was imported by the command that people use."""
    commitments = COMMITMENTS // 5 if ground.quick else COMMITMENTS
    file = ground.directory / "observations.csv"
    rows = write_observations(file, commitments=commitments, years=YEARS)
    with fresh_database(ground.server_url) as url:
        ground.migrate(url)
        with ground.service("commitments", url) as port:
            await declare_plan(port, ground)
        seconds = run(
            *("services.cli", "import", str(file), "--mapping", str(MAPPING)),
            environ=ground.environ(url),
            log=ground.log("import"),
            seconds=LONGEST_STEP * 2,
        )
        store = open_store(url)
        try:
            events = store.head()
        finally:
            store.close()
        yield Record(url, commitments, rows, events, seconds)


def import_figure(record: Record) -> Figure:
    """Rows a second over the whole command, its start included."""
    return figure(
        "import",
        [record.rows / record.seconds],
        rows=record.rows,
        events=record.events,
        seconds=round(record.seconds, 2),
    )


async def measure_rebuild(ground: Ground, record: Record) -> Figure:
    """Events a second from the call to the swap, indexes included; without the grace for readers of the old one."""
    clock = Clock()
    store, read_model = open_store(record.url), open_read_model(record.url, Schema(clock.zone.key))
    rates = []
    try:
        for _ in range(1 if ground.quick else 3):
            began = time.perf_counter()
            position = rebuild(store, read_model, clock, grace=0)
            rates.append(position / (time.perf_counter() - began))
    finally:
        read_model.close()
        store.close()
    return figure("rebuild", rates, events=record.events)


async def measure_feed(ground: Ground, record: Record) -> Figure:
    """Events a second, read as JSON Lines from the beginning to the end of the log by one client."""
    rates, size = [], 0
    with ground.service("reporting", record.url) as port:
        raw = request(
            "GET", f"/v1/events?after=0&limit={record.events}", headers=ground.headers(Role.AUDITOR)
        )
        for _ in range(3 if ground.quick else 5):
            read = await read_lines(port, raw, enough=record.events, seconds=60)
            last = json.loads(read.last)["position"]
            if (read.lines, last) != (record.events, record.events):
                raise ValueError(f"{read.lines} events up to {last} were read of {record.events}")
            rates.append(read.lines / read.seconds)
            size = read.size
    return figure("feed", rates, events=record.events, bytes_per_event=round(size / record.events))


async def measure_board(ground: Ground, record: Record) -> Figure:
    """Milliseconds for a board on a past day and for today's, asked for in turn by one client."""
    days = [f"{FIRST_YEAR + year}-{month:02}-15" for year in range(1, YEARS) for month in (1, 4, 7, 11)]
    headers = ground.headers()
    asked = []
    for day in days:
        asked += [
            request("GET", f"{BOARD}&on={day}", headers=headers),
            request("GET", BOARD, headers=headers),
        ]
    past: list[float] = []
    present: list[float] = []
    with ground.service("reporting", record.url) as port:
        headers_, body = await answer(port, asked[0])
        outcome = await drive(
            port,
            asked,
            connections=1,
            count=len(asked) * (2 if ground.quick else 4),
            seconds=60,
            on_answer=lambda number, due, now, _: (present if number % 2 else past).append(
                (now - due) * 1000
            ),
        )
        outcome.demand_success()
    return figure(
        "board",
        past,
        present,
        commitments=record.commitments,
        days=len(days),
        groups=len(json.loads(body)["items"]),
        position=headers_.get("log-position"),
    )


async def measure_visible(ground: Ground, record: Record) -> Figure:
    """From the instant a POST is due until a board that reflects it has arrived, at a steady rate of writes.

    Each probe takes the newest acknowledged write and asks for a board with `wait_for` its position, so the time of
    that board request itself is part of the figure.
    """
    seconds = 3.0 if ground.quick else 8.0
    headers = ground.headers()
    posts = [
        request(
            "POST",
            f"/v1/commitments/{stream_of('commitment', code_of(number))}/assessments",
            headers=with_headers(headers, if_match="*"),
            body=assessment(number),
        )
        for number in range(WRITTEN)
    ]
    with ExitStack() as stack:
        writes = stack.enter_context(ground.service("commitments", record.url))
        reads = stack.enter_context(ground.service("reporting", record.url))
        stack.enter_context(ground.worker(record.url))
        await _caught_up(reads, request("GET", f"{NARROW}&wait_for={record.events}", headers=headers))
        await drive(writes, posts, seconds=10.0, count=len(posts), rate=WRITES)
        watch = _Watch()
        probing = [asyncio.create_task(watch.probe(reads, headers)) for _ in range(PROBES)]
        load = await drive(writes, posts, seconds=seconds, rate=WRITES, on_answer=watch.acknowledged)
        watch.over = True
        await asyncio.gather(*probing)
    load.demand_success()
    found = figure(
        "visible",
        [percentile(watch.from_due, 0.99)],
        commitments=len(posts),
        writes_per_second=round(load.rate),
        probes=len(watch.from_due),
        from_start_ms=_spread(watch.from_due),
        from_201_ms=_spread(watch.from_answer),
        post_ms=_spread([latency * 1000 for latency in load.latencies]),
    )
    if load.rate < WRITES * 0.95:
        found.failed = f"only {load.rate:.0f} of {WRITES} writes a second were done"
    return found


async def _caught_up(port: int, raw: bytes, seconds: float = 30) -> None:
    """Returns once the board reflects the log; the worker has only just been started."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            await answer(port, raw)
        except LoadFailed:
            if time.monotonic() > deadline:
                raise
        else:
            return


class _Watch:
    """Knows the newest acknowledged write, and how long others took to be seen."""

    def __init__(self) -> None:
        self.over = False
        self.newest: tuple[int, float, float] | None = None
        self.arrived = asyncio.Event()
        self.from_due: list[float] = []
        self.from_answer: list[float] = []

    def acknowledged(self, _number: int, due: float, now: float, whole: bytes) -> None:
        self.newest = (int(headers_of(whole)["log-position"]), due, now)
        self.arrived.set()

    async def probe(self, port: int, headers: dict[str, str]) -> None:
        while not self.over:
            self.arrived.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self.arrived.wait(), 0.5)
            if self.newest is None:
                continue
            position, due, answered = self.newest
            await answer(port, request("GET", f"{NARROW}&wait_for={position}", headers=headers))
            seen = time.perf_counter()
            self.from_due.append((seen - due) * 1000)
            self.from_answer.append((seen - answered) * 1000)


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {f"p{share * 100:g}": round(percentile(values, share), 1) for share in (0.5, 0.95, 0.99, 1.0)}
