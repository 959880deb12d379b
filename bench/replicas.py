"""Writing through several replicas of the commitments service behind a balancer, against writing through one.

`python -m bench.replicas [--seconds 4] [--rounds 3]`: 64 connections POST assessments over 2,000 commitments, any of
them through any replica; one and two processes in alternating rounds on the same server.
"""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from bench.dataset import REGISTERED, assessment, registration
from bench.ground import Ground, all_once, declare_plan, ids_of, with_headers
from bench.load import drive, request
from bench.postgres import fresh_database, postgres_server

CONNECTIONS = 64
WARM_UP = 1.5

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(seconds: float = 3.0, rounds: int = 3, processes: Annotated[str, typer.Option()] = "1,2") -> None:
    """Print the durable POSTs a second for each number of processes, and the ratio to the first."""
    counts = [int(part) for part in processes.split(",")]
    console = Console()
    with (
        tempfile.TemporaryDirectory(prefix="bitacora-bench-") as directory,
        postgres_server() as (url, origin),
    ):
        console.print(f"PostgreSQL: {origin}")
        rates = uvloop.run(_measure(Ground(url, Path(directory), quick=False), counts, seconds, rounds))
    first = median(rates[counts[0]])
    for count in counts:
        middle = median(rates[count])
        console.print(
            f"{count} process(es): {middle:,.0f} POST/s ({middle / first:.2f}), rounds "
            f"{', '.join(f'{rate:,.0f}' for rate in rates[count])}"
        )


async def _measure(ground: Ground, counts: list[int], seconds: float, rounds: int) -> dict[int, list[float]]:
    rates: dict[int, list[float]] = {count: [] for count in counts}
    for _ in range(rounds):
        for count in counts:
            rates[count].append(await _round(ground, count, seconds))
    return rates


async def _round(ground: Ground, count: int, seconds: float) -> float:
    """One round on a log of its own: as many processes as wanted, warmed up, then measured."""
    with ExitStack() as stack:
        url = stack.enter_context(fresh_database(ground.server_url))
        ground.migrate(url)
        ports = [stack.enter_context(ground.service("commitments", url)) for _ in range(count)]
        await declare_plan(ports[0], ground)
        await asyncio.sleep(1)
        headers = ground.headers()
        registrations = [
            request("POST", "/v1/commitments", headers=headers, body=registration(number))
            for number in range(REGISTERED)
        ]
        ids = ids_of(await all_once(ports[0], registrations))
        posts = [
            request(
                "POST",
                f"/v1/commitments/{id_}/assessments",
                headers=with_headers(headers, if_match="*"),
                body=assessment(number),
            )
            for number, id_ in enumerate(ids)
        ]
        await drive(ports, posts, connections=CONNECTIONS, seconds=WARM_UP)
        outcome = await drive(ports, posts, connections=CONNECTIONS, seconds=seconds)
        return outcome.demand_success().rate


if __name__ == "__main__":
    app()
