"""One trace leads from a POST through the log to the board that shows it; where none is wanted, nothing is traced."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared import telemetry
from shared.eventlog.envelope import FollowerPosition, Recorded
from shared.eventlog.follower import Follower
from shared.events.commitments import Commented, Registered
from shared.identity.actor import Role
from tests.services.commitments.installation import Installation
from tests.services.reporting.installation import Installation as Reporting
from tests.services.reporting.stage import staged
from tests.support.deployment import ROOT
from tests.support.ledger import changes, event, opened, process, until, wrote

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def exported() -> Iterator[InMemorySpanExporter]:
    """What is traced while the test runs."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    telemetry.begin(provider)
    yield exporter
    telemetry.end()
    provider.shutdown()


def parents(spans: Iterable[ReadableSpan]) -> dict[str, str | None]:
    """The name of each span, and that of the one in which it is."""
    names = {span.context.span_id: span.name for span in spans}
    return {span.name: names.get(span.parent.span_id) if span.parent else None for span in spans}


async def test_a_trace_goes_from_a_post_through_the_log_to_the_projection_that_shows_it(
    log_url: str, tmp_path: Path, exported: InMemorySpanExporter
) -> None:
    with staged(log_url) as stage:
        stage.start_worker()
        async with Installation(tmp_path, log_url, telemetry=True).running() as here:
            await here.told("PUT", "/v1/organizations/DCI", {"name": "DCI"}, role=Role.ADMIN)
            body = {"code": "A", "title": "A road", "lead_organization": "DCI", "effective_on": "2012-01-01"}
            made = await here.told("POST", "/v1/commitments", body, traceparent=f"00-{TRACE}-{CALLER}-01")
            position = int(made.headers["log-position"])
        async with Reporting(tmp_path, stage).running() as reporting:
            board = await reporting.read(f"/v1/board?wait_for={position}")
        assert [item["code"] for item in board["items"]] == ["A"]

        def spans() -> list[ReadableSpan]:
            return [
                span for span in exported.get_finished_spans() if f"{span.context.trace_id:032x}" == TRACE
            ]

        await until(lambda: "project" in parents(spans()))
        request = "POST /v1/commitments"
        assert parents(spans()) == {request: None, "append to the log": request, "project": request}
        (projected,) = (span for span in spans() if span.name == "project")
        assert projected.attributes is not None
        assert projected.attributes["position"] == position
        (asked,) = (span for span in spans() if span.name == request)
        assert asked.parent is not None
        assert f"{asked.parent.span_id:016x}" == CALLER
        ((_, line),) = stage.store.read(position - 1, 1)
        assert json.loads(line)["traceparent"] == f"00-{TRACE}-{asked.context.span_id:016x}-01"


async def test_what_a_policy_does_is_in_the_trace_of_what_it_acts_on(
    sqlite_url: str, exported: InMemorySpanExporter
) -> None:
    async with process(sqlite_url) as one:

        async def answer(recorded: Recorded, at: FollowerPosition) -> None:
            await one.live.append(changes(event(wrote("acted")), follower=(at.name, at.position)))

        follower = Follower(one.live, "test", (Registered,), answer)
        follower.start()
        with telemetry.span("a request"):
            await one.live.append(changes(event(opened(), stream_id=uuid4())))
        await until(lambda: one.live.position == 2)
        await follower.stop()
        lines = [json.loads(line) for _, line in one.store.read(0, 2)]
    assert [line["type"] for line in lines] == [Registered.TYPE, Commented.TYPE]
    assert len({line["traceparent"].split("-")[1] for line in lines}) == 1
    assert parents(exported.get_finished_spans())[f"act on {Registered.TYPE}"] == "a request"


async def test_events_say_nothing_of_traces_where_there_are_none(sqlite_url: str) -> None:
    async with process(sqlite_url) as one:
        with telemetry.span("a request"):
            await one.live.append(changes())
        ((_, line),) = await asyncio.to_thread(one.store.read, 0, 1)
    assert "traceparent" not in json.loads(line)


def run(program: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A program of Python in a process of its own."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("BITACORA_")}
    return subprocess.run(
        [sys.executable, "-c", program],
        env=environ | {"PYTHONPATH": str(ROOT), **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_the_setting_nothing_of_the_extra_is_imported(tmp_path: Path) -> None:
    done = run(
        "import sys, services.commitments.app, services.reporting.app, services.reporting.follow as worker\n"
        "from shared.settings import Settings\n"
        "services.commitments.app.create_app(Settings())\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])",
        BITACORA_DATA_DIR=str(tmp_path),
    )
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("module", ["services.reporting.follow", "services.meetings"])
def test_without_the_extra_the_setting_is_refused_with_a_sentence(tmp_path: Path, module: str) -> None:
    done = run(
        "import runpy, sys\n"
        "sys.modules['opentelemetry.sdk'] = sys.modules['opentelemetry.exporter.otlp.proto.http'] = None\n"
        f"runpy.run_module('{module}', run_name='__main__')",
        BITACORA_DATA_DIR=str(tmp_path),
        BITACORA_TELEMETRY="true",
    )
    assert (done.returncode, done.stderr) == (1, f"{telemetry.EXTRA}\n")
