"""What a bad disk does to a line of the log."""

from __future__ import annotations

from collections.abc import Callable

from tests.support.ledger import run_sql


def damage(log_url: str, position: int, change: Callable[[bytes], bytes]) -> None:
    """Make the line at a position another one."""
    select = "SELECT state FROM stored_events WHERE notification_id = %s"
    line = bytes(run_sql(log_url, select, position)[0][0])
    assert change(line) != line
    run_sql(log_url, "UPDATE stored_events SET state = %s WHERE notification_id = %s", change(line), position)


def spoil(line: bytes) -> bytes:
    """One byte another: no JSON any more."""
    return line.replace(b'"data":', b'"data";')


def mend(line: bytes) -> bytes:
    """As it was before it was spoilt."""
    return line.replace(b'"data";', b'"data":')
