"""What `bitacora migrate` tells the person who runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from shared.events.commitments import OrganizationRegistered
from tests.services.reporting.stage import read_model_url, staged


def told(log_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the command prints."""
    monkeypatch.setenv("BITACORA_LOG_URL", log_url)
    monkeypatch.setenv("BITACORA_READ_MODEL_URL", read_model_url(log_url))
    monkeypatch.setenv("BITACORA_DATA_DIR", str(folder))
    done = CliRunner().invoke(app, ["migrate"])
    assert done.exit_code == 0, done.output
    return done.output


def test_migrate_says_how_far_the_read_model_has_to_go_and_nothing_when_it_is_there(
    log_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(log_url, tmp_path, monkeypatch).splitlines() == [
        "The tables of the log and of the read model are up to date."
    ]
    with staged(log_url) as stage:
        stage.append(
            *((code, OrganizationRegistered(code=code, name=code)) for code in ("A", "B", "C")),
            kind="organization",
        )
        assert "has read 0 of 3 events" in told(log_url, tmp_path, monkeypatch)
        stage.follow()
        assert "has read" not in told(log_url, tmp_path, monkeypatch)
