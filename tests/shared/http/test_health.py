"""What a service tells about itself to whoever runs it."""

from __future__ import annotations

from structlog.testing import capture_logs

from tests.support.web import Installation


async def test_a_service_that_runs_is_alive_and_one_that_can_work_is_ready(
    installation: Installation,
) -> None:
    async with installation.client() as client:
        assert (await client.get("/health/live")).json()["status"] == "ok"
        answer = await client.get("/health/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": {"engine": {"status": "ok", "detail": "engine answers"}},
    }


async def test_a_failing_check_makes_a_service_unready_without_saying_where_its_database_is(
    installation: Installation,
) -> None:
    installation.ready = ""
    async with installation.client() as client:
        with capture_logs() as logs:
            answer = await client.get("/health/ready")
        assert (await client.get("/health/live")).status_code == 200
    assert answer.status_code == 503
    assert answer.json()["checks"]["engine"]["status"] == "failed"
    assert "password" not in answer.text
    assert any(line["event"] == "check_failed" for line in logs)


async def test_metrics_are_for_prometheus_to_read(installation: Installation) -> None:
    async with installation.client() as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "process_cpu_seconds_total" in answer.text


async def test_the_root_leads_a_program_and_a_browser_to_what_the_service_says_of_itself(
    installation: Installation,
) -> None:
    async with installation.client() as client:
        told = (await client.get("/")).raise_for_status().json()
        assert told["service"] == "Things"
        for name in ("documents", "openapi", "live", "ready", "metrics"):
            assert (await client.get(told[name])).status_code == 200, name
        browser = await client.get("/", headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        assert (browser.status_code, browser.headers["location"]) == (307, "/docs")
