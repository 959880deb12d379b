"""How far somebody who follows the log is behind it, since when, and whether that is too long."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from shared.errors import FellBehind
from shared.eventlog.store import Store

BOUND: Final = timedelta(seconds=60)
COUNTED: Final = 1_000
"""Events of some types are counted up to so many."""


class Lag(NamedTuple):
    """How many events somebody has not acted on yet, and when the log learned the first of them."""

    behind: int
    since: datetime | None


def lag_of(store: Store, position: int, types: Sequence[str] = ()) -> Lag:
    """The lag of whoever has followed events, or those of some types, up to a position."""
    head = store.head()
    if position >= head:
        return Lag(0, None)
    if not types:
        return Lag(head - position, store.recorded_at(position + 1))
    found = [at for at, _ in store.read(position, COUNTED, upto=head, types=types)]
    return Lag(len(found), store.recorded_at(found[0])) if found else Lag(0, None)


def keeping_up(code: str, summary: str, lag: Lag, now: datetime, bound: timedelta) -> str:
    """The summary with the lag in words; FellBehind when it has lasted for longer than the bound."""
    if lag.since is None:
        return summary
    told = f"{summary}; {lag.behind} behind the log since {lag.since:%Y-%m-%d %H:%M:%S} UTC"
    if now - lag.since > bound:
        raise FellBehind(code, told, behind=lag.behind, since=lag.since)
    return told
