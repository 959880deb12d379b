"""What is done with organisations and pillars: describe them, again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from services.commitments.application.directory import Directory
from services.commitments.domain.organization import (
    Organization,
    OrganizationDescription,
    register_organization,
)
from services.commitments.domain.pillar import Pillar, PillarDescription, register_pillar
from shared.errors import NotFound, StaleVersion
from shared.eventlog.commands import Command, Outcome
from shared.eventlog.live import LiveLog
from shared.eventlog.records import Records
from shared.events.commitments import OrganizationChanged, OrganizationRegistered
from shared.events.facts import Event
from shared.events.streams import resolve, stream_of

DESCRIBING = (OrganizationRegistered, OrganizationChanged)
"""What tells which names the organisations answer to, where they belong and who took over from them."""


class Plan:
    """The organisations that deliver and the pillars they deliver under."""

    def __init__(self, live: LiveLog, directory: Directory) -> None:
        self.directory = directory
        self._organizations: Records[Organization] = Records(live, Organization.begin, name="organization")
        self._pillars: Records[Pillar] = Records(live, Pillar.begin, name="pillar")
        self._live = live
        self._clock = live.clock
        # Names and parents are compared across organisations. The log sees to it that nothing comes in between; those
        # of this process go one after the other all the same, so that they do not overtake each other again and again.
        self._turn = asyncio.Lock()

    @property
    def position(self) -> int:
        """The position of the log that the directory reflects."""
        return self._live.position

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once everything up to a position of the log is reflected; Unavailable after `timeout` seconds."""
        await self._live.wait_for(position, timeout)

    async def describe_organization(
        self, code: str, description: OrganizationDescription, command: Command, *, only_new: bool = False
    ) -> Outcome:
        """Register an organisation, or describe a known one anew."""
        today = self._clock.today()

        def decide(present: Organization | None) -> Sequence[Event]:
            _check_expected(present, command, only_new=only_new)
            if present is None:
                return register_organization(code, description, self.directory, today)
            return present.describe(description, self.directory, today)

        async with self._turn:
            return await self._organizations.write(
                stream_of("organization", code), decide, command, considering=DESCRIBING
            )

    async def describe_pillar(
        self, code: str, description: PillarDescription, command: Command, *, only_new: bool = False
    ) -> Outcome:
        """Declare a pillar, or describe a known one anew."""

        def decide(present: Pillar | None) -> Sequence[Event]:
            _check_expected(present, command, only_new=only_new)
            return register_pillar(code, description) if present is None else present.describe(description)

        return await self._pillars.write(stream_of("pillar", code), decide, command)

    async def organization(self, id_or_code: str) -> Organization:
        """An organisation as it is now."""
        found = await self._organizations.get(resolve("organization", id_or_code))
        if found is None:
            raise NotFound("organization-not-found", "There is no such organisation.")
        return found

    async def pillar(self, id_or_code: str) -> Pillar:
        """A pillar as it is now."""
        found = await self._pillars.get(resolve("pillar", id_or_code))
        if found is None:
            raise NotFound("pillar-not-found", "There is no such pillar.")
        return found


def _check_expected(present: Organization | Pillar | None, command: Command, *, only_new: bool) -> None:
    """A stated version of something that is not there, or a wish for something new that is, cannot be met."""
    if present is None and command.expected is not None:
        raise StaleVersion("stale-version", "There is nothing by this code yet, so no version of it.")
    if present is not None and only_new:
        raise StaleVersion("stale-version", "There already is one by this code.", current=present.version)
