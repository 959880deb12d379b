"""Many commands in one request, for scripts: each is carried out as if it had been sent by itself.

A command goes through the whole service once more: who may do what, limits, `If-Match` and `Idempotency-Key` are those
of its own route, and it is a transaction of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, cast
from urllib.parse import unquote

import msgspec
from pydantic import Field, field_validator, model_validator
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Scope

from shared.errors import InvalidValue
from shared.http.body import LARGEST
from shared.http.context import context_of
from shared.http.requests import RequestModel
from shared.http.responses import JSON, encoded
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access

PATH: Final = "/v1/batch"
MOST: Final = 500
"""Commands in a batch."""
SECONDS: Final = 30.0
"""How long after its beginning a batch still begins commands."""
_AGAIN_LATER: Final = (429, 503)
_GO_ALONG: Final[tuple[bytes, ...]] = (b"authorization", b"x-api-key", b"accept-language", b"traceparent")
"""Headers that a command has in common with its batch."""


class Command(RequestModel):
    """A request that records something, as it would be sent by itself."""

    method: Annotated[Literal["POST", "PUT"], Field(description="How it would be sent.")]
    path: Annotated[
        str,
        Field(
            description="Where to, percent-encoded; a path of this service, without a query.",
            pattern=r"^/v1/[!$&'()*+,;=:@A-Za-z0-9._~%/-]*$",
            max_length=2_000,
            examples=["/v1/commitments/SEG-014/assessments"],
        ),
    ]
    if_match: Annotated[
        str | None, Field(description="Its `If-Match`.", pattern=r"^[\x20-\x7e]+$", max_length=1_000)
    ] = None
    idempotency_key: Annotated[
        str | None,
        Field(
            description="Its `Idempotency-Key`; without one, a POST has that of the batch, a colon and its own number.",
            pattern=r"^[\x21-\x7e]+$",
            max_length=255,
        ),
    ] = None
    body: Annotated[dict[str, Any] | None, Field(description="Its body.")] = None

    @field_validator("path")
    @classmethod
    def _no_batch(cls, path: str) -> str:
        if unquote(path).rstrip("/") == PATH:
            raise InvalidValue("a batch holds no other batch")
        return path

    @model_validator(mode="after")
    def _a_put_needs_no_key(self) -> Self:
        if self.method == "PUT" and self.idempotency_key is not None:
            raise InvalidValue("a PUT takes no idempotency_key: sent twice, it says the same")
        return self


class Batch(RequestModel):
    """Commands, carried out one after another in this order."""

    commands: Annotated[
        list[Command],
        Field(description="What is to be done, in this order.", min_length=1, max_length=MOST),
    ]


class CommandResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a command, as it would have been answered by itself."""

    status: Annotated[int, msgspec.Meta(description="The status of the answer.")]
    location: Annotated[str | None, msgspec.Meta(description="Where what was made is.")]
    etag: Annotated[str | None, msgspec.Meta(description="The version that the thing has now.")]
    answer: Annotated[
        dict[str, Any],
        msgspec.Meta(description="The body of the answer, or the problem for which it was refused."),
    ]


class BatchResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the commands of a batch."""

    results: Annotated[
        list[CommandResult],
        msgspec.Meta(description="Those of the commands that were tried, in their order."),
    ]
    accepted: Annotated[
        int, msgspec.Meta(description="How many were carried out, now or under their key before.")
    ]
    refused: Annotated[int, msgspec.Meta(description="How many were not.")]
    untried: Annotated[
        int,
        msgspec.Meta(
            description="How many at the end were not tried: the service had no time left, or told the last one tried "
            "to come again later. Send these once more."
        ),
    ]


def batch_routes(example: Mapping[str, Any]) -> Router:
    """The route by which a service takes commands by the hundred; `example` is one that it would carry out."""
    router = Router("batch", "Many commands in one request.")

    @router.post(
        PATH,
        access=Access(EVERYONE, note="each command is for those who may send it by itself"),
        answers={207: BatchResult},
        body=Batch,
        example={"commands": [example]},
        largest_body=LARGEST,
    )
    async def carry_out_batch(request: Request, batch: Batch) -> Response:
        """Carry out up to 500 commands, one after another.

        Each is a transaction of its own with its own `If-Match`, and is answered as if it had been sent by itself; one
        that is refused keeps none of the others from being tried. A batch that was cut off is sent again: with an
        `Idempotency-Key`, what was carried out is not done twice.
        """
        requests = [_scope_of(request, number, one) for number, one in enumerate(batch.commands)]
        until = time.monotonic() + SECONDS
        results = list[CommandResult]()
        for scope, body in requests:
            if time.monotonic() >= until:
                break
            results.append(await _carried_out(scope, body))
            if results[-1].status in _AGAIN_LATER:
                break
            await asyncio.sleep(0)
        accepted = sum(one.status < 400 for one in results)
        return Response(
            encoded(
                BatchResult(
                    results=results,
                    accepted=accepted,
                    refused=len(results) - accepted,
                    untried=len(requests) - len(results),
                )
            ),
            207,
            media_type=JSON,
        )

    return router


def _scope_of(request: Request, number: int, command: Command) -> tuple[Scope, bytes]:
    """The ASGI scope and the body of a command."""
    context = context_of(request)
    body = b"" if command.body is None else encoded(command.body)
    headers = [(name, context.headers[name]) for name in _GO_ALONG if name in context.headers]
    headers.append((b"x-request-id", f"{context.correlation_id[:120]}.{number}".encode("ascii")))
    if body:
        headers += [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode("ascii")),
        ]
    if command.if_match is not None:
        headers.append((b"if-match", command.if_match.encode("ascii")))
    key = command.idempotency_key
    if key is None and command.method == "POST" and context.idempotency_key is not None:
        key = f"{context.idempotency_key}:{number}"
    if key is not None:
        headers.append((b"idempotency-key", key.encode("ascii")))
    scope = {name: value for name, value in request.scope.items() if name in _OF_THE_CONNECTION}
    scope |= {
        "method": command.method,
        "path": scope.get("root_path", "") + unquote(command.path),
        "raw_path": command.path.encode("ascii"),
        "query_string": b"",
        "headers": headers,
    }
    return scope, body


_OF_THE_CONNECTION: Final = frozenset(
    {"type", "asgi", "http_version", "scheme", "root_path", "client", "server", "state", "app"}
)
"""What a command has in common with the batch."""


async def _carried_out(scope: Scope, body: bytes) -> CommandResult:
    sent = False
    status, headers, answered = 500, dict[bytes, bytes](), bytearray()

    async def receive() -> Message:
        nonlocal sent
        if sent:
            return {"type": "http.disconnect"}
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status, headers = message["status"], dict(message["headers"])
        else:
            answered.extend(message.get("body", b""))

    await scope["app"](scope, receive, send)
    # The answer goes into ours as it is: read and written once more, a number might be another.
    as_it_is = cast("Any", msgspec.Raw(answered))
    return CommandResult(
        status=status,
        location=_text(headers.get(b"location")),
        etag=_text(headers.get(b"etag")),
        answer=as_it_is,
    )


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
