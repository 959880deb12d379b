"""What readiness of reporting says of the read model, and of the worker that keeps it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

from shared.events.commitments import Registered
from tests.services.reporting.installation import Installation
from tests.services.reporting.stage import staged
from tests.support.ledger import DAY


async def asked(reporting: Installation, status: int) -> dict[str, Any]:
    """What readiness says of the read model, once it is green or red."""
    for _ in range(1_000):
        answer = await reporting.get("/health/ready")
        if answer.status_code == status:
            found: dict[str, Any] = answer.json()["checks"]["read_model"]
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(answer.text)


async def test_a_read_model_that_nobody_keeps_is_red_by_how_much_it_lacks_and_then_by_who_is_absent(
    log_url: str, tmp_path: Path
) -> None:
    with staged(log_url) as stage:
        async with Installation(tmp_path, stage, ready_lag_seconds=3).running() as reporting:
            stage.start_worker()
            await asked(reporting, 200)
            stage.stop_workers()
            stage.append(
                *((code, registered(code)) for code in ("A", "B")), now=reporting.now - timedelta(seconds=4)
            )
            red = await asked(reporting, 503)
            assert (red["reason"], red["behind"], red["behind_since_at"]) == (
                "read-model-behind",
                2,
                "2013-04-30T14:59:56Z",
            )
            stage.start_worker()
            assert (await asked(reporting, 200))["detail"] == "at position 2"
            stage.stop_workers()
            # Nothing is lacking: that is red all the same.
            assert (await asked(reporting, 503))["reason"] == "worker-absent"
            stage.start_worker()
            await asked(reporting, 200)


def registered(code: str) -> Registered:
    """A commitment."""
    return Registered(code=code, title="T", lead_organization="DCI", effective_on=DAY)
