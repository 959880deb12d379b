"""The feed as programs read it: from a service in a process of its own, over real sockets, on both engines."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import httpx
import msgspec
import psutil
import pytest

from shared.events.commitments import Assessed, Commented, Registered
from shared.events.identity import KeyIssued, KeyRevoked
from shared.identity.actor import Role
from shared.identity.keys import generate_key
from shared.settings import Settings
from tests.services.reporting.installation import Installation, credentials
from tests.services.reporting.stage import Stage, read_model_url, staged
from tests.support.ledger import run_sql
from tests.support.ports import free_port

DAY = date(2012, 5, 21)
KEEP_ALIVE = 1
"""Seconds of silence after which the service of these tests says that it is still there."""
READERS = {Role.AUDITOR, Role.ADVISORY, Role.DCI, Role.ADMIN}


class Served(NamedTuple):
    """A running service and the log it serves."""

    stage: Stage
    process: subprocess.Popen[bytes]
    url: str
    settings: Settings

    def headers(self, role: Role | None = Role.AUDITOR, **more: str) -> dict[str, str]:
        """Credentials and further headers, with underscores for dashes."""
        given = credentials(self.settings, datetime.now(UTC), role)
        return (
            {"Accept-Encoding": "identity"}
            | given
            | {name.replace("_", "-"): text for name, text in more.items()}
        )

    def get(self, query: str = "", role: Role | None = Role.AUDITOR, **more: str) -> httpx.Response:
        """One request to the feed."""
        return httpx.get(f"{self.url}/v1/events{query}", headers=self.headers(role, **more), timeout=30)


@contextmanager
def serving(log_url: str, folder: Path) -> Iterator[Served]:
    """The reporting service as it is run in earnest, over a log with a few events."""
    port = free_port()
    settings = Settings(data_dir=folder, log_url=log_url)
    environment = {
        **os.environ,
        "BITACORA_DATA_DIR": str(folder),
        "BITACORA_LOG_URL": log_url,
        "BITACORA_READ_MODEL_URL": read_model_url(log_url),
        "BITACORA_PORT": str(port),
        "BITACORA_KEEP_ALIVE_SECONDS": str(KEEP_ALIVE),
        "BITACORA_LOG_LEVEL": "error",
        "BITACORA_ACCESS_LOG": "false",
    }
    with staged(log_url) as stage:
        stage.append(("A", Registered(code="A", title="Año", lead_organization="MOP", effective_on=DAY)))
        stage.append(*[("A", Commented(text=f"remark {n}", effective_on=DAY)) for n in range(5_000)])
        stage.append(*[("A", Assessed(effective_on=DAY, reason=f"reason {n}")) for n in range(3)])
        process = subprocess.Popen([sys.executable, "-m", "services.reporting"], env=environment)
        try:
            url = f"http://127.0.0.1:{port}"
            _await_answer(url, process)
            yield Served(stage, process, url, settings)
        finally:
            process.terminate()
            assert process.wait(20) in {0, -signal.SIGTERM}


def _await_answer(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            httpx.get(f"{url}/health/live", timeout=5)
            return
        except httpx.TransportError:
            assert process.poll() is None, "the service did not start"
            assert time.monotonic() < deadline, "the service does not answer"
            time.sleep(0.05)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One service for the tests of this module, on each engine in turn."""
    folder = tmp_path_factory.mktemp("served")
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'bitacora.db'}"
    else:
        url = str(request.getfixturevalue("module_postgres_url"))
    with serving(url, folder) as running:
        yield running


def stored(served: Served, after: int = 0, limit: int = 10**6) -> list[bytes]:
    """The lines as the store has them."""
    return [line for _, line in served.stage.store.read(after, limit)]


def test_the_feed_is_what_is_stored_line_by_line(served: Served) -> None:
    answer = served.get()
    assert answer.headers["content-type"] == "application/jsonl"
    assert answer.headers["log-position"] == str(served.stage.store.head())
    assert answer.content == b"".join(line + b"\n" for line in stored(served))
    assert "Año" in answer.text


