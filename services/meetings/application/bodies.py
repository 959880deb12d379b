"""What is done with bodies: describe them, again and again, and ask what they left open."""

from __future__ import annotations

from collections.abc import Sequence

from services.meetings.application.directory import Directory, Proposals
from services.meetings.domain.body import Body, BodyDescription, register_body
from shared.errors import StaleVersion
from shared.eventlog.commands import Command, Outcome
from shared.eventlog.live import LiveLog
from shared.eventlog.records import Records
from shared.events.facts import Event
from shared.events.meetings import BodyRegistered
from shared.events.streams import resolve, stream_of
from shared.identity.actor import Actor
from shared.references import Disclosure
from shared.rules.visibility import may_see

KIND = "body"


class Bodies:
    """The bodies that hold meetings."""

    def __init__(self, live: LiveLog, directory: Directory) -> None:
        self.records: Records[Body] = Records(live, Body.begin, name=KIND, capacity=2_000)
        self.directory = directory
        self._live = live

    @property
    def position(self) -> int:
        """The position of the log that the directory reflects."""
        return self._live.position

    async def wait_for(self, position: int, timeout: float) -> None:
        """Returns once everything up to a position of the log is reflected; Unavailable after `timeout` seconds."""
        await self._live.wait_for(position, timeout)

    async def visible(self, id_or_code: str, actor: Actor) -> Body:
        """The body as it is now. NotFound when it does not exist or the actor may not know of it."""
        found = await self.records.get(resolve(KIND, id_or_code))
        if found is None:
            raise self.records.unknown()
        if not known_to(found, actor):
            raise await self.records.hidden()
        return found

    async def disclosure_of(self, code: str) -> Disclosure | None:
        """Who may know of a body; None when there is none with that code."""
        found = await self.records.get(stream_of(KIND, code))
        if found is None:
            return None
        described = found.description
        return Disclosure(described.visibility, described.organizations, found.once_reserved)

    def listed(self, actor: Actor) -> list[Body]:
        """The bodies that the actor may know of, by code."""
        return [body for body in self.directory.bodies() if known_to(body, actor)]

    def proposals(self, body: Body, actor: Actor) -> Proposals:
        """What a body left open, as far as the actor may know."""
        return self.directory.proposals(body.code, actor)

    async def describe(
        self, code: str, description: BodyDescription, command: Command, *, only_new: bool = False
    ) -> Outcome:
        """Register a body, or describe a known one anew."""

        def decide(present: Body | None) -> Sequence[Event]:
            _check_expected(present, command, only_new=only_new)
            organizations = self.directory.organization_codes
            if present is None:
                return register_body(
                    code, description, organizations, [it.code for it in self.directory.bodies()]
                )
            return present.describe(description, organizations)

        return await self.directory.surely(
            lambda: self.records.write(stream_of(KIND, code), decide, command, considering=(BodyRegistered,))
        )


def known_to(body: Body, actor: Actor) -> bool:
    """Whether an actor may know of a body."""
    return may_see(actor, body.description.visibility, body.description.organizations)


def _check_expected(present: Body | None, command: Command, *, only_new: bool) -> None:
    """A stated version of something that is not there, or a wish for something new that is, cannot be met."""
    if present is None and command.expected is not None:
        raise StaleVersion("stale-version", "There is nothing by this code yet, so no version of it.")
    if present is not None and only_new:
        raise StaleVersion("stale-version", "There already is one by this code.", current=present.version)
