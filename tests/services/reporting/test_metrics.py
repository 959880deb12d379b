"""What a process shows of itself: where the log is, how far each follows it, what it keeps, what waits for somebody."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
from prometheus_client import start_http_server

from shared.clock import utc_now
from shared.eventlog.quarantine import quarantine
from shared.http.metrics import new_registry
from shared.identity.actor import Role
from tests.services.commitments.installation import Installation
from tests.services.reporting.installation import Installation as Asking
from tests.services.reporting.stage import ACTOR, staged
from tests.services.reporting.test_generations import story
from tests.support.damage import damage, spoil


def figures(text: str) -> dict[str, float]:
    """Every series of a page of metrics, by its name and labels."""
    return {name: float(value) for name, value in re.findall(r"^([^#\s]\S*) (\S+)$", text, flags=re.M)}


async def test_a_writing_service_shows_the_log_its_appends_its_memory_and_its_keys(
    sqlite_url: str, tmp_path: Path
) -> None:
    async with Installation(tmp_path, sqlite_url).running() as here:
        await here.told("PUT", "/v1/organizations/DCI", {"name": "DCI"})
        body = {"code": "A", "title": "A", "lead_organization": "DCI", "effective_on": "2012-01-01"}
        await here.told("POST", "/v1/commitments", body)
        key = {"role": "admin", "organization": "DCI", "expires_at": "2013-12-01T00:00:00Z"}
        await here.told("POST", "/v1/api-keys", key, role=Role.ADMIN)
        shown = figures((await here.ask("GET", "/metrics")).text)
    assert (shown["log_head"], shown["log_position"]) == (3, 3)
    assert shown["log_append_batch_requests_sum"] == 3
    assert shown["log_append_duration_seconds_count"] == shown["log_append_wait_seconds_count"] == 3
    assert shown["log_append_failures_total"] == 0
    assert shown['cached_aggregates{kind="commitment"}'] == 1
    assert shown['cached_bytes{kind="commitment"}'] > 1_000
    assert shown["api_keys"] == 1
    assert shown["decisions_unresolved"] == 0
    assert shown["log_quarantined_events"] == shown["log_unreadable_events"] == 0


async def test_reporting_shows_how_far_the_read_model_is_and_the_streams_that_are_open(
    sqlite_url: str, tmp_path: Path
) -> None:
    with staged(sqlite_url) as stage:
        stage.append(*story(12, 2, 4))
        stage.follow()
        reached = stage.reached()
        damage(sqlite_url, 2, spoil)
        quarantine(stage.store, 2, reason="a bad disk", actor=ACTOR, now=utc_now)
        async with Asking(tmp_path, stage).running() as here:
            await here.get("/v1/events", role=Role.AUDITOR)
            shown = figures((await here.get("/metrics")).text)
        assert shown["log_head"] == reached + 1
        assert shown["read_model_position"] == reached
        assert shown["log_quarantined_events"] == 1
        assert shown["event_streams_open"] == 0


def test_the_worker_shows_how_far_it_is_on_a_port_of_its_own(sqlite_url: str) -> None:
    registry = new_registry()
    with staged(sqlite_url) as stage:
        stage.append(*story(12, 2, 4))
        worker = stage.start_worker()
        worker.measure(registry)
        server, thread = start_http_server(0, "127.0.0.1", registry)
        try:
            stage.wait()
            stage.stop_workers()
            shown = figures(httpx.get(f"http://127.0.0.1:{server.server_port}/metrics").text)
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
        assert shown["projection_position"] == shown["log_head"] == stage.store.head()
        assert shown["projection_failures_total"] == 0
