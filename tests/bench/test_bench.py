"""What the benchmark compares is comparable, and its load generator counts what was answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from bench.baselines.app import create_app as create_baseline
from bench.baselines.identity import Tokens
from bench.dataset import PILLARS, assessment, registration, write_observations
from bench.figures import GOALS, figure
from bench.load import LoadFailed, drive, percentile, request
from bench.stream import read_lines
from services.commitments.app import create_app as create_ours
from shared.eventlog.open import open_store
from shared.identity.actor import Role
from shared.identity.development import AUDIENCE, ISSUER, DevelopmentKey, issue_development_token
from shared.settings import Settings
from tests.support.postgres import fresh_database

# --- the baseline and ours ----------------------------------------------------------------------------------------


@dataclass
class Pair:
    """Two clients that hold the same tokens: of the service and of the baseline."""

    ours: httpx.AsyncClient
    baseline: httpx.AsyncClient
    key_file: Path

    def headers(self, role: Role = Role.DCI, **more: str) -> dict[str, str]:
        token = issue_development_token(self.key_file, role=role, organization="DCI", now=datetime.now(UTC))
        return {"authorization": f"Bearer {token}"} | {
            name.replace("_", "-"): text for name, text in more.items()
        }

    async def both(self, method: str, path: str, **options: Any) -> tuple[httpx.Response, httpx.Response]:
        return (
            await self.ours.request(method, path, **options),
            await self.baseline.request(method, path, **options),
        )


@asynccontextmanager
async def client_of(app: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that has been started."""
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bench") as client,
    ):
        yield client


@pytest.fixture(params=[False, True], ids=["session_by_dependency", "session_in_endpoint"])
async def pair(request: pytest.FixtureRequest, postgres_server: str, tmp_path: Path) -> AsyncIterator[Pair]:
    """The service and the baseline over a fresh database each, with the same organisation and pillars on record."""
    settings = Settings(log_url=f"sqlite:///{tmp_path / 'log.db'}", data_dir=tmp_path, access_log=False)
    store = open_store(settings.log_url)
    store.migrate()
    store.close()
    key_file = settings.effective_development_key_file
    tokens = Tokens(DevelopmentKey(key_file).secret, ISSUER, AUDIENCE)
    with fresh_database(postgres_server) as url:
        baseline = create_baseline(
            url.replace("postgresql://", "postgresql+psycopg://", 1),
            tokens,
            session_in_endpoint=request.param,
        )
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("INSERT INTO organizations VALUES ('department-a', 'Department A')")
            for pillar in PILLARS:
                connection.execute("INSERT INTO pillars VALUES (%s, %s)", [pillar, pillar])
        async with client_of(create_ours(settings)) as ours, client_of(baseline) as theirs:
            made = Pair(ours, theirs, key_file)
            organization = {"name": "Department A"}
            admin = made.headers(Role.ADMIN)
            await ours.put("/v1/organizations/department-a", json=organization, headers=admin)
            for rank, pillar in enumerate(PILLARS):
                body = {"name": pillar, "rank": rank}
                await ours.put(f"/v1/pillars/{pillar}", json=body, headers=made.headers())
            yield made


async def test_both_register_judge_and_show_a_commitment_alike(pair: Pair) -> None:
    ours, theirs = await pair.both("POST", "/v1/commitments", json=registration(1), headers=pair.headers())
    assert (ours.status_code, theirs.status_code) == (201, 201), (ours.text, theirs.text)
    assert set(ours.json()) == set(theirs.json())

    path, body = f"/v1/commitments/{registration(1)['code']}", assessment(3)
    ours, theirs = await pair.both(
        "POST", f"{path}/assessments", json=body, headers=pair.headers(if_match="*")
    )
    assert (ours.status_code, theirs.status_code) == (201, 201), (ours.text, theirs.text)
    assert set(ours.json()) == set(theirs.json())
    assert ours.headers["etag"] == theirs.headers["etag"] == '"2"'

    ours, theirs = await pair.both("GET", path, headers=pair.headers())
    assert (ours.status_code, theirs.status_code) == (200, 200), (ours.text, theirs.text)
    said_by_ours, said_by_theirs = ours.json(), theirs.json()
    assert set(said_by_theirs) <= set(said_by_ours)
    judgement = said_by_theirs.pop("assessment")
    assert judgement.items() <= said_by_ours["assessment"].items()
    differing = {name for name, value in said_by_theirs.items() if said_by_ours[name] != value}
    assert differing <= {"id", "registered_at", "updated_at"}


async def test_both_refuse_the_same_requests(pair: Pair) -> None:
    for number in (1, 2):
        await pair.both("POST", "/v1/commitments", json=registration(number), headers=pair.headers())
    code = registration(1)["code"]
    path, good, star = f"/v1/commitments/{code}/assessments", assessment(3), pair.headers(if_match="*")
    refused: dict[int, list[tuple[str, str, Any, dict[str, str]]]] = {
        401: [("POST", path, good, {"if-match": "*"}), ("GET", f"/v1/commitments/{code}", None, {})],
        403: [("POST", path, good, pair.headers(Role.AUDITOR, if_match="*"))],
        404: [("POST", "/v1/commitments/nothing/assessments", good, star)],
        409: [("POST", "/v1/commitments", registration(1), pair.headers())],
        412: [("POST", path, good, pair.headers(if_match='"7"'))],
        428: [("POST", path, good, pair.headers())],
        422: [
            ("POST", path, good | {"unknown": 1}, star),
            ("POST", path, good | {"judgement": "fine"}, star),
            ("POST", path, good | {"reason": " "}, star),
            ("POST", path, good | {"reason": "x" * 20_001}, star),
            ("POST", path, good | {"effective_on": "2999-01-01"}, star),
            ("POST", path, good | {"effective_on": "1 June"}, star),
            ("POST", path, {"reason": "nothing judged"}, star),
            ("POST", "/v1/commitments", registration(3) | {"pillar": "none"}, pair.headers()),
            ("POST", "/v1/commitments", registration(3) | {"lead_organization": "none"}, pair.headers()),
        ],
        304: [("GET", f"/v1/commitments/{code}", None, pair.headers(if_none_match='"1"'))],
    }
    for status, requests in refused.items():
        for method, where, body, headers in requests:
            ours, theirs = await pair.both(method, where, json=body, headers=headers)
            assert (ours.status_code, theirs.status_code) == (status, status), (
                where,
                body,
                ours.text,
                theirs.text,
            )


