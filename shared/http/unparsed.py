"""What holds before there is a request: how large its head may be, how long it may take, and what is no request.

Such bytes are answered with a problem document like every other refusal.
"""

from __future__ import annotations

import asyncio
import uuid
from http import HTTPStatus
from typing import Any, Final

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.http.catalogue import CODES
from shared.http.problems import MEDIA_TYPE, ProblemDocument

DETAIL = (
    "This is no HTTP request that can be read. What is not ASCII in an address is percent-encoded as UTF-8: "
    "'educaci%C3%B3n' for 'educación', and '%20' for a blank."
)
LARGEST_HEAD: Final = 64 * 1024
"""Bytes of a request that are not its body, from which on it is refused; what came at once is read as a whole."""
HEAD_SECONDS: Final = 20.0
"""For how long the head of a request may be on its way, or a new connection say nothing."""
REQUEST_SECONDS: Final = 120.0
"""For how long a whole request may be on its way."""


class Protocol(HttpToolsProtocol):
    """The server's own protocol, which bounds what it keeps of a head and says in our words what it cannot read."""

    head_seconds = HEAD_SECONDS
    request_seconds = REQUEST_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._beside_body = 0
        self._begun_at: float | None = None
        self._head_is_there = False
        self._watch: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begins to wait for a head."""
        super().connection_made(transport)
        self._begun_at = self.loop.time()
        self._watch = self.loop.call_later(self.head_seconds / 2, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops waiting."""
        super().connection_lost(exc)
        if self._watch is not None:
            self._watch.cancel()

    def data_received(self, data: bytes) -> None:
        """Reads on, as long as what is kept beside the body stays small: headers, trailers, the marks of chunks."""
        self._beside_body += len(data)
        super().data_received(data)
        if self._beside_body > LARGEST_HEAD and not self.transport.is_closing():
            cycle: Any = self.cycle  # none yet, before the first request
            if cycle is None or cycle.response_complete:
                self._refuse("head-too-large", CODES["head-too-large"].explanation)
            else:
                self.transport.close()

    def on_message_begin(self) -> None:
        """A head is on its way."""
        self._begun_at = self.loop.time()
        self._head_is_there = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is there."""
        self._head_is_there = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A part of the body, whose size is the route's concern."""
        self._beside_body -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is there, and nothing of the next one that would be worth counting."""
        self._beside_body = 0
        self._begun_at = None
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the server's own words, which are not sent
        """Answers what is no request, and ends the connection."""
        self._refuse("malformed-request", DETAIL)

    def _look(self) -> None:
        """Ends a connection whose request does not come to an end, or never began."""
        limit = self.request_seconds if self._head_is_there else self.head_seconds
        if self._begun_at is not None and self.loop.time() - self._begun_at >= limit:
            self.transport.close()
        else:
            self._watch = self.loop.call_later(self.head_seconds / 2, self._look)

    def _refuse(self, code: str, detail: str) -> None:
        status, title, _ = CODES[code]
        document = ProblemDocument(
            type=f"/errors/{code}",
            title=title,
            status=status,
            detail=detail,
            instance="",
            request_id=str(uuid.uuid4()),
        )
        body = msgspec.json.encode(document)
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
            f"Content-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            f"X-Request-Id: {document.request_id}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
