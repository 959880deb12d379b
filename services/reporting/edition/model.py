"""An edition: a report as it was published, and whether it still stands for what it says."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Collection
from datetime import date
from hashlib import sha256
from typing import Any, Final

import msgspec

from services.reporting.report.model import Report, schedule_of
from shared.aggregate.aggregate import Aggregate, Entry, evolves
from shared.errors import InvalidInput, RuleBroken
from shared.eventlog.envelope import Recorded
from shared.events.editions import Audience, EditionPublished, EditionWithdrawn
from shared.rules import guards
from shared.rules.report_calendar import Schedule

LARGEST: Final = 8 * 1024 * 1024
"""Characters that the content of an edition may take in the log: enough for some 40,000 commitments."""


class Edition(Aggregate):
    """A published edition; what it says is not kept in memory, but read from its event."""

    __slots__ = ("audience", "code", "report", "withdrawn")

    BEGINS_WITH = (EditionPublished,)

    def __init__(self, recorded: Recorded) -> None:
        super().__init__(recorded)
        event: Any = recorded.data
        self.code: str = event.code
        self.report: str = event.report
        self.audience: Audience = event.audience
        self.withdrawn = False

    @evolves(EditionWithdrawn)
    def _withdrawn(self, _: Entry[EditionWithdrawn]) -> None:
        self.withdrawn = True

    def withdraw(self, proposed: EditionWithdrawn) -> EditionWithdrawn:
        """Takes back what an edition stands for: it stays listed with the reason, and can still be read."""
        if self.withdrawn:
            raise RuleBroken("edition-withdrawn", "This edition was withdrawn before.")
        guards.text_given(proposed.reason, "The reason", "/reason")
        return proposed


def publishable(proposed: EditionPublished, report: Report, today: date) -> EditionPublished:
    """An edition that may be published today, with the due day that it answers."""
    schedule = schedule_of(report.description)
    if proposed.on > today:
        raise InvalidInput("day-to-come", "An edition tells of a day that has come.", pointer="/on")
    published = proposed.published_on or today
    if not proposed.on <= published <= today:
        raise InvalidInput(
            "published-on-impossible",
            "It was published on the day it tells of or later, and by today.",
            pointer="/published_on",
        )
    due_on = proposed.due_on or schedule.nearest(proposed.on)
    if proposed.due_on is not None:
        _must_be_answered(proposed.due_on, published, report.code, schedule)
    return msgspec.structs.replace(
        proposed,
        report=report.code,
        due_on=due_on,
        audience=report.description.audience,
    )


def _must_be_answered(due_on: date, published_on: date, report: str, schedule: Schedule) -> None:
    if due_on not in schedule.between(due_on, due_on):
        raise InvalidInput("not-a-due-day", f"The report {report} is not due on {due_on}.", pointer="/due_on")
    coming = next(schedule.between(published_on, due_on), due_on)
    if coming != due_on:
        raise InvalidInput(
            "not-a-due-day",
            f"The report {report} is due on {coming} before that: nothing answers a later day than the next.",
            pointer="/due_on",
        )


def next_code(report: str, on: date, taken: Collection[str]) -> str:
    """What the next edition of a report on a day is called: by both, and by its number where it is not the first."""
    first = f"{report}-{on.isoformat()}"
    number, code = 1, first
    while code in taken:
        number += 1
        code = f"{first}-{number}"
    return code


def kept(content: bytes) -> tuple[str, str]:
    """What of an edition goes into its event: its content, compressed, and the digest of it."""
    packed = b64encode(zlib.compress(content, 9)).decode()
    if len(packed) > LARGEST:
        raise RuleBroken(
            "edition-too-large", "The edition is too large to be kept: let the report tell of fewer."
        )
    return packed, sha256(content).hexdigest()


def content_of(event: EditionPublished) -> bytes:
    """What an edition says."""
    return zlib.decompress(b64decode(event.content))
