"""Runs the benchmark: `python -m bench [--only post,get,…] [--quick]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
import uvloop
from rich.console import Console

from bench import report, single_requests, whole_record
from bench.figures import GOALS, Figure
from bench.ground import Ground
from bench.postgres import fresh_database, postgres_server, server_facts

RESULTS = Path(__file__).with_name("results")
SINGLE = {"post", "get"}

console = Console(width=None if sys.stdout.isatty() else 140)


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def main(
    only: Annotated[str, typer.Option(help=f"Which figures, separated by commas: {', '.join(GOALS)}.")] = "",
    quick: Annotated[bool, typer.Option(help="Shorter rounds on less data: to try, not to quote.")] = False,
    results: Annotated[Path, typer.Option(help="Where the results are written.")] = RESULTS,
) -> None:
    """Measure Bitácora against its baseline and its goals; status 1 when something could not be measured."""
    wanted = {name.strip() for name in only.split(",") if name.strip()} or set(GOALS)
    if unknown := wanted - set(GOALS):
        raise typer.BadParameter(f"there is no figure {', '.join(sorted(unknown))}")
    with (
        tempfile.TemporaryDirectory(prefix="bitacora-bench-") as directory,
        postgres_server() as (url, origin),
    ):
        with fresh_database(url) as trial:
            facts = report.circumstances(server_facts(trial, origin), quick=quick)
        figures = uvloop.run(_measure(Ground(url, Path(directory), quick), wanted))
    order = list(GOALS)
    figures.sort(key=lambda one: order.index(one.name))
    report.show(console, figures, facts)
    report.write(results, figures, facts)
    console.print(f"Written to {results / 'latest.md'} and latest.json.", soft_wrap=True)
    if any(one.failed for one in figures):
        raise typer.Exit(1)


async def _measure(ground: Ground, wanted: set[str]) -> list[Figure]:
    figures: list[Figure] = []
    for names, measure in ((SINGLE, single_requests.measure), (set(GOALS) - SINGLE, whole_record.measure)):
        if not wanted & names:
            continue
        console.print(f"Measuring {', '.join(name for name in GOALS if name in wanted & names)} …")
        try:
            figures += await measure(ground, wanted & names)
        except Exception as error:  # noqa: BLE001 (whatever it is, the other figures are still wanted)
            reason = f"{type(error).__name__}: {error}"
            figures += [Figure(name=name, failed=reason) for name in wanted & names]
    return figures


def cli() -> None:
    """The command line."""
    app()


if __name__ == "__main__":
    cli()