def test_the_feed_is_taken_up_again_where_it_was_left(served: Served) -> None:
    pieces: list[bytes] = []
    after = 0
    while lines := served.get(f"?after={after}&limit=1700").content.splitlines():
        pieces += lines
        after = msgspec.json.decode(lines[-1])["position"]
    assert pieces == stored(served)
    assert served.get(f"?after={after}").content == b""


def test_the_feed_gives_the_types_asked_for(served: Served) -> None:
    lines = served.get("?types=commitments.assessed,commitments.registered").content.splitlines()
    assert [msgspec.json.decode(line)["type"] for line in lines] == [
        "commitments.registered",
        *["commitments.assessed"] * 3,
    ]
    few = served.get("?types=commitments.assessed&limit=2").content.splitlines()
    assert few == lines[1:3]
    refused = served.get("?types=commitments.assessed,commitments.invented")
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (422, "event-type-unknown")


@pytest.mark.parametrize("role", [None, *(role for role in Role if role is not Role.SYSTEM)])
def test_the_feed_is_for_those_who_check_the_record(served: Served, role: Role | None) -> None:
    expected = 401 if role is None else 200 if role in READERS else 403
    assert served.get("?limit=1", role).status_code == expected


def messages(lines: Iterator[str], count: int) -> list[tuple[int, str, str]]:
    """The next messages of a stream: id, event, data."""
    found: list[tuple[int, str, str]] = []
    fields: dict[str, str] = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            found.append((int(fields["id"]), fields["event"], fields["data"]))
            fields = {}
            if len(found) == count:
                break
    return found


@contextmanager
def streaming(served: Served, query: str = "", last_event_id: str = "") -> Iterator[Iterator[str]]:
    """A live stream of the feed, line by line."""
    sent = served.headers(Accept="text/event-stream")
    if last_event_id:
        sent["Last-Event-ID"] = last_event_id
    with httpx.stream("GET", f"{served.url}/v1/events{query}", headers=sent, timeout=20) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield answer.iter_lines()


def test_a_live_stream_brings_what_there_is_and_then_what_comes(served: Served) -> None:
    head = served.stage.store.head()
    with streaming(served, f"?after={head - 2}") as lines:
        assert [position for position, _, _ in messages(lines, 2)] == [head - 1, head]
        for number in range(3):
            appended = served.stage.append(("A", Commented(text=f"live {number}", effective_on=DAY)))
            ((position, kind, data),) = messages(lines, 1)
            assert (position, kind) == (appended.last, "commitments.commented")
            assert data.encode() == stored(served, position - 1, 1)[0]


def test_a_live_stream_goes_on_after_the_last_event_received(served: Served) -> None:
    with streaming(served) as lines:
        received = messages(lines, 2_500)
    with streaming(served, "?after=1&limit=100", last_event_id=str(received[-1][0])) as lines:
        received += messages(lines, 100)
    assert [position for position, _, _ in received] == list(range(1, 2_601))
    refused = served.get(Accept="text/event-stream", Last_Event_ID="yesterday")
    assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (422, "last-event-id-invalid")


def test_a_position_that_the_log_has_not_reached_is_refused_as_lines_and_as_messages(served: Served) -> None:
    beyond = served.stage.store.head() + 1
    cases: tuple[tuple[str, dict[str, str], str], ...] = (
        (f"?after={beyond}", {}, "/query/after"),
        (f"?after={beyond}", {"Accept": "text/event-stream"}, "/query/after"),
        ("", {"Accept": "text/event-stream", "Last_Event_ID": str(beyond)}, "/header/Last-Event-ID"),
    )
    for query, more, pointer in cases:
        refused = served.get(query, Role.AUDITOR, **more)
        assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (422, "position-to-come")
        assert refused.json()["errors"][0]["pointer"] == pointer


