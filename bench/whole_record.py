"""The record as a whole: import it, rebuild the read model from it, read its feed, ask for boards, see writes arrive."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

from bench.dataset import FIRST_YEAR, MAPPING, assessment, code_of, write_observations
from bench.figures import Figure, figure
from bench.ground import Ground, answer, declare_plan, headers_of, with_headers
from bench.load import Outcome, drive, percentile, request
from bench.postgres import fresh_database
from bench.processes import run
from bench.stream import read_lines
from services.reporting.read_model import open_read_model
from services.reporting.rebuild import rebuild
from shared.eventlog.store import open_store
from shared.events.streams import stream_of
from shared.identity.actor import Role

COMMITMENTS, YEARS = 10_000, 5
WRITES = 500
"""Writes per second while it is measured how fast they become visible."""
PROBES = 2
"""Clients that ask for the board while the writes go on, one request at a time each."""
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
    found: list[Figure] = []
    with imported(ground) as record:
        if "import" in wanted:
            rate = record.rows / record.seconds
            found.append(
                figure("import", [rate], rows=record.rows, events=record.events, seconds=round(record.seconds, 2))
            )
        steps: dict[str, Callable[[Ground, Record], Coroutine[Any, Any, Figure]]] = {
            "rebuild": measure_rebuild,
            "feed": measure_feed,
            "board": measure_board,
            "visible": measure_visible,
        }
        # Boards are read from what a rebuild made, as they would be in a new installation.
        needs_rebuild = wanted & {"rebuild", "board", "visible"}
        for name, step in steps.items():
            if name in wanted or (name == "rebuild" and needs_rebuild):
                one = await attempt(name, step(ground, record))
                if name in wanted:
                    found.append(one)
    return found


async def attempt(name: str, step: Coroutine[Any, Any, Figure]) -> Figure:
    """The figure, or why there is none."""
    try:
        return await step
    except Exception as error:  # noqa: BLE001 (whatever it is, the other figures are still wanted)
        return Figure(name=name, failed=f"{type(error).__name__}: {error}")


@contextmanager
def imported(ground: Ground) -> Iterator[Record]:
    """A fresh log into which the portfolio was imported by the command that people use."""
    commitments = COMMITMENTS // 5 if ground.quick else COMMITMENTS
    file = ground.directory / "observations.csv"
    rows = write_observations(file, commitments=commitments, years=YEARS)
    with fresh_database(ground.server_url) as url:
        ground.migrate(url)
        with ground.service("commitments", url) as port:
            asyncio.run_coroutine_threadsafe  # noqa: B018
            _in_new_loop(declare_plan(port, ground))
        seconds = run(
            *("services.cli", "import", str(file), "--mapping", str(MAPPING)),
            environ=ground.environ(url),
            log=ground.log("import"),
            seconds=180,
        )
        store = open_store(url)
        try:
            events = store.head()
        finally:
            store.close()
        yield Record(url, commitments, rows, events, seconds)
