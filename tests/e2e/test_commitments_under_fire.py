"""The commitments service as a process of its own: asked by many at once, killed, cut off from its log."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from shared.eventlog import codec
from shared.eventlog.open import open_store
from shared.eventlog.verification import verify
from shared.events.commitments import Commented
from tests.support.postgres import PostgresServer
from tests.support.service_process import Clients, ServiceProcess, client, migrate

pytestmark = pytest.mark.xdist_group("commitments-under-fire")

CODES = tuple(f"C-{n}" for n in range(6))
KILLS = 8


class Answered:
    """What clients wrote, and what they were told of it."""

    def __init__(self) -> None:
        self.told: dict[str, tuple[int, int]] = {}
        """Text to version and position."""

    async def write(self, clients: Clients, name: str, done: asyncio.Event) -> None:
        """Comment on commitments, one after the other, until told to stop."""
        rng = random.Random(name)
        number = 0
        while not done.is_set():
            number += 1
            text = f"{name}, comment {number}"
            answer = await clients.post_until_answered(
                f"/v1/commitments/{rng.choice(CODES)}/comments", {"text": text}, If_Match="*"
            )
            assert answer.status_code == 201, answer.text
            self.told[text] = (answer.json()["version"], answer.json()["position"])

    def check(self, log_url: str) -> None:
        """Everything answered is in the log once, where the answer said; and nothing else is."""
        with closing(open_store(log_url)) as store:
            report = verify(store)
            assert report.sound, report.faults
            log = [codec.decode(line, position) for position, line in store.read(0, 1_000_000)]
        written = {r.data.text: (r.version, r.position) for r in log if isinstance(r.data, Commented)}
        assert written == self.told
        assert sum(isinstance(r.data, Commented) for r in log) == len(self.told), "written twice"


@pytest.fixture
async def service(log_url: str, tmp_path: Path) -> AsyncIterator[ServiceProcess]:
    """A running service over an empty log."""
    migrate(log_url)
    running = await asyncio.to_thread(ServiceProcess(log_url, tmp_path).start)
    yield running
    await asyncio.to_thread(running.stop)


async def test_a_service_killed_under_load_loses_nothing_and_repeats_nothing(
    service: ServiceProcess, log_url: str, tmp_path: Path
) -> None:
    rng = random.Random(3)
    answered = Answered()
    done = asyncio.Event()
    async with client(tmp_path, service.url) as clients:
        await clients.begin(*CODES)
        async with asyncio.TaskGroup() as tasks:
            for n in range(12):
                tasks.create_task(answered.write(clients, f"client {n}", done))
            for _ in range(KILLS):
                await asyncio.sleep(rng.uniform(0.05, 0.4))
                await asyncio.to_thread(service.kill)
                await asyncio.to_thread(service.start)
            await asyncio.sleep(0.1)
            done.set()
        assert clients.cut_off > 0, "nobody noticed"
    answered.check(log_url)
    assert len(answered.told) > 12 * KILLS


async def test_of_many_clients_that_state_a_version_one_wins_and_the_others_get_412(
    service: ServiceProcess, log_url: str, tmp_path: Path
) -> None:
    second = await asyncio.to_thread(ServiceProcess(log_url, tmp_path).start)
    async with client(tmp_path, service.url, second.url) as clients:
        await clients.begin("C-1")
        for version in range(1, 9):
            answers = await asyncio.gather(
                *(
                    clients.post(
                        "/v1/commitments/C-1/comments", {"text": f"{n}"}, at=n, If_Match=f'"{version}"'
                    )
                    for n in range(12)
                )
            )
            assert Counter(a.status_code for a in answers) == {201: 1, 412: 11}
            assert [a.json()["version"] for a in answers if a.status_code == 201] == [version + 1]
    await asyncio.to_thread(second.stop)


async def test_clients_that_take_any_version_all_succeed_in_some_order(
    service: ServiceProcess, log_url: str, tmp_path: Path
) -> None:
    second = await asyncio.to_thread(ServiceProcess(log_url, tmp_path).start)
    async with client(tmp_path, service.url, second.url) as clients:
        await clients.begin("C-1")
        answers = await asyncio.gather(
            *(
                clients.post("/v1/commitments/C-1/comments", {"text": f"{n}"}, at=n, If_Match="*")
                for n in range(80)
            )
        )
        assert Counter(a.status_code for a in answers) == {201: 80}
        assert sorted(a.json()["version"] for a in answers) == list(range(2, 82))
        last = max(int(a.headers["log-position"]) for a in answers)
        for url in clients.urls:
            seen = await clients.http.get(f"{url}/v1/commitments/C-1", params={"wait_for": last})
            assert seen.headers["etag"] == '"81"'
    await asyncio.to_thread(second.stop)


async def test_one_request_sent_by_many_at_once_is_carried_out_once(
    service: ServiceProcess, log_url: str, tmp_path: Path
) -> None:
    second = await asyncio.to_thread(ServiceProcess(log_url, tmp_path).start)
    async with client(tmp_path, service.url, second.url) as clients:
        await clients.begin("C-1")
        for version in range(1, 7):
            answers: list[httpx.Response] = await asyncio.gather(
                *(
                    clients.post(
                        "/v1/commitments/C-1/comments",
                        {"text": "the same"},
                        at=n,
                        If_Match=f'"{version}"',
                        Idempotency_Key=f"key-{version}",
                    )
                    for n in range(8)
                )
            )
            assert {a.status_code for a in answers} == {201}
            assert len({a.content for a in answers}) == 1
    await asyncio.to_thread(second.stop)


async def test_while_postgresql_is_away_clients_get_503_or_wait_and_nothing_is_lost_or_doubled(
    private_postgres: PostgresServer, tmp_path: Path
) -> None:
    migrate(private_postgres.url)
    service = await asyncio.to_thread(ServiceProcess(private_postgres.url, tmp_path).start)
    answered = Answered()
    done = asyncio.Event()
    async with client(tmp_path, service.url) as clients:
        await clients.begin(*CODES)
        async with asyncio.TaskGroup() as tasks:
            for n in range(12):
                tasks.create_task(answered.write(clients, f"client {n}", done))
            for end in (private_postgres.stop, private_postgres.kill):
                await asyncio.sleep(0.3)
                await asyncio.to_thread(end)
                await asyncio.sleep(0.5)
                await asyncio.to_thread(private_postgres.start)
                await asyncio.sleep(0.5)
            for _ in range(600):
                if len(answered.told) > 50:
                    break
                await asyncio.sleep(0.05)
            done.set()
        assert clients.cut_off == 0
        assert clients.statuses.keys() == {201, 503}
    answered.check(private_postgres.url)
    assert len(answered.told) > 50
    await asyncio.to_thread(service.stop)
