"""Four reads of reporting to one write, by every role over every kind of question: how many requests a second.

    .venv/bin/python -m bench.mix URL [--seconds 20] [--kept 64,0]

The record is one that `bench.generator` made, with its read model; the writes stay in it. All services and the worker
are processes of their own, asked by 16 clients over keep-alive connections as fast as they are answered. A round
follows for each size of what is kept of answers, in megabytes.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from bench.ground import Ground, answer, with_headers
from bench.load import END_OF_HEAD, LENGTH, percentile, request
from bench.processes import free_port, running
from bench.reads import ASKERS, READS, TODAY
from shared.identity.actor import Role

CLIENTS = 16
NOT_FOR_ALL = ("/v1/progress-reports", "/v1/due", "/v1/load")
"""What nobody is answered without a token."""


class Asked(NamedTuple):
    """A request, to which service, and under what name it is counted."""

    service: str
    name: str
    raw: bytes


class Outcome(NamedTuple):
    """What a round came to: answered requests, the seconds it took, refusals, and milliseconds by name."""

    answered: int
    seconds: float
    refused: Counter[str]
    took: dict[str, list[float]]

    @property
    def rate(self) -> float:
        """Answered requests a second."""
        return self.answered / self.seconds


def reads(ground: Ground) -> list[Asked]:
    """Every read by every role that may."""
    found = []
    for asker, who in ASKERS.items():
        headers = {} if who is None else ground.headers(who[0], who[1])
        for path in READS:
            if who is None and path.startswith(NOT_FOR_ALL):
                continue
            raw = request("GET", f"{path}{TODAY}" if path.endswith("=") else path, headers=headers)
            found.append(Asked("reporting", f"{path} as {asker}", raw))
    # One after another they are of different kinds and roles; 7 has no divisor in common with how many there are.
    return [found[(number * 7) % len(found)] for number in range(len(found))]


async def writes(ground: Ground, port: int) -> list[Asked]:
    """Judgements, comments and reports on commitments that are open, and progress of tasks that are."""
    unit, ministry = ground.headers(), ground.headers(Role.MINISTRY, "M03")
    found = []
    of_unit = await _listed(port, "/v1/commitments?status=on_time,delayed&limit=200", unit)
    own = await _listed(port, "/v1/commitments?status=on_time,delayed&limit=200&organization=M03", unit)
    tasks = await _listed(
        port, "/v1/action-items?state=open,overdue&owner_organization=M03&limit=200", ministry
    )
    day = TODAY.isoformat()
    for number, one in enumerate(of_unit):
        path = f"/v1/commitments/{one['id']}"
        judged = {
            "judgement": "at_risk" if number % 3 else "on_track",
            "reason": "As told",
            "effective_on": day,
        }
        found.append(_write("commitments", f"{path}/assessments", unit, judged))
        found.append(
            _write("commitments", f"{path}/comments", unit, {"text": "As told", "effective_on": day})
        )
        if own:
            path = f"/v1/commitments/{own[number % len(own)]['id']}"
            report = {"period": f"{TODAY.year - 1}-Q4", "observed_progress": "As told", "effective_on": day}
            found.append(_write("commitments", f"{path}/progress-reports", ministry, report))
        if tasks:
            path = f"/v1/action-items/{tasks[number % len(tasks)]['id']}/progress"
            found.append(_write("meetings", path, ministry, {"text": "As told", "effective_on": day}))
    return found


async def _listed(port: int, path: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    _, body = await answer(port, request("GET", path, headers=headers))
    items: list[dict[str, Any]] = json.loads(body)["items"]
    return items


def _write(service: str, path: str, headers: dict[str, str], body: object) -> Asked:
    raw = request("POST", path, headers=with_headers(headers, if_match="*"), body=body)
    return Asked(service, f"POST …/{path.rsplit('/', 1)[1]}", raw)


async def _exchanged(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, raw: bytes) -> str:
    """The status of the answer to a request, which is read to its end."""
    writer.write(raw)
    head = await reader.readuntil(END_OF_HEAD)
    at = head.lower().find(LENGTH) + len(LENGTH)
    await reader.readexactly(int(head[at : head.index(b"\r\n", at)]))
    return head[9:12].decode()


async def drive(ports: dict[str, int], asked: list[Asked], told: list[Asked], seconds: float) -> Outcome:
    """Let all clients ask, four reads and then a write, until the time is up."""
    number = count()
    refused = Counter[str]()
    took = defaultdict[str, list[float]](list)
    end = time.perf_counter() + seconds

    async def client() -> None:
        opened = dict[str, tuple[asyncio.StreamReader, asyncio.StreamWriter]]()
        while time.perf_counter() < end:
            place = next(number)
            one = told[place // 5 % len(told)] if place % 5 == 4 else asked[(place - place // 5) % len(asked)]
            began = time.perf_counter()
            try:
                if one.service not in opened:
                    opened[one.service] = await asyncio.open_connection("127.0.0.1", ports[one.service])
                status = await _exchanged(*opened[one.service], one.raw)
            except (asyncio.IncompleteReadError, ConnectionError):
                # It was idle for longer than servers keep a connection; the next request opens another.
                opened.pop(one.service)[1].close()
                continue
            if status.startswith("2"):
                took[one.name].append((time.perf_counter() - began) * 1000)
            else:
                refused[f"{status} {one.name}"] += 1
        for _, writer in opened.values():
            writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return Outcome(sum(map(len, took.values())), time.perf_counter() - began, refused, took)


async def measure(url: str, seconds: float, kept: list[int]) -> dict[int, Outcome]:
    """A round for each size of what is kept of answers, in megabytes."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="bitacora-bench-") as directory:
        ground = Ground(url, Path(directory), quick=False)
        for megabytes in kept:
            with ExitStack() as stack:
                port = free_port()
                environ = ground.environ(url, port) | {"BITACORA_ANSWERS_MEGABYTES": str(megabytes)}
                stack.enter_context(
                    running(
                        "services.reporting",
                        environ=environ,
                        log=ground.log("reporting"),
                        port=port,
                        ready="/health/live",
                    )
                )
                stack.enter_context(ground.worker(url))
                services = ("commitments", "meetings")
                ports = {name: stack.enter_context(ground.service(name, url)) for name in services}
                told = await writes(ground, port)
                found[megabytes] = await drive({**ports, "reporting": port}, reads(ground), told, seconds)
    return found


def main(
    url: Annotated[str, typer.Argument(help="The log, with the record of `bench.generator`.")],
    seconds: Annotated[float, typer.Option(help="How long a round lasts.")] = 20,
    kept: Annotated[str, typer.Option(help="Megabytes of answers to keep, a round for each.")] = "64,0",
) -> None:
    """Measure the mix of reads and writes."""
    outcomes = uvloop.run(measure(url, seconds, [int(one) for one in kept.split(",")]))
    console = Console(width=140)
    for megabytes, one in outcomes.items():
        every = [value for values in one.took.values() for value in values]
        console.print(
            f"{megabytes} MB kept: {one.rate:.0f} requests/s, median {percentile(every, 0.5):.0f} ms, "
            f"95th percentile {percentile(every, 0.95):.0f} ms; refused: {dict(one.refused) or 'none'}"
        )
    table = Table("request", *(f"{megabytes} MB: median ms" for megabytes in outcomes))
    for name in sorted({name for one in outcomes.values() for name in one.took}):
        values = (one.took.get(name) for one in outcomes.values())
        table.add_row(name, *("" if not each else f"{percentile(each, 0.5):.1f}" for each in values))
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
