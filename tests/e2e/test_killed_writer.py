"""A writing process killed at random moments under load: what was acknowledged is there, whole, and once."""

from __future__ import annotations

import random

import pytest

from tests.support.load import Load
from tests.support.log_process import Child

pytestmark = pytest.mark.xdist_group("killed-writer")

KILLS = 15


def test_what_was_acknowledged_is_there_once_and_nothing_is_there_by_half(log_url: str) -> None:
    rng = random.Random(7)
    load = Load(seed=7)
    with Child("serve", log_url) as child:
        load.begin(child.ready())
    for _ in range(KILLS):
        with Child("serve", log_url) as child:
            child.ready()
            load.run(child, rng.uniform(0.02, 0.3), answers=15)
            child.kill()
            load.settle(child)
        load.check(log_url)
    with Child("serve", log_url) as child:
        load.finish(child.ready())
    load.check(log_url)
    assert not load.unanswered
    assert len(load.acknowledged) > 10 * KILLS, "there was hardly any load"
