"""What one process has acknowledged counts in another at once, though nobody has told it yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest

from services.commitments.commitment.repository import Commitments
from services.commitments.plan.repository import Directory, Organizations, Pillars
from shared.aggregate.command import Command
from shared.clock import Clock
from shared.errors import InvalidInput
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.eventlog.store import Store
from shared.events.commitments import LeadReassigned, OrganizationChanged, PillarChanged, Registered
from tests.services.commitments.promises import MAY
from tests.support.scenario import ANA

COMMAND = Command(ANA, "test")


class Rooms:
    """What one process has over the log."""

    def __init__(self, live: LiveLog) -> None:
        directory = Directory(live)
        self.organizations = Organizations(live, directory)
        self.pillars = Pillars(live)
        self.commitments = Commitments(live, directory)


@asynccontextmanager
async def rooms(store: Store) -> AsyncIterator[Rooms]:
    live = LiveLog(store, Clock())
    made = Rooms(live)
    await live.start()
    try:
        yield made
    finally:
        await live.stop()


def promise(code: str, organization: str, pillar: str | None = None) -> Registered:
    return Registered(
        code=code, title="Less crime", lead_organization=organization, effective_on=MAY, pillar=pillar
    )


async def test_what_one_process_registers_is_known_to_a_decision_of_another_right_after(log_url: str) -> None:
    with closing(open_store(log_url)) as store:
        store.migrate()
        async with rooms(store) as here, rooms(store) as there:
            for n in range(10):
                organization, pillar, code = f"O-{n}", f"P-{n}", f"SEG-{n}"
                await here.organizations.describe(organization, OrganizationChanged(name="Works"), COMMAND)
                await here.pillars.describe(pillar, PillarChanged(name="Security"), COMMAND)
                registered = await there.commitments.register(promise(code, organization, pillar), COMMAND)
                await there.organizations.describe(
                    f"{organization}-b", OrganizationChanged(name="B"), COMMAND
                )
                handed_over = LeadReassigned(
                    lead_organization=f"{organization}-b", effective_on=MAY, reason="New ministry"
                )
                await here.commitments.change(
                    registered.stream_id,
                    lambda current, to=handed_over: here.commitments.reassign_lead(  # type: ignore[misc]
                        current, to, here.commitments.context(COMMAND)
                    ),
                    COMMAND,
                )


async def test_what_no_process_has_registered_is_refused_in_each(log_url: str) -> None:
    with closing(open_store(log_url)) as store:
        store.migrate()
        async with rooms(store) as here, rooms(store) as there:
            await here.organizations.describe("MOP", OrganizationChanged(name="Works"), COMMAND)
            for process in (here, there):
                with pytest.raises(InvalidInput) as refused:
                    await process.commitments.register(promise("SEG-1", "NOBODY"), COMMAND)
                assert refused.value.code == "unknown-organization"
