"""`bitacora followers`: what follows the log, what it set aside, and asking for another attempt."""

from __future__ import annotations

from contextlib import closing

import pytest
from typer.testing import CliRunner

from services.cli import app
from shared.eventlog.envelope import FollowerPosition
from shared.eventlog.open import open_store
from tests.support.ledger import NOON, changes


def test_what_a_follower_set_aside_is_shown_and_can_be_asked_for_again(
    log_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BITACORA_LOG_URL", log_url)
    run = CliRunner().invoke
    with closing(open_store(log_url)) as store:
        store.migrate()
        store.append([changes(), changes(follower=("test.policy", 1))], NOON)
        store.set_aside(FollowerPosition("test.policy", 2), "the moon was full", NOON)
        shown = run(app, ["followers"]).stdout
        assert "test.policy: acted up to position 2 of 2" in shown
        assert "position 2 set aside on 2011-05-21 12:00:00 UTC: the moon was full" in shown
        assert run(app, ["followers", "retry", "test.policy", "2"]).exit_code == 0
        assert "to be tried again" in run(app, ["followers"]).stdout
        assert store.take_up("test.policy", 2)
        assert not store.take_up("test.policy", 2)
        assert run(app, ["followers", "retry", "test.policy"]).exit_code == 0
        assert isinstance(run(app, ["followers", "retry", "another"]).exception, ValueError)
