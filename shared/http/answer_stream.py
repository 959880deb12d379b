"""An answer on its way out: common headers, compression, and HEAD."""

from __future__ import annotations

import asyncio
import zlib
from functools import lru_cache

from starlette.types import Message, Send

SMALLEST_COMPRESSED = 1024
COMPRESSED_ASIDE = 256 * 1024
"""From this many bytes on, compressing would hold up the other requests: a thread does it."""
LEVEL = 4
GZIP = 16 + zlib.MAX_WBITS

_NOSNIFF = (b"x-content-type-options", b"nosniff")
_REVALIDATE = (b"cache-control", b"private, no-cache")
_NO_STORE = (b"cache-control", b"no-store")
_VARY = (b"vary", b"Accept, Accept-Encoding, Authorization, X-Api-Key")
_COMPRESSIBLE = (
    b"text/",
    b"application/json",
    b"application/problem+json",
    b"application/jsonl",
    b"application/openmetrics-text",
)
_EVENT_STREAM = b"text/event-stream"


class HeadAnsweredError(Exception):
    """The head of an answer has been sent, and HEAD asks for nothing more: ends an endless stream."""


class AnswerStream:
    """Wraps the server's `send` for one request."""

    def __init__(
        self,
        send: Send,
        method: str,
        path: str,
        request_headers: dict[bytes, bytes],
        request_id: str,
        more: list[tuple[bytes, bytes]],
    ) -> None:
        self.request_headers = request_headers
        self.more = more
        self.started = False
        self.head_answered = False
        self.status = 500
        self._send = send
        self._method = method
        self._is_api = path.startswith("/v1")
        self._request_id = request_id.encode("ascii")
        self._held: Message | None = None
        self._compressor: zlib._Compress | None = None

    async def send(self, message: Message) -> None:
        """Takes one ASGI message of the answer."""
        if message["type"] == "http.response.start":
            await self._start(message)
        elif message["type"] != "http.response.body":
            await self._send(message)
        elif self._held is not None:
            await self._first_of_known_length(self._held, message)
        elif self._compressor is not None:
            await self._compressed(self._compressor, message)
        else:
            await self._forward(message)

    async def _start(self, message: Message) -> None:
        self.status = message["status"]
        present: dict[bytes, bytes] = dict(message["headers"])
        headers = [*message["headers"], (b"x-request-id", self._request_id), _NOSNIFF, *self.more]
        if self._is_api:
            if self._method in {"GET", "HEAD"}:
                headers.append(_VARY)
                if b"cache-control" not in present:
                    headers.append(_REVALIDATE)
            elif b"cache-control" not in present:
                headers.append(_NO_STORE)
        message = {**message, "headers": headers}
        length = present.get(b"content-length")
        if self._to_compress(present, length):
            if length is not None:
                # The length changes with the body, so the head waits for it.
                self._held = message
                return
            self._compressor = zlib.compressobj(LEVEL, wbits=GZIP)
            message["headers"] = _gzipped(headers, None)
        await self._forward_start(message, endless=length is None and self.status not in {204, 304})

    def _to_compress(self, present: dict[bytes, bytes], length: bytes | None) -> bool:
        return (
            (length is None or int(length) >= SMALLEST_COMPRESSED)
            and self.status not in {204, 206, 304}
            and _accepts_gzip(self.request_headers.get(b"accept-encoding"))
            and b"content-encoding" not in present
            and present.get(b"content-type", b"").startswith(_COMPRESSIBLE)
            and not present[b"content-type"].startswith(_EVENT_STREAM)
        )

    async def _first_of_known_length(self, start: Message, message: Message) -> None:
        self._held = None
        if message.get("more_body", False):
            self._compressor = zlib.compressobj(LEVEL, wbits=GZIP)
            start["headers"] = _gzipped(start["headers"], None)
            await self._forward_start(start, endless=True)
            await self._compressed(self._compressor, message)
            return
        body = message.get("body", b"")
        if len(body) < COMPRESSED_ASIDE:
            body = _compressed(body)
        else:
            body = await asyncio.to_thread(zlib.compress, body, LEVEL, wbits=GZIP)
        start["headers"] = _gzipped(start["headers"], len(body))
        await self._forward_start(start, endless=False)
        await self._forward({"type": "http.response.body", "body": body})

    async def _compressed(self, compressor: zlib._Compress, message: Message) -> None:
        more = message.get("more_body", False)
        # Each part is flushed: who follows a stream gets it when it is written, not when a buffer fills.
        body = compressor.compress(message.get("body", b""))
        body += compressor.flush(zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH)
        await self._forward({"type": "http.response.body", "body": body, "more_body": more})

    async def _forward_start(self, message: Message, *, endless: bool) -> None:
        self.started = True
        await self._send(message)
        if endless and self._method == "HEAD":
            await self._forward({"type": "http.response.body", "body": b""})
            raise HeadAnsweredError

    async def _forward(self, message: Message) -> None:
        if self._method != "HEAD":
            await self._send(message)
        elif not self.head_answered:
            self.head_answered = True
            await self._send({"type": "http.response.body", "body": b""})


@lru_cache(maxsize=64)
def _compressed(body: bytes) -> bytes:
    """The body compressed: that of an answer which many are given is so once."""
    return zlib.compress(body, LEVEL, wbits=GZIP)


@lru_cache(maxsize=64)
def _accepts_gzip(value: bytes | None) -> bool:
    for part in (value or b"").lower().split(b","):
        name, _, parameters = part.partition(b";")
        if name.strip() == b"gzip":
            weight = parameters.strip().removeprefix(b"q=").strip()
            return not weight or weight.strip(b"0.") != b""
    return False


def _gzipped(headers: list[tuple[bytes, bytes]], length: int | None) -> list[tuple[bytes, bytes]]:
    """The head of the compressed answer: another representation, so its tag is a weak one."""
    changed = [(name, value) for name, value in headers if name != b"content-length"]
    for index, (name, value) in enumerate(changed):
        if name == b"etag" and not value.startswith(b"W/"):
            changed[index] = (name, b"W/" + value)
    changed.append((b"content-encoding", b"gzip"))
    if length is not None:
        changed.append((b"content-length", b"%d" % length))
    if not any(name == b"vary" for name, _ in changed):
        changed.append((b"vary", b"Accept-Encoding"))
    return changed
