"""What is wrong with a request is said so that whoever sent it knows how to write it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest
import uvicorn

from shared.http.unparsed import LARGEST_HEAD, Protocol
from tests.shared.http.test_problems import problem
from tests.support.web import Installation


async def posted(installation: Installation, body: bytes, **headers: str) -> httpx.Response:
    async with installation.client(
        **installation.token() | {"Content_Type": "application/json"} | headers
    ) as client:
        return await client.post("/v1/things", content=body)


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("650.000.000", 'may be meant as "650000000"'),
        ("-1,234,567", 'may be meant as "-1234567"'),
        ("650 000", 'may be meant as "650000"'),
        ("12,5", 'decimal text such as "1234.5"'),
        ("1e6", 'decimal text such as "1234.5"'),
    ],
)
async def test_a_number_with_separators_is_told_how_it_is_written(
    installation: Installation, amount: str, said: str
) -> None:
    body = json.dumps({"title": "a", "cost": {"amount": amount, "currency": "CLP"}})
    document = problem(await posted(installation, body.encode()), 422, "request-invalid")
    (error,) = document["errors"]
    assert error["pointer"] == "/cost/amount"
    assert said in error["detail"]


async def test_an_amount_without_quotes_is_told_so(installation: Installation) -> None:
    body = b'{"title": "a", "cost": {"amount": 650000000, "currency": "CLP"}}'
    (error,) = problem(await posted(installation, body), 422, "request-invalid")["errors"]
    assert error["pointer"] == "/cost/amount"
    assert 'decimal text such as "1234.5", in quotes' in error["detail"]


@pytest.mark.parametrize(
    ("body", "pointer", "said"),
    [
        (b"[]", "", "should be an object"),
        (b'"a"', "", "should be an object"),
        (b'{"title": "a", "cost": "1"}', "/cost", "should be an object"),
        (b'{"title": "  "}', "/title", "is blank"),
        (b"", "", "no body"),
    ],
)
async def test_what_has_another_shape_is_told_in_words_of_the_request(
    installation: Installation, body: bytes, pointer: str, said: str
) -> None:
    (error,) = problem(await posted(installation, body), 422, "request-invalid")["errors"]
    assert error["pointer"] == pointer
    assert said in error["detail"]


async def test_a_field_that_does_not_exist_is_called_that(installation: Installation) -> None:
    document = problem(await posted(installation, b'{"titel": "a", "title": "a"}'), 422, "request-invalid")
    assert document["errors"] == [
        {
            "pointer": "/titel",
            "detail": "There is no such field here: look for its name in /docs, or leave it out.",
        }
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'\xef\xbb\xbf{"title": "a"}', "byte order mark"),
        ('{"title": "año"}'.encode("latin-1"), "not UTF-8"),
        (b'{"title": "a", "title": "b"}', "'title' twice"),
        (b'{"title": "a", "cost": {"amount": "1", "amount": "2", "currency": "CLP"}}', "'amount' twice"),
        (b'{"title": "a", "share": NaN}', "NaN is no JSON number"),
        (b'{"title": "a"', "line 1, column"),
        (b'{"share": 650.000.000, "title": "a"}', "no separators of thousands"),
        (b'{"title": "a", "share": 28,56}', "no separators of thousands"),
        (b'{"title": "a", "share": 650 000}', "no separators of thousands"),
    ],
)
async def test_a_body_that_cannot_be_read_is_told_why(
    installation: Installation, body: bytes, said: str
) -> None:
    assert said in problem(await posted(installation, body), 400, "malformed-request")["detail"]


@pytest.mark.parametrize("value", ["abc.def.ghi", "Token abc.def.ghi", "Bearer", "Bearer "])
async def test_credentials_without_bearer_before_them_are_told_so(
    installation: Installation, value: str
) -> None:
    answer = await posted(installation, b'{"title": "a"}', Authorization=value)
    assert "Bearer <token>" in problem(answer, 401, "credentials-invalid")["detail"]


async def test_an_address_in_another_encoding_is_told_to_use_utf_8(installation: Installation) -> None:
    async with installation.client() as client:
        asked = await client.get("/v1/things?kind=educaci%F3n")
        named = await client.get("/v1/things/educaci%F3n.txt")
    assert "educaci%C3%B3n" in problem(asked, 422, "text-not-storable")["detail"]
    assert (named.status_code, named.json()["type"]) == (400, "/errors/malformed-request")
    assert "educaci%C3%B3n" in named.json()["detail"]


@contextmanager
def listening(protocol: type[Protocol] = Protocol) -> Iterator[tuple[str, int]]:
    """The server as services run it, in front of an application that no request should reach."""
    socket_ = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(_nothing, http=protocol, lifespan="off", log_config=None, ws="none")
    )
    serving = threading.Thread(target=lambda: asyncio.run(server.serve([socket_])))
    serving.start()
    try:
        yield socket_.getsockname()
    finally:
        server.should_exit = True
        serving.join()


def refusal_of(connection: socket.socket) -> tuple[bytes, dict[str, Any]]:
    """The head and the document that a server sent before it hung up."""
    answer = b""
    with suppress(ConnectionError):
        while part := connection.recv(4096):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head
    return head, json.loads(body)


def test_an_accent_as_it_is_in_an_address_is_answered_with_a_problem_that_says_how_to_write_it() -> None:
    with listening() as address, socket.create_connection(address, timeout=30) as connection:
        connection.sendall("GET /v1/things?kind=educación HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        head, document = refusal_of(connection)
    assert head.startswith(b"HTTP/1.1 400 ")
    assert "educaci%C3%B3n" in document["detail"]


@pytest.mark.parametrize(
    ("begin", "part"),
    [
        (b"GET /v1/things?a=", b"a" * 4096),
        (b"GET /v1/things HTTP/1.1\r\nX-Long: ", b"a" * 4096),
        (b"GET /v1/things HTTP/1.1\r\n", b"X-Short: a\r\n" * 300),
    ],
    ids=["address", "header", "headers"],
)
def test_a_head_without_end_is_refused_and_not_kept(begin: bytes, part: bytes) -> None:
    sent = len(begin)
    with listening() as address, socket.create_connection(address, timeout=30) as connection:
        connection.sendall(begin)
        with suppress(ConnectionError):
            # Far more than is taken, and than the buffers between us hold.
            while sent < 64 * 1024 * 1024:
                connection.sendall(part)
                sent += len(part)
    assert LARGEST_HEAD <= sent < 64 * 1024 * 1024


def test_a_head_that_is_a_little_too_large_is_told_so() -> None:
    with listening() as address, socket.create_connection(address, timeout=30) as connection:
        connection.sendall(b"GET /v1/things HTTP/1.1\r\nX-Long: " + b"a" * LARGEST_HEAD)
        head, document = refusal_of(connection)
    assert head.startswith(b"HTTP/1.1 431 ")
    assert (document["type"], document["status"]) == ("/errors/head-too-large", 431)


class Hasty(Protocol):
    """The protocol for those who cannot wait."""

    head_seconds = 0.2
    request_seconds = 0.4


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET /v1/things HTTP/1.1\r\nX-Slow: a",
        b"POST /v1/things HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["nothing", "head", "body"],
)
def test_a_connection_whose_request_does_not_come_is_ended(begun: bytes) -> None:
    with listening(Hasty) as address, socket.create_connection(address, timeout=30) as connection:
        connection.sendall(begun)
        assert connection.recv(4096) == b"", "it hung up and said nothing"


async def _nothing(_scope: object, receive: Callable[[], Awaitable[Any]], _send: object) -> None:
    while (message := await receive())["type"] != "http.disconnect":
        assert message["more_body"], "no whole request reaches the application"


@pytest.mark.parametrize(
    "unseen", ["\n", "\t", "\x1b", "\u200b", "\u202e", "\u2066", "\ufeff", "\x85", "\u00ad", "\U000e0041"]
)
async def test_a_text_of_one_line_takes_nothing_that_nobody_sees(
    installation: Installation, unseen: str
) -> None:
    body = json.dumps({"title": f"Less{unseen}crime"}).encode()
    document = problem(await posted(installation, body), 422, "request-invalid")
    assert f"U+{ord(unseen):04X}" in document["errors"][0]["detail"]


@pytest.mark.parametrize("written", ['{"title": "Educacio\u0301n"}', r'{"title": "Educacio\u0301n"}'])
async def test_texts_are_kept_in_composed_form_however_they_are_sent(
    installation: Installation, written: str
) -> None:
    assert (await posted(installation, written.encode())).json()["title"] == "Educación"
