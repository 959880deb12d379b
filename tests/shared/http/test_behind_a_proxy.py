"""Behind a proxy: who asks and where they find us is what a trusted one says, and `deploy/nginx.conf` is such a one."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import ValidationError

from services.commitments.app import PORT as COMMITMENTS
from services.meetings.app import PORT as MEETINGS
from services.reporting.app import PORT as REPORTING
from shared.http.body import LARGEST, USUAL
from shared.http.service import server_of
from shared.settings import Settings
from tests.support.ports import free_port
from tests.support.web import Installation

CONFIGURATION = Path(__file__).parents[3] / "deploy/nginx.conf"
NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin:/opt/homebrew/bin")


@contextmanager
def served(installation: Installation) -> Iterator[str]:
    """The small service on a port of its own, as a service's process serves it."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = server_of(installation.app, installation.settings)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    try:
        yield f"127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7", "Host": "bitacora.gob.test"}


@pytest.mark.parametrize(
    ("settings", "following"),
    [
        ({}, "https://bitacora.gob.test/v1/things?"),
        ({"trusted_proxies": ("10.0.0.0/8",)}, "http://bitacora.gob.test/v1/things?"),
        ({"public_url": "https://open.gob.test/things/"}, "https://open.gob.test/things/v1/things?"),
    ],
)
def test_the_next_page_is_where_the_caller_can_find_it(
    tmp_path: Path, settings: dict[str, object], following: str
) -> None:
    installation = Installation(tmp_path, **settings)  # type: ignore[arg-type]
    with served(installation) as address, httpx.Client(base_url=f"http://{address}") as client:
        answer = client.get("/v1/things?limit=1", headers=FORWARDED)
        assert answer.json()["next"].startswith(following)
        added = client.post("/v1/things", json={"title": "a"}, headers=installation.token())
        assert added.headers["location"] == f"{'/things' if settings.get('public_url') else ''}/v1/things/1"


def test_only_a_trusted_proxy_says_who_asks(tmp_path: Path) -> None:
    for trusted, statuses in (("127.0.0.1", [200, 200, 200]), ("10.0.0.7", [200, 429, 429])):
        installation = Installation(
            tmp_path,
            requests_per_minute_of_address=1,
            trusted_proxies=(trusted,),
        )
        with served(installation) as address, httpx.Client(base_url=f"http://{address}") as client:
            asked = [
                client.get("/v1/things?limit=1", headers={"X-Forwarded-For": f"203.0.113.{number}"})
                for number in range(3)
            ]
        assert [answer.status_code for answer in asked] == statuses


@pytest.mark.parametrize(
    "wrong",
    [
        {"trusted_proxies": "proxy.gob.test"},
        {"trusted_proxies": "10.0.0.7/8"},
        {"public_url": "bitacora.gob.test"},
        {"public_url": "https://bitacora.gob.test/?a=b"},
    ],
    ids=str,
)
def test_what_is_no_network_or_no_address_does_not_start(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate(wrong)


def test_the_proxys_file_names_our_ports_our_settings_and_our_limits() -> None:
    text = CONFIGURATION.read_text()
    assert re.findall(r"server 127\.0\.0\.1:(\d+);", text) == [
        str(port) for port in (COMMITMENTS, MEETINGS, REPORTING)
    ]
    assert f"client_max_body_size {LARGEST // 1024 // 1024}m;" in text
    named = set(re.findall(r"BITACORA_\w+", text))
    assert named
    assert named <= {f"BITACORA_{name.upper()}" for name in Settings.model_fields}


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that nobody but this test believes, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bitacora.gob.test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return paths


@contextmanager
def proxied(folder: Path, upstream: str) -> Iterator[str]:
    """The documented proxy, with every service where `upstream` is."""
    assert NGINX is not None
    plain, tls = free_port(), free_port()
    text = CONFIGURATION.read_text().replace("/etc/ssl/bitacora", str(folder))
    text = re.sub(r"server 127\.0\.0\.1:\d+;", f"server {upstream};", text)
    text = text.replace("listen 80;", f"listen 127.0.0.1:{plain};")
    text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{tls} ssl;")
    text = text.replace("/var/log/nginx", str(folder)).replace("/run/", f"{folder}/")
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "".join(f"{kind}_temp_path {folder / kind};" for kind in kinds)
    # Whoever runs the test owns its folder, and the workers keep bodies there.
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(user + text.replace("http {", f"http {{ {places}", 1))
    certificate(folder)
    command = [NGINX, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr, checked.stderr
    running = subprocess.Popen([*command, "-g", "daemon off;"])
    try:
        deadline = time.monotonic() + 60
        while True:
            assert running.poll() is None
            assert time.monotonic() < deadline
            try:
                socket.create_connection(("127.0.0.1", tls)).close()
            except OSError:
                time.sleep(0.02)
            else:
                break
        yield f"127.0.0.1:{tls}"
    finally:
        running.terminate()
        running.wait(20)


def test_the_documented_proxy_puts_the_services_under_one_host(tmp_path: Path) -> None:
    if NGINX is None:
        return  # what its file says of ours is looked at above, with or without nginx
    installation = Installation(tmp_path / "data", public_url="https://bitacora.gob.test/reporting")
    written = {**installation.token(), "Content-Type": "application/json"}
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with (
        served(installation) as upstream,
        proxied(tmp_path, upstream) as address,
        httpx.Client(
            base_url=f"https://{address}", verify=trusting, headers={"Host": "bitacora.gob.test"}
        ) as client,
    ):
        page = client.get("/reporting/v1/things?limit=1&kind=educaci%C3%B3n")
        following = page.json()["next"]
        assert following.startswith("https://bitacora.gob.test/reporting/v1/things?")
        assert client.get(following.removeprefix("https://bitacora.gob.test")).json()["items"][0]["id"] == "2"
        assert page.headers["strict-transport-security"]
        lines = client.get("/reporting/v1/lines?count=3").text
        assert len(lines.splitlines()) == 3
        documents = client.get("/reporting/docs")
        for part in re.findall(r'(?:src|href)="([^"]+)"', documents.text):
            assert client.get(f"/reporting/{part}").status_code == 200, part
        large = client.post("/meetings/v1/things", content=b"x" * (USUAL + 1), headers=written)
        assert large.status_code == 413
        assert "64 kB" in large.json()["detail"]
        for inside in ("/metrics", "/health/ready", "/health/live"):
            assert client.get(f"/reporting{inside}").status_code == 404
        assert client.get("/v1/things").status_code == 404
        assert client.get("/").headers["location"].endswith("/reporting/")