async def test_writers_of_one_row_of_the_baseline_all_succeed_when_they_accept_any_version(
    pair: Pair,
) -> None:
    await pair.baseline.post("/v1/commitments", json=registration(1), headers=pair.headers())
    path = f"/v1/commitments/{registration(1)['code']}/assessments"
    star = pair.headers(if_match="*")
    answers = await asyncio.gather(
        *(pair.baseline.post(path, json=assessment(3), headers=star) for _ in range(5))
    )
    assert [answer.status_code for answer in answers] == [201] * 5
    assert sorted(answer.json()["version"] for answer in answers) == [2, 3, 4, 5, 6]


# --- the load generator -----------------------------------------------------------------------------------------

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[int]:
    """A server of a few lines on the loopback; yields its port."""
    server = await asyncio.start_server(handler, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def answering(answer: Callable[[int], bytes], taken: list[bytes]) -> Handler:
    """Gives the n-th request (from 0) its answer and keeps the requests' bodies."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0] or 0)
                taken.append(await reader.readexactly(length))
                for part in answer(len(taken) - 1).split(b"|"):
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return handle


OK = b"HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\ndone"
IN_PIECES = b"HTTP/1.1 200 OK\r\nconte|nt-length: 4\r\n\r|\n|do|ne"
REFUSED = b"HTTP/1.1 409 Conflict\r\ncontent-length: 2\r\n\r\nno"


async def test_every_request_is_sent_in_turn_and_counted_once() -> None:
    taken: list[bytes] = []
    requests = [request("POST", "/", body=number) for number in range(3)]
    async with listening(answering(lambda number: OK if number % 2 else IN_PIECES, taken)) as port:
        outcome = await drive(port, requests, connections=4, seconds=10, count=100)
    assert outcome.demand_success().answered == len(taken) == 100
    assert sorted(taken) == sorted(b"%d" % (number % 3) for number in range(100))
    assert 0 < outcome.percentile(0.5) <= outcome.percentile(0.99) <= outcome.percentile(1)


async def test_answers_that_are_no_success_are_told_loudly() -> None:
    async with listening(answering(lambda number: REFUSED if number == 3 else OK, [])) as port:
        outcome = await drive(port, [request("GET", "/")], connections=2, seconds=10, count=10)
    assert (outcome.answered, dict(outcome.failures)) == (9, {"409": 1})
    with pytest.raises(LoadFailed, match="409"):
        outcome.demand_success()


async def test_a_connection_that_ends_early_is_a_failure() -> None:
    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with listening(hang_up) as port:
        outcome = await drive(port, [request("GET", "/")], connections=1, seconds=10)
    with pytest.raises(LoadFailed):
        outcome.demand_success()


async def test_a_steady_rate_sends_as_many_as_are_due() -> None:
    taken: list[bytes] = []
    seen: list[int] = []
    async with listening(answering(lambda _: OK, taken)) as port:
        outcome = await drive(
            port,
            [request("GET", "/")],
            connections=2,
            seconds=30,
            count=50,
            rate=500,
            on_answer=lambda number, _due, _now, _whole: seen.append(number),
        )
    assert outcome.demand_success().answered == len(taken) == 50
    assert sorted(seen) == list(range(50))


async def test_a_streamed_answer_is_counted_by_its_lines_however_it_is_cut() -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    chunks = b'c\r\n{"a":1}\n{"a"|\r\n7\r|\n:2}\n{"a\r\n|5\r\n":3}\n\r\n0\r\n\r\n'
    async with listening(answering(lambda _: head + chunks, [])) as port:
        read = await read_lines(port, request("GET", "/"), enough=9, seconds=10)
    assert (read.lines, read.size, read.last) == (3, 24, b'{"a":3}')


def test_a_percentile_is_one_of_the_values() -> None:
    values = list(range(1, 101))
    assert [percentile(values, share) for share in (0.01, 0.5, 0.99, 1.0)] == [1, 50, 99, 100]
    assert percentile([7], 0.5) == 7


def test_a_goal_is_reached_on_its_own_side_of_the_bound() -> None:
    assert figure("post", [800], [100]).reached
    assert not figure("post", [799], [100]).reached
    assert figure("board", [15], [10]).reached
    assert not figure("board", [16], [10]).reached
    assert figure("visible", [50]).reached
    assert not figure("feed", [99_999]).reached
    assert all(goal.text for goal in GOALS.values())


def test_the_generated_portfolio_is_the_same_every_time(tmp_path: Path) -> None:
    one, other = tmp_path / "one.csv", tmp_path / "other.csv"
    assert (
        write_observations(one, commitments=20, years=3)
        == write_observations(other, commitments=20, years=3)
        == 60
    )
    assert one.read_text() == other.read_text()
    assert len(one.read_text().splitlines()) == 61
