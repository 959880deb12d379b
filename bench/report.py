"""The table at the end of a run, on the terminal and as files, with all that is needed to judge it."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from bench.figures import Figure
from bench.postgres import ServerFacts

LIBRARIES = ("fastapi", "uvicorn", "uvloop", "pydantic", "sqlalchemy", "psycopg", "eventsourcing", "msgspec")
HEADINGS = ("figure", "unit", "ours", "compared with", "ratio", "goal", "reached")


def circumstances(postgres: ServerFacts, *, quick: bool) -> dict[str, Any]:
    """The machine, the versions and the settings of the run."""
    return {
        "measured_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "quick": quick,
        "machine": {
            "cores": os.cpu_count(),
            "processor": _processor(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "system": platform.platform(terse=True),
            "load_before": [round(load, 2) for load in psutil.getloadavg()],
        },
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "postgresql": postgres._asdict(),
    }


def show(console: Console, figures: Sequence[Figure], facts: dict[str, Any]) -> None:
    """Prints the table and what it was measured on."""
    table = Table(title="Measured" + (" (quick: shorter and on less data)" if facts["quick"] else ""))
    for heading in HEADINGS:
        table.add_column(
            heading, justify="right" if heading in {"ours", "compared with", "ratio"} else "left"
        )
    for row in map(_cells, figures):
        table.add_row(*row, style=None if row[-1] == "yes" else "yellow")
    console.print(table)
    for one in figures:
        console.print(f"[bold]{one.name}[/bold] {_notes(one)}", soft_wrap=True)
    for line in _circumstances(facts):
        console.print(line, soft_wrap=True, highlight=False)


def write(directory: Path, figures: Sequence[Figure], facts: dict[str, Any]) -> None:
    """Writes `latest.json` and `latest.md`."""
    directory.mkdir(parents=True, exist_ok=True)
    rows = [
        msgspec.to_builtins(one) | {"goal": one.goal.text, "ratio": one.ratio, "reached": one.reached}
        for one in figures
    ]
    (directory / "latest.json").write_text(
        json.dumps({"circumstances": facts, "figures": rows}, indent=2, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    lines = ["# Measured", "", "| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    lines += ["| " + " | ".join(_cells(one)) + " |" for one in figures]
    lines += ["", *(f"- `{one.name}`: {_notes(one)}" for one in figures)]
    lines += ["", *_circumstances(facts)]
    (directory / "latest.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _cells(one: Figure) -> tuple[str, ...]:
    goal = one.goal
    if one.failed:
        return goal.title, goal.unit, "-", "-", "-", goal.text, "not measured"
    return (
        goal.title,
        goal.unit,
        _number(one.ours),
        _number(one.compared),
        f"{one.ratio:.2f} ×" if one.ratio is not None else "",
        goal.text,
        "yes" if one.reached else "no",
    )


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def _notes(one: Figure) -> str:
    return "; ".join(part for part in (one.failed, _told(one.detail)) if part)


def _told(detail: dict[str, Any]) -> str:
    parts = []
    for name, value in detail.items():
        told = (
            ", ".join(f"{key} {number}" for key, number in value.items())
            if isinstance(value, dict)
            else value
        )
        parts.append(f"{name.replace('_', ' ')}: {told}")
    return "; ".join(parts)


def _circumstances(facts: dict[str, Any]) -> list[str]:
    machine, postgres = facts["machine"], facts["postgresql"]
    settings = ", ".join(f"{name} {value}" for name, value in postgres["settings"].items())
    libraries = ", ".join(f"{name} {number}" for name, number in facts["libraries"].items())
    where = (
        f"Measured at {facts['measured_at']} on {machine['cores']} cores ({machine['processor']}),"
        f" {machine['memory_gib']} GiB, {machine['system']}, load before {machine['load_before']}."
    )
    return [
        where,
        "",
        f"PostgreSQL: {postgres['origin']}; {settings}; one durable commit {postgres['commit_ms']:.2f} ms.",
        "",
        f"Python {facts['python']}; {libraries}.",
    ]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
