"""Each service runs as a role that can do what it has to, and cannot change or remove what is on record."""

from __future__ import annotations

import threading
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from typer.testing import CliRunner

from services.cli import app as command_line
from services.commitments.app import create_app as commitments
from services.meetings.app import create_app as meetings
from services.reporting.app import create_app as reporting
from services.reporting.datasets import Schema
from services.reporting.follow import Worker
from services.reporting.generations import open_installed
from shared.clock import Clock
from shared.eventlog.grants import WRITERS
from shared.eventlog.open import open_log, open_store
from shared.identity.actor import Role
from shared.settings import Settings
from tests.services.reporting.installation import credentials
from tests.support.deployment import ROOT
from tests.support.postgres import PostgresServer

PASSWORDS = {"OWNER_PASSWORD": "o", "WRITER_PASSWORD": "w", "REPORTING_PASSWORD": "r"}
NEVER = (
    "UPDATE stored_events SET topic = 'x'",
    "DELETE FROM stored_events",
    "TRUNCATE stored_events",
    "ALTER TABLE stored_events DISABLE TRIGGER ALL",
    "DROP TRIGGER stored_events_never ON stored_events",
    "DROP TABLE codes",
    "DELETE FROM codes",
    "UPDATE codes SET code = 'x'",
    "CREATE TABLE mine (n int)",
)
"""What neither of the roles of services may do."""


@pytest.fixture
def installed(private_postgres: PostgresServer) -> PostgresServer:
    """A server with the roles and the tables of an installation, made as its files say."""
    with psycopg.connect(private_postgres.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE bitacora")
    done = private_postgres.psql("bitacora", ROOT / "deploy/postgres/roles.sql", PASSWORDS)
    assert done.returncode == 0, done.stdout
    return private_postgres


def url(server: PostgresServer, role: str) -> str:
    """The address of the record for a role."""
    return f"postgresql://bitacora_{role}@127.0.0.1:{server.port}/bitacora"


async def test_the_services_run_as_roles_that_cannot_touch_what_is_on_record(
    installed: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["migrate", "--writers=bitacora_writer", "--readers=bitacora_reporting"]
    monkeypatch.setenv("BITACORA_LOG_URL", url(installed, "owner"))
    monkeypatch.setenv("BITACORA_READ_MODEL_URL", url(installed, "reporting"))
    migrated = CliRunner().invoke(command_line, command)
    assert migrated.exit_code == 0, migrated.output
    monkeypatch.undo()
    of_writers = Settings(data_dir=tmp_path, log_url=url(installed, "writer"), access_log=False)
    of_worker = Settings(data_dir=tmp_path, log_url=url(installed, "reporting"), access_log=False)
    of_reporting = of_writers.model_copy(update={"read_model_url": url(installed, "reporting")})
    clock = Clock()
    async with AsyncExitStack() as stack:
        store = stack.enter_context(closing(open_log(of_worker)))
        schema = Schema(clock.zone.key, windows=of_worker.warning_windows)
        read_model = stack.enter_context(closing(open_installed(of_worker, schema)))
        worker = Worker(store, read_model, clock)
        thread = threading.Thread(target=worker.run)
        thread.start()
        stack.callback(thread.join, 20)
        stack.callback(worker.stop)
        clients: dict[str, httpx.AsyncClient] = {}
        for name, app in (
            ("commitments", commitments(of_writers, clock)),
            ("meetings", meetings(of_writers, clock)),
            ("reporting", reporting(of_reporting, clock)),
        ):
            await stack.enter_async_context(app.router.lifespan_context(app))
            clients[name] = await stack.enter_async_context(
                httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=f"http://{name}.test")
            )
        sent = credentials(of_writers, datetime.now(UTC), Role.DCI, "DCI")

        async def write(service: str, method: str, path: str, body: Any, **headers: str) -> httpx.Response:
            answer = await clients[service].request(method, path, json=body, headers=sent | headers)
            assert answer.status_code == 201, answer.text
            return answer

        admin = credentials(of_writers, datetime.now(UTC), Role.ADMIN, "DCI")
        await write("commitments", "PUT", "/v1/organizations/MOP", {"name": "Public Works"}, **admin)
        written = await write(
            "commitments",
            "POST",
            "/v1/commitments",
            {"code": "ROAD", "title": "A road", "lead_organization": "MOP"},
            **{"Idempotency-Key": "k-1"},
        )
        board = await clients["reporting"].get(
            f"/v1/board?wait_for={written.headers['log-position']}", headers=sent
        )
        assert [item["code"] for item in board.json()["items"]] == ["ROAD"]
        for client in clients.values():
            ready = await client.get("/health/ready")
            assert ready.status_code == 200, ready.text
    for role, more in (("writer", ()), ("reporting", ("INSERT INTO codes VALUES ('a', 'b', 'c')",))):
        with psycopg.connect(url(installed, role), autocommit=True) as connection:
            for statement in (*NEVER, *more):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(statement.encode())
    with closing(open_store(url(installed, "writer"))) as store:
        assert store.prune_keys(datetime.now(UTC).replace(year=3000), 10) == 1, "keys are forgotten in time"


def test_every_table_of_the_log_is_granted(installed: PostgresServer) -> None:
    with closing(open_store(url(installed, "owner"))) as store:
        store.migrate()
    with psycopg.connect(url(installed, "owner")) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert {name for (name,) in tables} == WRITERS.keys()
