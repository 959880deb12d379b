"""Python's cyclic garbage collector, set for processes that keep many objects for a long time."""

from __future__ import annotations

import gc


def spare_long_lived_objects() -> None:
    """Leave what exists now alone, and look through everything only once in a long while.

    A service holds tens of thousands of aggregates, and a full collection walks them all while every request waits.
    Almost nothing of ours is cyclic, so reference counting frees what a request leaves behind.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 500)