def test_whoever_read_another_event_at_a_position_is_refused(served: Served) -> None:
    store, stream = served.stage.store, {"Accept": "text/event-stream"}
    head, identity = store.bookmark()
    assert served.get(f"?after={head}&after_identity={identity}").status_code == 200
    with streaming(served, "?limit=1", last_event_id=f"{head - 1}-{store.identity_at(head - 1)}") as lines:
        assert [position for position, _, _ in messages(lines, 1)] == [head]
    cases: tuple[tuple[str, dict[str, str], str], ...] = (
        (f"?after={head - 1}&after_identity={identity}", {}, "/query/after"),
        (f"?after={head - 1}&after_identity={identity}", stream, "/query/after"),
        ("", {**stream, "Last_Event_ID": f"{head - 1}-{identity}"}, "/header/Last-Event-ID"),
    )
    for query, more, pointer in cases:
        refused = served.get(query, Role.AUDITOR, **more)
        assert (refused.status_code, refused.json()["type"].rsplit("/", 1)[-1]) == (
            422,
            "feed-of-another-log",
        )
        assert refused.json()["errors"][0]["pointer"] == pointer


def test_a_live_stream_ends_when_the_log_goes_back(served: Served) -> None:
    appended = served.stage.append(("B", Commented(text="to be lost", effective_on=DAY)))
    with streaming(served, f"?after={appended.last - 1}") as lines:
        assert [position for position, _, _ in messages(lines, 1)] == [appended.last]
        run_sql(served.stage.log_url, "DELETE FROM stored_events WHERE notification_id = %s", appended.last)
        served.stage.append(
            ("C", Commented(text="in its place", effective_on=DAY)),
            ("C", Commented(text="and more", effective_on=DAY)),
        )
        assert messages(lines, 1) == [], "nothing of another log comes after"


def test_a_live_stream_of_some_types_passes_over_the_others(served: Served) -> None:
    with streaming(served, "?types=commitments.assessed") as lines:
        assert len(messages(lines, 3)) == 3
        served.stage.append(("A", Commented(text="passed over", effective_on=DAY)))
        appended = served.stage.append(("A", Assessed(effective_on=DAY, reason="live")))
        assert [message[0] for message in messages(lines, 1)] == [appended.last]


def test_a_silent_live_stream_says_that_it_is_still_there(served: Served) -> None:
    head = served.stage.store.head()
    with streaming(served, f"?after={head}") as lines:
        began = time.monotonic()
        comments = list(islice((line for line in lines if line.startswith(":")), 3))
        silence = time.monotonic() - began
        appended = served.stage.append(("A", Commented(text="after a silence", effective_on=DAY)))
        assert [position for position, _, _ in messages(lines, 1)] == [appended.last]
    assert comments == [": the log follows", ": still here", ": still here"]
    assert 2 * KEEP_ALIVE - 0.1 < silence < 10 * KEEP_ALIVE


def test_the_size_of_a_piece_follows_the_length_of_the_events_and_loses_none(served: Served) -> None:
    after = served.stage.store.head()
    for count, length in ((300, 10), (50, 20_000), (300, 10), (50, 60_000)):
        events = [Commented(text="x" * length, effective_on=DAY) for _ in range(count)]
        served.stage.append(*[("A", event) for event in events])
    expected = stored(served, after)
    assert served.get(f"?after={after}").content.splitlines() == expected
    assert served.get(f"?after={after}&limit=666").content.splitlines() == expected[:666]
    with streaming(served, f"?after={after}") as lines:
        received = messages(lines, len(expected))
    assert [data.encode() for _, _, data in received] == expected


def test_a_client_that_does_not_take_its_lines_costs_a_small_part_of_them(served: Served) -> None:
    padding = "x" * 2_000
    first = served.stage.store.head()
    for _ in range(10):
        served.stage.append(*[("A", Commented(text=padding, effective_on=DAY)) for _ in range(2_000)])
    path = f"/v1/events?after={first}"
    answer = 20_000 * len(padding)
    served.get("?limit=6000")
    memory = psutil.Process(served.process.pid).memory_info
    before = memory().rss
    headers = "".join(f"{name}: {value}\r\n" for name, value in served.headers().items())
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n"
    port = int(served.url.rsplit(":", 1)[1])
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(8)]
    try:
        for client in clients:
            client.sendall(request.encode())
            client.recv(1_000)
        most = 0
        for _ in range(20):
            time.sleep(0.1)
            most = max(most, memory().rss - before)
        # Whole answers would be all of this or more; pieces, and the threads that read them, are a sixth of it.
        assert most < len(clients) * answer / 3
        assert served.get("?limit=1").status_code == 200
    finally:
        for client in clients:
            client.close()


