"""What `make ops-test` would notice: each fault is planted into a ledger, or between requests, and found."""

from __future__ import annotations

import re
import subprocess
from contextlib import closing
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml

from shared.eventlog.open import open_store
from tests.ops.clients import Clients, Seen, Told
from tests.ops.cluster import FILES, Cluster
from tests.ops.programs import OpsFailed
from tests.support.ledger import NOON, changes, event, opened, wrote


def clients(*members: str) -> Clients:
    """Clients of processes of these names that nobody started."""
    named = [SimpleNamespace(name=name, kind="meetings") for name in members]
    return Clients(cast("Any", SimpleNamespace(members=named, of=lambda kind: [])))


def test_what_was_acknowledged_and_is_not_there_and_what_is_there_twice_is_found(sqlite_url: str) -> None:
    with closing(open_store(sqlite_url)) as store:
        store.migrate()
        store.append([changes(event(opened("C-0")))], NOON)
        for text in ("one", "two"):
            store.append([changes(event(wrote(text)))], NOON)
        ledger = clients()
        ledger.told = {"one": Told(2, at=10), "two": Told(3, at=20)}
        assert ledger.check(sqlite_url) == ([], [])
        ledger.told["three"] = Told(4, at=30)
        with pytest.raises(OpsFailed, match="acknowledged and are not there"):
            ledger.check(sqlite_url)
        assert ledger.check(sqlite_url, acknowledged_before=25) == (["three"], [])
        with pytest.raises(OpsFailed, match="acknowledged and are not there"):
            ledger.check(sqlite_url, acknowledged_before=35)
        del ledger.told["three"], ledger.told["two"]
        with pytest.raises(OpsFailed, match="nobody was told of"):
            ledger.check(sqlite_url)
        ledger.told["two"] = Told(2, at=20)
        with pytest.raises(OpsFailed, match="not where it was said"):
            ledger.check(sqlite_url)
        store.append([changes(event(wrote("two")))], NOON)
        with pytest.raises(OpsFailed, match="recorded twice"):
            ledger.check(sqlite_url)


@pytest.mark.parametrize(
    ("ready", "carried_out", "found"), [(True, False, 1), (False, True, 1), (True, True, 0)]
)
def test_readiness_that_says_what_is_not_so_is_found(ready: bool, carried_out: bool, found: int) -> None:
    ledger = clients("m")
    ledger.looks["m"] = [Seen(10, 10.1, ready)]
    ledger.requests["m"] = [Seen(at, at + 0.1, carried_out) for at in (8.5, 9.5, 10.5)]
    assert len(ledger.untrue(2)) == found
    ledger.requests["m"].pop()
    assert ledger.untrue(2) == [], "it may have changed with the look"
    ledger.requests["m"].append(Seen(11, 11.1, not carried_out))
    assert ledger.untrue(2) == [], "it changed within the tolerance"


def test_the_example_of_a_machines_settings_names_what_the_cluster_is_set_up_with(tmp_path: Path) -> None:
    node = Cluster(tmp_path, tmp_path, count(8200)).nodes[0]
    named = re.findall(r"^([A-Z0-9_]+)=", (FILES / "node.env.example").read_text(), re.MULTILINE)
    assert set(named) == node.settings().keys()


def test_a_leader_that_renews_its_lock_in_time_does_not_lose_it_and_the_restore_is_a_program() -> None:
    bounds = yaml.safe_load((FILES / "patroni.yml").read_text())["bootstrap"]["dcs"]
    assert bounds["ttl"] >= bounds["loop_wait"] + 2 * bounds["retry_timeout"]
    assert bounds["synchronous_mode"], "a standby that was behind would take over"
    subprocess.run(["bash", "-n", FILES / "restore.sh"], check=True)
