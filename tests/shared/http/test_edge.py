"""What holds for every request and answer, whichever route serves it."""

from __future__ import annotations

import asyncio
import json
import re
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from shared.http.body import USUAL
from tests.shared.http.test_problems import problem
from tests.support.web import Installation


async def raw(installation: Installation, path: str, *, method: str = "GET", **headers: str) -> list[Any]:
    """The ASGI messages of an answer, as the server would get them; it hangs up after a thousand."""
    sent: list[Any] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)
        if len(sent) > 1000:
            raise OSError("enough")

    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [
            (name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()
        ],
    }
    async with asyncio.timeout(5):
        try:
            await installation.app(scope, receive, send)
        except (OSError, ExceptionGroup):
            if len(sent) <= 1000:
                raise
    return sent


async def test_the_callers_request_id_comes_back_and_is_the_correlation_id(
    installation: Installation,
) -> None:
    async with installation.client(**installation.token()) as client:
        answer = await client.post("/v1/things", json={"title": "a"}, headers={"X-Request-Id": "batch-7/12"})
    assert answer.headers["x-request-id"] == "batch-7/12"
    assert answer.json()["correlation_id"] == "batch-7/12"


@pytest.mark.parametrize("given", ["", "a b", "a\tb", "x" * 129, "é", "a;b", '"a"'])
async def test_an_unsafe_request_id_is_replaced_by_a_uuid(installation: Installation, given: str) -> None:
    async with installation.client() as client:
        answer = await client.get("/v1/things?limit=1", headers={b"X-Request-Id": given.encode()})
    made = answer.headers["x-request-id"]
    assert made != given
    assert str(UUID(made)) == made
    assert UUID(made).version == 4


async def test_the_trace_a_request_belongs_to_is_in_its_log_line(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    async with installation.client() as client:
        for value in (f"00-{trace}-00f067aa0ba902b7-01", f"00-{'0' * 32}-00f067aa0ba902b7-01", "nonsense"):
            await client.get("/v1/things?limit=1", headers={"traceparent": value})
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line.get("trace_id") for line in lines] == [trace, None, None]


