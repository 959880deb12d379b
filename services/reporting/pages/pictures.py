"""Pictures of the pages, as SVG in the page itself: no script, no style of its own, and a text for who does not see it.

Every number in a picture stands in a table beside it as well. Colours are classes of the style sheet, and no colour
says alone what a mark or a word does not say too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

from markupsafe import Markup, escape

MARKS: Final[Mapping[str, str]] = {
    "discarded": "✕",
    "delayed": "■",
    "needs_attention": "▲",
    "needs_attention_internal_deadline": "△",
    "on_time": "●",
    "achieved": "✓",
    "merged": "→",
    "split": "÷",
}
"""The mark of each state, so that nobody needs its colour."""

WIDTH: Final = 720
_MARGIN: Final = 44
_HEIGHT: Final = 240
_LABELS: Final = 220
"""Where the bars of a waterfall begin; their names stand before them."""
_ROW: Final = 28


class Share(NamedTuple):
    """A part of a whole: of which state, what it is called, how many."""

    state: str
    label: str
    many: int


class Run(NamedTuple):
    """Days in one state, from the first until the eve of the last; what is told of them."""

    state: str
    first: date
    until: date
    label: str


class Value(NamedTuple):
    """A value on a day, and what is told of it."""

    on: date
    value: Decimal
    label: str


class Step(NamedTuple):
    """From one count to another, what it is called, and of which sort it is; a `total` stands on the ground."""

    label: str
    before: int
    after: int
    total: bool = False
    sort: str = ""


class _Scale:
    """From what is shown to where it is drawn."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self._low, self._start = low, start
        self._by = (end - start) / (high - low)

    def __call__(self, value: float) -> float:
        return self._start + (value - self._low) * self._by


def bar(shares: Sequence[Share], title: str) -> Markup:
    """How many are in which state: one bar, its parts as long as they are many."""
    total = sum(one.many for one in shares)
    parts, x = [], 0.0
    for one in shares:
        width = WIDTH * one.many / total if total else 0.0
        if width:
            parts.append(
                Markup('<g><rect class="s-{}" x="{:.1f}" y="0" width="{:.1f}" height="40"/>').format(
                    one.state, x, width
                )
            )
            if width > 44:
                text = f"{MARKS.get(one.state, '')} {one.many}"
                parts.append(
                    Markup('<text class="on-{}" x="{:.1f}" y="26" text-anchor="middle">{}</text>').format(
                        one.state, x + width / 2, text
                    )
                )
            parts.append(Markup("<title>{}: {}</title></g>").format(one.label, one.many))
        x += width
    return _svg(parts, 40, title, "picture bar")


def band(runs: Sequence[Run], deadlines: Iterable[tuple[date, str]], title: str, end: date) -> Markup:
    """The states of a commitment over time, with the days promised to the public as marks below."""
    if not runs:
        return Markup("")
    marks = list(deadlines)
    first, last = runs[0].first, max([end, *(day for day, _ in marks)])
    scale = _Scale(first.toordinal(), max(last.toordinal(), first.toordinal() + 1), 7, WIDTH - 7)
    parts = []
    for run in runs:
        x, until = scale(run.first.toordinal()), scale(min(run.until, last).toordinal())
        width = max(until - x, 1.0)
        shape = Markup('<g><rect class="s-{}" x="{:.1f}" y="0" width="{:.1f}" height="34"/>').format(
            run.state, x, width
        )
        if width > 20:
            shape += Markup('<text class="on-{}" x="{:.1f}" y="23" text-anchor="middle">{}</text>').format(
                run.state, x + width / 2, MARKS.get(run.state, "")
            )
        parts.append(shape + Markup("<title>{}</title></g>").format(run.label))
    for day, label in marks:
        x = scale(day.toordinal())
        parts.append(
            Markup('<g><path class="mark" d="M{0:.1f} 36 l6 12 h-12 z"/><title>{1}</title></g>').format(
                x, label
            )
        )
    parts += _years(first, last, scale, 62)
    return _svg(parts, 66, title)


