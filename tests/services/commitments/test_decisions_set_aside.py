"""A decision whose effect fails for a reason nobody foresaw is set aside: it stops neither the service nor the next."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from services.commitments.outcome.policy import FOLLOWER
from shared.eventlog import follower
from shared.eventlog.open import open_store
from shared.eventlog.store import Changes
from shared.events.commitments import Commented
from shared.events.meeting_vocabulary import DecisionKind
from tests.services.commitments.decisions import decision, recordable, until
from tests.services.commitments.installation import Installation
from tests.services.commitments.test_decisions_act_once import FIRST_DAY, prepare
from tests.support.ledger import until as came_true


async def test_a_decision_that_breaks_the_policy_is_set_aside_and_the_next_is_carried_out(
    log_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "PAUSE", 0.01)
    broken, sound = (
        decision(
            DecisionKind.REVISE_DEADLINE,
            f"BIL-INT-2012-00{number}",
            commitments=("SEG-1",),
            effect=until(date(2014, 3, 30 + number)),
        )
        for number in (0, 1)
    )
    # Something else stands where the outcome of the first belongs, as no process of ours would leave it.
    astray = recordable(
        Commented(text="Astray", effective_on=FIRST_DAY), kind="decision-outcome", code=broken.number
    )
    service = Installation(tmp_path, log_url)
    async with service.running() as installed:
        with closing(open_store(log_url)) as store:
            prepare(store)
            events = [astray, recordable(broken), recordable(sound)]
            (appended,) = store.append([Changes(events)], datetime.now(UTC))
            await came_true(lambda: store.follower_position(FOLLOWER) == appended.last)
            outcome = await installed.read(f"/v1/decision-outcomes/{sound.number}")
            assert outcome["state"] == "carried_out"
            (letter,) = store.dead_letters(FOLLOWER)
            assert letter.position == appended.last - 1
        ready = await installed.http.get("/health/ready")
        assert ready.status_code == 200
        assert "1 set aside" in ready.json()["checks"]["decisions"]["detail"]
        metrics = await installed.http.get("/metrics")
        assert f'follower_dead_letters{{follower="{FOLLOWER}"}} 1.0' in metrics.text
