"""What the Dockerfile and the compose file name exists: commands, variables, paths, health checks."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import typer

from services.cli import app
from shared.settings import Settings
from tests.support.deployment import ROOT, Deployment, lay_out, problems
from tests.support.ports import free_port

NAMED = ":?set it in the environment file}"

# the file, what stands there, what is planted in its place, what must be said about it
PLANTED = [
    ("dockerfile", "COPY shared ", "COPY shered ", "COPY shered: there is no such path"),
    ("dockerfile", "BITACORA_PORT=8000", "BITACORA_PORTS=8000", "BITACORA_PORTS is no setting"),
    ("dockerfile", "USER 10001:10001", "USER root", "runs as root"),
    ("dockerfile", "-m services.${SERVICE}", "-m services.${SERVICE}.main", "nothing runs as"),
    ("dockerignore", "!shared/", "!shed/", "COPY shared: .dockerignore keeps it out"),
    ("compose", '"bitacora", "migrate"', '"bitacora", "upgrade"', "bitacora has no command upgrade"),
    ("compose", "services.reporting.follow", "services.reporting.worker", "nothing runs as python -m"),
    ("compose", '"services.meetings"', '"services.commitments"', "does not hold services.commitments"),
    ("compose", "BITACORA_TIMEZONE", "BITACORA_TIME_ZONE", "BITACORA_TIME_ZONE is no setting"),
    ("compose", "deploy/Dockerfile\n", "Dockerfile\n", "there is no Dockerfile"),
    ("compose", "postgres: {condition", "database: {condition", "waits for database, which does not exist"),
    ("compose", "service_completed_successfully", "service_healthy", "waits for the health of migrate"),
    ("compose", "${WRITER_PASSWORD" + NAMED + "@", "hunter2@", "holds a password"),
    ("compose", '"${POSTGRES_PASSWORD' + NAMED + '"', "hunter2", "must come from outside"),
    ("compose", '"127.0.0.1:8001:8001"', '"8001:8001"', "is open to the network"),
    ("compose", "user: postgres", "user: root", "postgres: runs as root"),
    ("env_example", "BITACORA_OIDC_AUDIENCE=", "", "BITACORA_OIDC_AUDIENCE is in only one of"),
    ("env_example", "POSTGRES_PASSWORD=", "POSTGRES_PASSWORD=hunter2", "POSTGRES_PASSWORD has a value"),
]


def found(deployment: Deployment) -> list[str]:
    """What is wrong with a deployment, measured against the code as it is."""
    command = typer.main.get_command(app)
    names = getattr(command, "commands", {}).keys()
    return problems(deployment, settings=Settings.model_fields, commands=names)


def test_everything_the_deployment_names_exists() -> None:
    assert found(Deployment.read()) == []


@pytest.mark.parametrize(("file", "there", "planted", "said"), PLANTED)
def test_a_planted_error_is_found(file: str, there: str, planted: str, said: str) -> None:
    deployment = Deployment.read()
    text: str = getattr(deployment, file)
    assert there in text
    wrong = found(replace(deployment, **{file: text.replace(there, planted)}))
    assert any(said in sentence for sentence in wrong), wrong


def test_what_an_image_installs_is_what_the_tests_ran_with() -> None:
    pinned = {
        name: set(re.findall(r"^([\w.\[\]-]+==\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "deploy/requirements.lock")
    }
    assert pinned["deploy/requirements.lock"]
    assert pinned["deploy/requirements.lock"] <= pinned["requirements.lock"]
    assert not any(pin.startswith(("pytest", "mypy", "ruff")) for pin in pinned["deploy/requirements.lock"])


@pytest.mark.parametrize("service", ["commitments", "meetings", "reporting"])
def test_an_image_holds_all_that_its_service_needs_and_no_other_service(
    service: str, tmp_path: Path, postgres_url: str
) -> None:
    """Runs the compose file's commands on the files of the images alone, up to the health check's answer."""
    deployment = Deployment.read()
    port = free_port()
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "BITACORA_LOG_URL": postgres_url,
        "BITACORA_PORT": str(port),
        "BITACORA_DATA_DIR": str(tmp_path / "data"),
    }
    migrating = lay_out(deployment, "reporting", tmp_path / "migrate")
    migrated = subprocess.run(
        ["/bin/sh", ROOT / "deploy/bitacora", "migrate"],
        cwd=migrating,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert migrated.returncode == 0, migrated.stderr
    place = lay_out(deployment, service, tmp_path / service)
    assert {path.name for path in (place / "services").iterdir() if path.is_dir()} == {service, "locale"}
    command: list[str] = deployment.ours()[service]["command"]
    with (tmp_path / "said").open("w+") as said:
        running = subprocess.Popen([sys.executable, *command[1:]], cwd=place, env=environment, stderr=said)
        try:
            url = f"http://127.0.0.1:{port}{deployment.healthcheck()}"
            answer = wait_for(url, running)
            elsewhere = httpx.get(f"{url}-elsewhere").status_code if answer else None
        finally:
            running.terminate()
            running.wait(20)
        said.seek(0)
        assert (answer, elsewhere) == (200, 404), said.read()


def wait_for(url: str, running: subprocess.Popen[bytes], seconds: float = 120) -> int | None:
    """The status that a starting service answers with: the first 200, or the last one before it gave up."""
    status = None
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and running.poll() is None:
        try:
            status = httpx.get(url, timeout=5).status_code
        except httpx.TransportError:
            status = None
        if status == 200:
            return status
        time.sleep(0.1)
    return status
