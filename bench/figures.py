"""The figures of the benchmark: what each is, what it should reach, and what it reached."""

from __future__ import annotations

from statistics import median
from typing import Any, NamedTuple

import msgspec


class Goal(NamedTuple):
    """What a figure should reach: a ratio to the baseline, a rate, or a time; `at_most` says which way is good."""

    title: str
    unit: str
    bound: float
    text: str
    at_most: bool = False
    of_ratio: bool = False


GOALS = {
    "post": Goal("durable POST of an assessment", "requests/s", 8, "≥ 8 × the baseline", of_ratio=True),
    "get": Goal("GET of one commitment", "requests/s", 8, "≥ 8 × the baseline", of_ratio=True),
    "board": Goal(
        "board by pillar and status, past against today",
        "ms",
        1.5,
        "≤ 1.5 × today",
        at_most=True,
        of_ratio=True,
    ),
    "rebuild": Goal("rebuild of the read model", "events/s", 20_000, "≥ 20,000 events/s"),
    "feed": Goal("the feed, read by one client", "events/s", 100_000, "≥ 100,000 events/s"),
    "import": Goal("import", "rows/s", 5_000, "≥ 5,000 rows/s"),
    "visible": Goal(
        "append to visible on the board, at 500 writes/s", "ms, 99th percentile", 50, "≤ 50 ms", at_most=True
    ),
}


class Figure(msgspec.Struct, kw_only=True):
    """One row of the table: ours and, where there is one, what it is compared with; or why there is no figure."""

    name: str
    ours: float | None = None
    compared: float | None = None
    rounds: list[float] = []
    compared_rounds: list[float] = []
    detail: dict[str, Any] = {}
    failed: str | None = None

    @property
    def goal(self) -> Goal:
        """What it should reach."""
        return GOALS[self.name]

    @property
    def ratio(self) -> float | None:
        """Ours over what it is compared with."""
        return self.ours / self.compared if self.ours is not None and self.compared else None

    @property
    def reached(self) -> bool:
        """Whether the goal was reached."""
        value = self.ratio if self.goal.of_ratio else self.ours
        if value is None:
            return False
        return value <= self.goal.bound if self.goal.at_most else value >= self.goal.bound


def figure(name: str, rounds: list[float], compared: list[float] | None = None, **detail: Any) -> Figure:
    """The figure of some rounds: their medians."""
    return Figure(
        name=name,
        ours=median(rounds),
        compared=median(compared) if compared else None,
        rounds=rounds,
        compared_rounds=compared or [],
        detail=detail,
    )