def test_readers_are_served_while_others_write(served: Served) -> None:
    stop = threading.Event()

    def write() -> None:
        while not stop.wait(0.002):
            served.stage.append(("A", Commented(text="more", effective_on=DAY)))

    after = served.stage.store.head()
    seen: list[int] = []
    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        while len(seen) < 100 and not writing.done():
            lines = served.get(f"?after={after}").content.splitlines()
            seen += [msgspec.json.decode(line)["position"] for line in lines]
            after = seen[-1] if seen else after
        stop.set()
        writing.result(20)
    assert seen == list(range(seen[0], seen[0] + len(seen)))


async def test_a_service_that_is_told_to_stop_lets_its_streams_and_those_who_wait_go_in_good_order(
    tmp_path: Path,
) -> None:
    with serving(f"sqlite:///{tmp_path / 'bitacora.db'}", tmp_path) as served:
        head = served.stage.store.head()
        begun = asyncio.Semaphore(0)

        async def follow(http: httpx.AsyncClient) -> str:
            """A stream to its end; the server cuts no chunk short, or this raises."""
            headers = served.headers(Accept="text/event-stream")
            url = f"{served.url}/v1/events?after={head}"
            async with http.stream("GET", url, headers=headers) as answer:
                lines = [line async for line in _telling(answer.aiter_lines(), begun)]
            return lines[0]

        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(timeout=60, limits=limits) as http:
            streams = [asyncio.create_task(follow(http)) for _ in range(STREAMS)]
            for _ in streams:
                await begun.acquire()
            waiting = asyncio.create_task(http.get(f"{served.url}/v1/board?wait_for={head + 1}"))
            await asyncio.sleep(0.1)
            served.process.terminate()
            assert set(await asyncio.gather(*streams)) == {": the log follows"}
            answer = await waiting
        assert (answer.status_code, answer.json()["type"]) == (503, "/errors/shutting-down")


STREAMS = 60


async def _telling(lines: AsyncIterator[str], begun: asyncio.Semaphore) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        begun.release()


async def test_a_live_stream_ends_when_its_key_is_revoked_or_its_token_expires(
    tmp_path: Path, sqlite_url: str
) -> None:
    key = generate_key()
    with staged(sqlite_url) as stage:
        service = Installation(tmp_path, stage, keep_alive_seconds=0.1)
        later = service.now + timedelta(days=9_000)
        issued = KeyIssued(
            key_id=key.key_id,
            secret_sha256=key.secret_sha256,
            organization="DCI",
            role=Role.AUDITOR,
            scopes=("read",),
            expires_at=later,
        )
        stage.append((key.key_id, issued), kind="key")
        async with service.running() as reporting:
            by_token = asyncio.create_task(reporting.get("/v1/events", Accept="text/event-stream"))
            sent = {"Accept": "text/event-stream", "X-API-Key": key.presented}
            by_key = asyncio.create_task(reporting.http.get("/v1/events", headers=sent))
            for _ in range(20):
                await asyncio.sleep(0.02)
                assert [by_token.done(), by_key.done()] == [False, False]
            stage.append((key.key_id, KeyRevoked(key_id=key.key_id, reason="lost")), kind="key")
            told = await asyncio.wait_for(by_key, 20)
            assert told.text.endswith(": your credentials are not valid any more\n\n")
            assert not by_token.done()
            service.now = later
            assert (await asyncio.wait_for(by_token, 20)).text.endswith("not valid any more\n\n")