async def test_one_line_is_logged_per_request_and_no_secret_in_it(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    token = installation.token()
    async with installation.client(**token) as client:
        answer = await client.get("/v1/things/1")
    written = capsys.readouterr().err
    line = json.loads(written)
    assert token["Authorization"].split()[1] not in written
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v1/things/1", 200)
    assert line["subject"] == "development:dci"
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["milliseconds"] >= 0


async def test_the_access_log_can_be_switched_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with Installation(tmp_path, access_log=False).client() as client:
        await client.get("/v1/things")
    async with Installation(tmp_path, log_level="warning").client() as client:
        await client.get("/v1/things")
    assert capsys.readouterr().err == ""


async def test_head_is_served_wherever_get_is_with_the_same_head_and_no_body(
    installation: Installation,
) -> None:
    paths = [
        "/v1/things",
        "/v1/things/1?pad=3000",
        "/v1/nothing",
        "/health/live",
        "/openapi.json",
        "/v1/faults/rule",
    ]
    for encoding in ("identity", "gzip"):
        headers = {**installation.token(), "Accept_Encoding": encoding}
        async with installation.client(**headers) as client:
            for path in paths:
                got, headed = await client.get(path), await client.head(path)
                assert headed.status_code == got.status_code
                assert headed.content == b""
                wanted = {name: value for name, value in got.headers.items() if name != "x-request-id"}
                assert wanted.items() <= headed.headers.items()


@pytest.mark.parametrize("path", ["/v1/events", "/v1/lines?count=1000000000"])
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_head_of_an_endless_stream_ends_at_once(
    installation: Installation, path: str, encoding: str
) -> None:
    start, body = await raw(installation, path, method="HEAD", Accept_Encoding=encoding)
    assert start["status"] == 200
    assert body["body"] == b""
    assert not body.get("more_body", False)


async def test_an_answer_is_compressed_from_one_kilobyte_on_for_those_who_accept_it(
    installation: Installation,
) -> None:
    async with installation.client(**installation.token()) as client:
        for pad, accepted, compressed in (
            (2000, "gzip", True),
            (2000, "br, GZIP;q=0.5", True),
            (400_000, "gzip", True),
            (100, "gzip", False),
            (2000, "identity", False),
            (2000, "gzip;q=0", False),
            (2000, "gzip;q=0.000", False),
            (2000, "xgzip", False),
        ):
            answer = await client.get(f"/v1/things/1?pad={pad}", headers={"Accept-Encoding": accepted})
            assert (answer.headers.get("content-encoding") == "gzip") == compressed, accepted
            assert len(answer.json()["title"]) == pad
            assert answer.headers["etag"] == ('W/"7"' if compressed else '"7"')
            assert "Accept-Encoding" in answer.headers["vary"]


async def test_the_weak_tag_of_a_compressed_answer_is_good_for_asking_again(
    installation: Installation,
) -> None:
    async with installation.client(**installation.token(), Accept_Encoding="gzip") as client:
        tag = (await client.get("/v1/things/1?pad=2000")).headers["etag"]
        answer = await client.get("/v1/things/1?pad=2000", headers={"If-None-Match": tag})
    assert answer.status_code == 304
    assert answer.content == b""
    assert answer.headers["etag"] == '"7"'


async def test_a_stream_is_compressed_part_by_part_and_never_held_back(installation: Installation) -> None:
    start, *bodies = await raw(installation, "/v1/lines?count=3", accept_encoding="gzip")
    assert dict(start["headers"])[b"content-encoding"] == b"gzip"
    reader = zlib.decompressobj(wbits=31)
    read = [reader.decompress(message["body"]) for message in bodies]
    assert read == [b'{"line":0}\n', b'{"line":1}\n', b'{"line":2}\n', b""]
    assert reader.eof


async def test_events_for_browsers_are_never_compressed(installation: Installation) -> None:
    start, first, *_ = await raw(installation, "/v1/events", accept_encoding="gzip")
    assert b"content-encoding" not in dict(start["headers"])
    assert first["body"] == b"data: 1\n\n"


async def test_a_body_larger_than_its_route_takes_is_refused_whether_or_not_it_says_so(
    installation: Installation,
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"title": "'
        for _ in range(65):
            yield b"a" * 1024
        yield b'"}'

    headers = {**installation.token(), "Content_Type": "application/json"}
    async with installation.client(**headers) as client:
        for content in (b"a" * (USUAL + 1), chunks()):
            answer = await client.post("/v1/things", content=content)
            assert "64 kB" in problem(answer, 413, "body-too-large")["detail"]
            assert answer.headers["connection"] == "close"
        answer = await client.post("/v1/things", content=b'{"title": "a"}'.ljust(USUAL))
        assert answer.status_code == 201


async def test_nothing_read_is_cached_without_asking_again_and_nothing_written_at_all(
    installation: Installation,
) -> None:
    async with installation.client(**installation.token()) as client:
        read, written = await client.get("/v1/things/1"), await client.post("/v1/things", json={"title": "a"})
    assert read.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in read.headers["vary"]
    assert written.headers["cache-control"] == "no-store"
    assert read.headers["x-content-type-options"] == "nosniff"


async def test_requests_are_counted_by_route_and_status_and_not_by_path(installation: Installation) -> None:
    async with installation.client(**installation.token()) as client:
        for number in range(3):
            await client.get(f"/v1/things/{number}")
        await client.head("/v1/things/1")
        await client.get("/v1/nothing/at/all")
        await client.request("BREW", "/v1/things/1")
        await client.get("/v1/faults/other")
        text = (await client.get("/metrics")).text
    counted = dict(re.findall(r"http_requests_total\{(.*)\} (\S+)", text))
    assert counted['method="GET",route="/v1/things/{id}",status="200"'] == "3.0"
    assert counted['method="HEAD",route="/v1/things/{id}",status="200"'] == "1.0"
    assert counted['method="GET",route="unmatched",status="404"'] == "1.0"
    assert counted['method="other",route="/v1/things/{id}",status="405"'] == "1.0"
    assert counted['method="GET",route="/v1/faults/{kind}",status="500"'] == "1.0"
    assert 'http_request_duration_seconds_count{method="GET",route="/v1/things/{id}"} 3.0' in text


async def test_another_origin_gets_no_permission_unless_it_is_listed(tmp_path: Path) -> None:
    async with Installation(tmp_path).client(Origin="https://a.test") as client:
        assert "access-control-allow-origin" not in (await client.get("/v1/things")).headers
    listing = Installation(tmp_path, cors_origins=("https://a.test",))
    async with listing.client(Origin="https://a.test") as client:
        answer = await client.get("/v1/things")
        assert answer.headers["access-control-allow-origin"] == "https://a.test"
        assert "Log-Position" in answer.headers["access-control-expose-headers"]
    async with listing.client(Origin="https://b.test") as client:
        assert "access-control-allow-origin" not in (await client.get("/v1/things")).headers


async def test_an_answer_cut_short_by_a_fault_is_not_passed_off_as_whole(installation: Installation) -> None:
    for encoding in ("identity", "gzip"):
        with pytest.raises(RuntimeError, match="run out"):
            await raw(installation, "/v1/lines?fails=true", accept_encoding=encoding)


async def test_a_client_that_follows_redirects_is_never_sent_elsewhere(installation: Installation) -> None:
    async with installation.client(**installation.token()) as client:
        answer: httpx.Response = await client.get("/v1/things/1/")
    assert answer.status_code == 404