def lines(
    measured: Sequence[Value], planned: Sequence[Value], targets: Sequence[Value], title: str
) -> Markup:
    """Measured values as points on a line, planned ones as a broken line, targets as marks."""
    everything = [*measured, *planned, *targets]
    if not everything:
        return Markup("")
    days = [one.on.toordinal() for one in everything]
    values = [float(one.value) for one in everything]
    low, high = min(values), max(values)
    room = (high - low) * 0.1 or abs(high) * 0.1 or 1.0
    x = _Scale(min(days), max(*days, min(days) + 1), _MARGIN, WIDTH - 12)
    y = _Scale(low - room, high + room, _HEIGHT - 24, 8)
    parts = [
        Markup('<text class="axis" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
            _MARGIN - 6, y(value) + 4, f"{value:g}"
        )
        for value in sorted({low, high})
    ]
    for sort, points in (("planned", planned), ("measured", measured)):
        if len(points) > 1:
            along = " ".join(f"{x(one.on.toordinal()):.1f},{y(float(one.value)):.1f}" for one in points)
            parts.append(Markup('<polyline class="{}" points="{}"/>').format(sort, along))
    point = Markup('<g><circle class="measured" cx="{:.1f}" cy="{:.1f}" r="5"/><title>{}</title></g>')
    parts += [point.format(x(one.on.toordinal()), y(float(one.value)), one.label) for one in measured]
    for one in targets:
        across, down = x(one.on.toordinal()), y(float(one.value))
        parts.append(
            Markup(
                '<g><path class="target" d="M{:.1f} {:.1f} l7 7 l-7 7 l-7 -7 z"/><title>{}</title></g>'
            ).format(across, down - 7, one.label)
        )
    parts += _years(date.fromordinal(min(days)), date.fromordinal(max(days)), x, _HEIGHT - 6)
    return _svg(parts, _HEIGHT, title)


def waterfall(steps: Sequence[Step], title: str) -> Markup:
    """From one count to another in steps: a bar for each, that begins where the one before it ended."""
    most = max(max(one.before, one.after) for one in steps)
    scale = _Scale(0, max(most, 1), _LABELS, WIDTH - 60)
    parts = []
    for row, one in enumerate(steps):
        begin, end = sorted((0, one.after) if one.total else (one.before, one.after))
        sort = "total" if one.total else f"step s-{one.sort}"
        number = str(one.after) if one.total else f"{one.after - one.before:+d}".replace("-", "−")
        y = row * _ROW
        parts.append(
            Markup(
                '<g><text class="label" x="{}" y="{}" text-anchor="end">{}</text>'
                '<rect class="{}" x="{:.1f}" y="{}" width="{:.1f}" height="{}"/>'
                '<text class="label" x="{:.1f}" y="{}">{}</text><title>{}: {}</title></g>'
            ).format(
                *(_LABELS - 8, y + 18, one.label),
                *(sort, scale(begin), y + 3, max(scale(end) - scale(begin), 2), _ROW - 6),
                *(max(scale(end), scale(begin) + 2) + 6, y + 18, number, one.label, number),
            )
        )
    return _svg(parts, _ROW * len(steps), title)


def _years(first: date, last: date, scale: _Scale, y: float) -> list[Markup]:
    step = max(1, (last.year - first.year) // 8)
    days = [date(year, 1, 1) for year in range(first.year + 1, last.year + 1, step)]
    return [
        Markup('<text class="axis" x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(
            scale(day.toordinal()), y, day.year
        )
        for day in days
    ]


def _svg(parts: Iterable[Markup], height: int, title: str, kind: str = "picture") -> Markup:
    # Without a ratio to keep, a bar can be drawn as high as a finger where the page is narrow.
    return Markup(
        '<svg class="{}" viewBox="0 0 {} {}" preserveAspectRatio="{}" role="img" aria-label="{}">{}</svg>'
    ).format(
        *(kind, WIDTH, height, "none" if "bar" in kind else "xMidYMid", escape(title)),
        Markup("").join(parts),
    )
