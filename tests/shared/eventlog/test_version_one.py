"""What version 1 wrote is opened, brought up to date and found sound by this one."""

from __future__ import annotations

from contextlib import closing

from shared.eventlog.store import open_store
from shared.eventlog.verification import verify
from tests.support.version_one import EVENTS, FOLLOWER, lay_out


def test_a_log_of_version_one_is_migrated_and_sound(log_url: str) -> None:
    lay_out(log_url)
    with closing(open_store(log_url)) as store:
        store.migrate()
        store.check_ready()
        report = verify(store)
        assert (report.events, report.faults) == (EVENTS, [])
        assert store.follower_position(FOLLOWER[0]) == FOLLOWER[1]
