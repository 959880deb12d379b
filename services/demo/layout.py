"""How the demonstration prints: tables narrow enough for 80 columns, in which no word and no number is cut."""

from __future__ import annotations

from rich import box
from rich.table import Table


def table(title: str) -> Table:
    """A table without vertical lines; columns are added by whoever fills it."""
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)


def add_whole(drawn: Table, *names: str) -> None:
    """Add columns of days, codes and numbers: they are as wide as what stands in them."""
    for name in names:
        drawn.add_column(name, no_wrap=True)


def add_wrapped(drawn: Table, name: str, width: int | None = None) -> None:
    """Add a column of words, which go on in the next line; at most so many characters wide."""
    drawn.add_column(name, overflow="fold", max_width=width)
