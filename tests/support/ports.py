"""Ports of the loopback for servers that tests start.

A port that the system chose (`bind` to 0) comes from the range that every outgoing connection is given one from too, so
that between the choosing and the serving another process may have it. These lie below that range.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

FIRST, LAST = 15_000, 32_000
"""Above what services are usually found at, below what Linux and the others give to outgoing connections."""


def _in_turn() -> Iterator[int]:
    """Every port of the range, each once in a process; processes begin far from each other."""
    size = LAST - FIRST
    start = os.getpid() * 997 % size
    for number in range(size):
        yield FIRST + (start + number) % size


_PORTS = _in_turn()


def free_port() -> int:
    """A port that nobody has, and that no other caller in this process is given."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """The first of so many free ports in a row."""
    first = next(_PORTS)
    while True:
        row = range(first, first + count)
        if all(_is_free(port) for port in row):
            for _ in row[1:]:
                next(_PORTS)
            return first
        first = next(_PORTS)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
