"""Every read of reporting over a large record, for every role: how long it takes, and which statements it asks.

    .venv/bin/python -m bench.reads URL [--rounds 7] [--only board]
    .venv/bin/python -m bench.reads URL --plans bench/plans    also how the engine carries out the longest of each

The record is one that `bench.generator` made, with its read model (`bitacora migrate`). The service runs in this
process and without a network, so what is measured is its own work and the engine's. Each request is about another day,
so that no answer is one that was kept; `again` is the time of a request that was asked before.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Annotated, Any, NamedTuple

import httpx
import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, event

from bench.generator import FIRST_DAY, YEARS
from services.reporting.app import create_app
from services.reporting.datasets import Schema
from services.reporting.generations import open_read_model
from shared.clock import Clock
from shared.collector import spare_long_lived_objects
from shared.identity.actor import Role
from shared.identity.development import issue_development_token
from shared.settings import Settings

TODAY = FIRST_DAY.replace(year=FIRST_DAY.year + YEARS)
PAST = FIRST_DAY.replace(year=FIRST_DAY.year + YEARS // 2)
ASKERS: dict[str, tuple[Role, str] | None] = {
    "unit": (Role.DCI, "DCI"),
    "budget": (Role.DIPRES, "DIPRES"),
    "ministry": (Role.MINISTRY, "M03"),
    "public": None,
}
READS = (
    "/v1/board",
    "/v1/board?group_by=pillar,status",
    "/v1/board?count_by=promise&group_by=pillar",
    "/v1/board?pillar=health&status=delayed&include=total",
    "/v1/board/changes?from=2016-06-30&to=",
    "/v1/commitments",
    "/v1/commitments?q=hospital",
    "/v1/commitments?q=budget%20road&organization=M03",
    "/v1/commitments/C-00003",
    "/v1/commitments/C-00003/timeline",
    "/v1/decisions",
    "/v1/decisions?organization=M03&acknowledged=false",
    "/v1/decisions/changes",
    "/v1/decisions/gaps",
    "/v1/meeting-register",
    "/v1/meeting-register?include=total&period=quarter",
    "/v1/action-items",
    "/v1/action-items?owner_organization=M03&include=total",
    "/v1/tree",
    "/v1/plan-profile",
    "/v1/indicators",
    "/v1/warning-signs",
    "/v1/timeliness",
    "/v1/progress-reports?review=pending",
    "/v1/staleness",
    "/v1/due?organization=M03",
    "/v1/load",
)
"""One of each kind of question, with the filters by which it is usually asked."""
PAGES = (
    "/",
    "/commitments",
    "/commitments?q=hospital",
    "/commitments/C-00003",
    "/pillars/health",
    "/plan",
    "/changes",
    "/reconciliation",
    "/indicators",
    "/meetings",
    "/editions",
    "/news.atom",
    "/pillars/health/news.atom",
    "/commitments/C-00003/news.atom",
    "/deadlines.ics",
)
"""The pages that ask something of the record; they are for those without a token."""


ANSWERED = {200, 401, 403, 404}
"""Some of it is hidden from some, and that takes its time as well."""


LONGEST_LINE = 240


class Statement(NamedTuple):
    """One statement as it was sent, and the milliseconds until its first rows."""

    text: str
    parameters: Any
    took: float


class Measured(NamedTuple):
    """A read by one asker, in milliseconds; `past` is half-way through the record."""

    path: str
    asker: str
    today: float
    past: float
    again: float
    cpu: float
    """Of this process alone: of the service, that is, and of the client that asks it."""
    statements: list[Statement]
    size: int


@contextmanager
def statements() -> Iterator[list[Statement]]:
    """The statements that are sent to the read model meanwhile."""
    found: list[Statement] = []
    began = 0.0

    def before(*_: Any) -> None:
        nonlocal began
        began = time.perf_counter()

    def after(_c: Any, _cursor: Any, text: str, parameters: Any, *_: Any) -> None:
        found.append(Statement(text, parameters, (time.perf_counter() - began) * 1000))

    event.listen(Engine, "before_cursor_execute", before)
    event.listen(Engine, "after_cursor_execute", after)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", before)
        event.remove(Engine, "after_cursor_execute", after)


async def measure(url: str, read_model_url: str, rounds: int, only: str) -> list[Measured]:
    """Each read by each asker: medians of so many rounds, after one that does not count."""
    with tempfile.TemporaryDirectory(prefix="bitacora-bench-") as directory:
        settings = Settings(
            log_url=url,
            read_model_url=read_model_url,
            data_dir=Path(directory),
            access_log=False,
            ready_lag_seconds=3_600,
        )
        app = create_app(settings)
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench", timeout=60)
        async with app.router.lifespan_context(app), client:
            spare_long_lived_objects()  # as in the process of a service
            return [
                await _measured(client, settings, path, asker, rounds)
                for path in (*READS, *PAGES)
                if only in path
                for asker in (["public"] if path in PAGES else ASKERS)
            ]


async def _measured(
    client: httpx.AsyncClient, settings: Settings, path: str, asker: str, rounds: int
) -> Measured:
    headers = _headers(settings, asker)
    parameter = "" if path.endswith("=") else f"{'&' if '?' in path else '?'}on="

    async def ask(day: date, earlier: int) -> tuple[float, int]:
        began = time.perf_counter()
        answer = await client.get(f"{path}{parameter}{day - timedelta(earlier)}", headers=headers)
        took = (time.perf_counter() - began) * 1000
        if answer.status_code not in ANSWERED:
            raise RuntimeError(f"{path} as {asker}: {answer.status_code} {answer.text[:500]}")
        return took, len(answer.content)

    await ask(TODAY, 0)
    with statements() as sent:
        _, size = await ask(TODAY, 1)
    # Each of another day, and so none that was kept.
    began = time.process_time()
    present = [(await ask(TODAY, 2 + number))[0] for number in range(rounds)]
    cpu = (time.process_time() - began) * 1000 / rounds
    past = [(await ask(PAST, number))[0] for number in range(rounds)]
    repeated = [(await ask(TODAY, 1))[0] for _ in range(rounds)]
    return Measured(path, asker, median(present), median(past), median(repeated), cpu, list(sent), size)


def _headers(settings: Settings, asker: str) -> dict[str, str]:
    who = ASKERS[asker]
    if who is None:
        return {"Accept": "text/html, application/json"}
    role, organization = who
    token = issue_development_token(
        settings.effective_development_key_file,
        role=role,
        organization=organization,
        now=datetime.now(UTC),
    )
    return {"Authorization": f"Bearer {token}"}


def write_plans(folder: Path, url: str, found: list[Measured]) -> None:
    """Write, a file for each read, how PostgreSQL carries out the longest of its statements for each asker."""
    folder.mkdir(parents=True, exist_ok=True)
    read_model = open_read_model(url, Schema(Clock().zone.key))
    written = dict[Path, list[str]]()
    with read_model.reading() as reading:
        for one in found:
            lines = written.setdefault(folder / f"{slug(one.path)}.txt", [one.path])
            if one.statements:
                each = max(one.statements, key=lambda statement: statement.took)
                rows = reading.connection.exec_driver_sql(f"EXPLAIN (ANALYZE) {each.text}", each.parameters)
                lines.append(f"\n--- {one.asker}")
                lines += [_shortened(str(row[0]).replace(f"{reading.generation}.", "")) for row in rows]
    read_model.close()
    for file, lines in written.items():
        file.write_text("\n".join(lines) + "\n")


def slug(path: str) -> str:
    """The name of a file for a read."""
    return re.sub(r"[^a-z0-9]+", "-", path.removeprefix("/v1/").lower()).strip("-")


def _shortened(line: str) -> str:
    """A line of a plan without the middle of what is too long to be read: nodes of interval trees, mostly."""
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 40]} … {line[-40:]}"


def main(
    url: Annotated[str, typer.Argument(help="The log, with the record of `bench.generator`.")],
    read_model: Annotated[str, typer.Option(help="The read model; by default in the same database.")] = "",
    rounds: Annotated[int, typer.Option(help="How often each is asked.")] = 7,
    only: Annotated[str, typer.Option(help="Only reads with this in their path.")] = "",
    plans: Annotated[
        Path | None, typer.Option(help="Where to write the plans of PostgreSQL for each read's statements.")
    ] = None,
) -> None:
    """Measure every read for every role."""
    found = asyncio.run(measure(url, read_model or url, rounds, only))
    table = Table(
        "read", "asker", "today ms", "past ms", "again ms", "CPU ms", "statements", "in SQL ms", "kB"
    )
    for one in found:
        table.add_row(
            one.path,
            one.asker,
            *(f"{value:.1f}" for value in (one.today, one.past, one.again, one.cpu)),
            str(len(one.statements)),
            f"{sum(each.took for each in one.statements):.1f}",
            f"{one.size / 1024:.0f}",
        )
    console = Console(width=140)
    console.print(table)
    if plans is not None:
        write_plans(plans, read_model or url, found)


if __name__ == "__main__":
    typer.run(main)
