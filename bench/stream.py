"""Reads a streamed answer of JSON Lines as fast as it comes: undoes the chunks, counts the lines, keeps the last."""

from __future__ import annotations

import asyncio
import time
from typing import NamedTuple, cast

from bench.load import END_OF_HEAD, LoadFailed

_CHUNKED = b"transfer-encoding: chunked"
_LENGTH = b"content-length: "


class Streamed(NamedTuple):
    """How much came, how long it took from the request to the last byte, and the last line."""

    lines: int
    size: int
    seconds: float
    last: bytes


class _Reader(asyncio.Protocol):
    def __init__(self, request: bytes, enough: int) -> None:
        self._request = request
        self._enough = enough
        self._head = b""
        self._in_body = False
        self._chunked = False
        self._left = 0
        """Bytes still to come of the chunk, or of the whole body where there are no chunks."""
        self._pending = b""
        self._tail = b""
        self.lines = 0
        self.size = 0
        self.started = time.perf_counter()
        self.done: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.started = time.perf_counter()
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._in_body:
            self._head += data
            end = self._head.find(END_OF_HEAD)
            if end < 0:
                return
            head, data = self._head[:end], self._head[end + 4 :]
            if head[9:12] != b"200":
                self._fail(f"the answer began {head[:200]!r} {data[:500]!r}")
                return
            lowered = head.lower()
            self._in_body = True
            self._chunked = _CHUNKED in lowered
            if not self._chunked:
                self._left = int(lowered.partition(_LENGTH)[2].partition(b"\r\n")[0])
        if self._chunked:
            self._unchunk(data)
        else:
            self._left -= len(data)
            self._take(data)
            if self._left == 0:
                self._finish()

    def _unchunk(self, data: bytes) -> None:
        if self._pending:
            data = self._pending + data
            self._pending = b""
        at = 0
        while at < len(data):
            if self._left:
                part = data[at : at + self._left]
                self._left -= len(part)
                at += len(part)
                self._take(part)
                continue
            line = data.find(b"\r\n", at)
            if line < 0:
                self._pending = data[at:]
                return
            size = data[at:line]
            at = line + 2
            if not size:
                continue  # the line end that follows every chunk
            self._left = int(size, 16)
            if self._left == 0:
                self._finish()
                return

    def _take(self, part: bytes) -> None:
        self.lines += part.count(b"\n")
        self.size += len(part)
        self._tail = (self._tail + part[-65536:])[-65536:]
        if self.lines >= self._enough:
            self._finish()

    @property
    def last(self) -> bytes:
        return self._tail.rstrip(b"\n").rpartition(b"\n")[2]

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(time.perf_counter())

    def _fail(self, why: str) -> None:
        if not self.done.done():
            self.done.set_exception(LoadFailed(why))

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(f"the connection ended after {self.lines} lines: {exc}")


async def read_lines(
    port: int, request: bytes, *, enough: int, seconds: float, host: str = "127.0.0.1"
) -> Streamed:
    """Reads an answer until it ends or has `enough` lines; `LoadFailed` when it is no 200 or takes too long."""
    loop = asyncio.get_running_loop()
    transport, reader = await loop.create_connection(lambda: _Reader(request, enough), host, port)
    try:
        ended = await asyncio.wait_for(asyncio.shield(reader.done), seconds)
    except TimeoutError as error:
        reader.done.cancel()
        raise LoadFailed(f"only {reader.lines} of {enough} lines came in {seconds:g} s") from error
    finally:
        transport.abort()
    return Streamed(reader.lines, reader.size, ended - reader.started, reader.last)
