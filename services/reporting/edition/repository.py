"""The editions on record, and what each of them says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import sha256
from uuid import UUID

import msgspec

from services.reporting.edition.model import Edition, content_of, next_code, publishable
from services.reporting.report.repository import Reports
from shared.aggregate.command import Command, Outcome
from shared.aggregate.index import Index
from shared.aggregate.repository import Repository
from shared.errors import InvalidInput, NotFound, Unavailable
from shared.eventlog import codec
from shared.eventlog.live import LiveLog
from shared.eventlog.store import Store
from shared.events.commitments import VisibilityChanged
from shared.events.editions import EditionPublished, ReportChanged
from shared.events.streams import stream_of

Freeze = Callable[[ReportChanged, EditionPublished], Awaitable[EditionPublished]]
"""Completes an edition by what it says, for a report as it is described."""


class Editions(Repository[Edition]):
    """The published editions."""

    def __init__(self, live: LiveLog, reports: Reports) -> None:
        super().__init__(live, Edition, "edition")
        self._reports = reports
        self.all: Index[Edition] = Index(live, Edition, key=lambda one: one.code)

    def unknown(self) -> NotFound:
        """See `Repository.unknown`."""
        return NotFound("edition-not-found", "There is no such edition.")

    def spelled(self, code: str) -> str:
        """The code of the edition that this one means, in whatever capitals; itself where there is none."""
        return next((one for one in self.all.keys if one.casefold() == code.casefold()), code)

    async def named(self, identifier: str) -> Edition | None:
        """See `Repository.named`."""
        return await super().named(self.spelled(identifier))

    async def publish(self, proposed: EditionPublished, freeze: Freeze, command: Command) -> Outcome:
        """Record an edition, whole. RuleBroken when another one was published under its code meanwhile."""
        name = self._reports.spelled(proposed.report)
        code = next_code(name, proposed.on, self.all.keys)

        async def decide() -> EditionPublished:
            report = self._reports.all.get(name)
            if report is None:
                raise InvalidInput("unknown-report", f"There is no report '{name}'.", pointer="/report")
            checked = publishable(proposed, report, self.clock.today())
            return await freeze(report.description, msgspec.structs.replace(checked, code=code))

        # What is hidden while it is gathered must not be in it: then it is gathered anew.
        return await self.create(
            stream_of("edition", code), decide, command, considering=(VisibilityChanged,)
        )


def content_at(store: Store, edition_id: UUID) -> bytes:
    """What an edition says, to the letter. Unavailable where its event can no longer be read as what was recorded."""
    for position, line in store.read_stream(edition_id, upto_version=1):
        event = codec.decode(line, position).data
        if isinstance(event, EditionPublished):
            content = content_of(event)
            if sha256(content).hexdigest() == event.sha256:
                return content
    raise Unavailable("edition-unreadable", "What this edition says cannot be read as what was recorded.")
