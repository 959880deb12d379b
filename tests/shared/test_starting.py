"""A process that cannot begin says in one sentence which setting is why, and what it writes is for its user alone."""

from __future__ import annotations

import os
import socket
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services import cli
from services.commitments.__main__ import main as commitments
from services.reporting.__main__ import main as reporting
from services.reporting.follow import main as worker
from tests.support.ports import free_port

pytestmark = pytest.mark.usefixtures("newcomer", "logging_restored")


@pytest.fixture
def newcomer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An environment without settings, but for an empty folder; a mask as it usually is."""
    for name in os.environ:
        if name.startswith("BITACORA_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("BITACORA_DATA_DIR", str(tmp_path / "var"))
    before = os.umask(0o022)
    yield
    os.umask(before)


def bitacora(*words: str) -> Callable[[], object]:
    def run() -> None:
        before, sys.argv = sys.argv, ["bitacora", *words]
        try:
            cli.main()
        finally:
            sys.argv = before

    return run


PROCESSES = {
    "commitments": commitments,
    "reporting": reporting,
    "worker": worker,
    "verify": bitacora("verify"),
    "migrate": bitacora("migrate"),
}


def refusal(process: Callable[[], object], capsys: pytest.CaptureFixture[str], **settings: str) -> str:
    """The sentence with which a process in this environment ends."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in settings.items():
            environment.setenv(f"BITACORA_{name.upper()}", value)
        with pytest.raises(SystemExit) as end:
            process()
    assert end.value.code == 1
    written = capsys.readouterr()
    said = (written.out + written.err).strip()
    assert said.count("\n") == 0, said
    assert said.endswith("."), said
    return said


@pytest.mark.parametrize("process", PROCESSES)
def test_a_log_that_cannot_be_used_is_named_with_its_setting_place_and_cause(
    process: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    no_database = tmp_path / "letters.db"
    no_database.write_text("Dear all, " * 200)
    port = free_port()
    for place, said in {
        f"sqlite:///{no_database}": ("letters.db", "file is not a database"),
        f"sqlite:///{no_database}/log.db": ("letters.db", "cannot be made", "File exists"),
        f"sqlite:///{tmp_path}": (str(tmp_path), "unable to open database file"),
        f"postgresql://ana:pa55word@127.0.0.1:{port}/log": ("127.0.0.1", f"port {port}", "'log'", "refused"),
        "postgresql://ana:pa55word@127.0.0.1:70000/log": ("cannot be", "70000"),
    }.items():
        sentence = refusal(PROCESSES[process], capsys, log_url=place)
        assert sentence.startswith("BITACORA_LOG_URL ")
        assert all(one in sentence for one in said), sentence
        assert "pa55word" not in sentence


def test_a_folder_that_cannot_be_made_is_named_with_its_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for process in PROCESSES.values():
        sentence = refusal(process, capsys, data_dir=str(tmp_path / "file" / "var"))
        assert sentence.startswith("BITACORA_DATA_DIR names the folder")
        assert "Not a directory" in sentence


def test_a_read_model_that_cannot_be_kept_is_named_with_its_own_setting(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    for name in ("reporting", "worker", "migrate"):
        sentence = refusal(PROCESSES[name], capsys, read_model_url=f"sqlite:///{tmp_path}/file")
        assert sentence.startswith("BITACORA_READ_MODEL_URL names the folder")


def test_a_log_without_tables_is_told_how_to_get_them(capsys: pytest.CaptureFixture[str]) -> None:
    assert "bitacora migrate" in refusal(commitments, capsys)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("port", "eighty", "BITACORA_PORT has a value that cannot be used: "),
        ("log_format", "yaml", "BITACORA_LOG_FORMAT has a value that cannot be used: "),
        ("timezone", "America/Atlantis", "time zone"),
        ("environment", "production", "BITACORA_OIDC_ISSUER"),
        (
            "log_urll",
            "sqlite:///x",
            "BITACORA_LOG_URLL is no setting of Bitácora; BITACORA_LOG_URL is the nearest",
        ),
        ("acess_log", "false", "BITACORA_ACCESS_LOG is the nearest"),
        ("data", "x", "BITACORA_DATA_DIR is the nearest"),
    ],
)
def test_a_wrong_or_misspelt_setting_is_named(
    name: str, value: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for process in PROCESSES.values():
        sentence = refusal(process, capsys, **{name: value})
        assert said in sentence


def test_what_a_cluster_adds_to_the_environment_is_no_misspelt_setting(
    capsys: pytest.CaptureFixture[str],
) -> None:
    added = {
        "meetings_service_host": "10.0.0.7",
        "meetings_service_port_http": "8002",
        "meetings_port": "tcp://10.0.0.7:8002",
        "meetings_port_8002_tcp_addr": "10.0.0.7",
        "test_postgres_url": "postgresql://127.0.0.1/x",
    }
    assert "bitacora migrate" in refusal(commitments, capsys, **added)


def test_a_port_that_is_taken_is_said_with_the_setting_that_chooses_another(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as end:
        bitacora("migrate")()
    assert end.value.code == 0
    capsys.readouterr()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = refusal(commitments, capsys, port=str(port))
    assert sentence == (
        f"Port {port} of 127.0.0.1 cannot be served (BITACORA_PORT, BITACORA_HOST): Address already in use."
    )
    assert "no address here" in refusal(commitments, capsys, host="256.1.1.1")


def test_what_is_written_is_for_the_user_of_the_services_alone(tmp_path: Path) -> None:
    for words in (["migrate"], ["token", "--role", "dci", "--organization", "DCI"]):
        with pytest.raises(SystemExit):
            bitacora(*words)()
    written = [tmp_path / "var", *(tmp_path / "var").rglob("*")]
    assert {"bitacora.db", "development.key", "reporting"} <= {path.name for path in written}
    for path in written:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path
