"""The answer to bytes that are no HTTP request: a problem document like every other refusal."""

from __future__ import annotations

import uuid

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from shared.http.problems import MEDIA_TYPE, ProblemDocument

DETAIL = (
    "This is no HTTP request that can be read. What is not ASCII in an address is percent-encoded as UTF-8: "
    "'educaci%C3%B3n' for 'educación', and '%20' for a blank."
)


class Protocol(HttpToolsProtocol):
    """The server's own protocol, which says in our words what it cannot read."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the server's own words, which are not sent
        """Answers what is no request, and ends the connection."""
        document = ProblemDocument(
            type="/errors/malformed-request",
            title="Malformed request",
            status=400,
            detail=DETAIL,
            instance="",
            request_id=str(uuid.uuid4()),
        )
        body = msgspec.json.encode(document)
        head = (
            f"HTTP/1.1 400 Bad Request\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
            f"X-Request-Id: {document.request_id}\r\nConnection: close\r\n\r\n"
        )
        self.transport.write(head.encode("ascii") + body)
        self.transport.close()
