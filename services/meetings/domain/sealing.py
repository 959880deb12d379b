"""What sealed minutes are held to: the seal anybody can compute again, and the texts that errata quote."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final
from uuid import UUID

import msgspec

from shared.events.meetings import (
    AgendaItem,
    AttendanceCorrected,
    ErratumAdded,
    MeetingHeld,
    MinutesDrafted,
)

SEALED: Final = ("agenda", "held", "meeting", "minutes")
"""What the seal is put on."""


def seal(
    meeting: UUID,
    agenda: Sequence[AgendaItem],
    held: MeetingHeld | AttendanceCorrected,
    minutes: MinutesDrafted,
) -> str:
    """The digest of what was approved: anyone who reads the meeting's events can compute it again."""
    sealed = {"agenda": agenda, "held": held, "meeting": meeting, "minutes": minutes}
    return hashlib.sha256(msgspec.json.encode(sealed, order="sorted")).hexdigest()


def is_of_the_same_text(one: ErratumAdded, other: ErratumAdded) -> bool:
    """Whether an earlier erratum says something of what another is about; one without a place is about all of it."""
    apart = one.agenda_item not in (None, other.agenda_item) and other.agenda_item is not None
    elsewhere = one.decision not in (None, other.decision) and other.decision is not None
    touched = not {one.reads, one.should_read}.isdisjoint({other.reads, other.should_read})
    return touched and not apart and not elsewhere


def decisions_in(minutes: MinutesDrafted) -> int:
    return sum(len(item.decisions) for item in minutes.items)


def texts_of(minutes: MinutesDrafted, agenda_item: int | None) -> Iterator[str]:
    for item in minutes.items:
        if agenda_item is not None and item.agenda_item != agenda_item:
            continue
        yield from (text for text in (item.title, item.summary, item.outcome_verbatim) if text)
        yield from (decision.text for decision in item.decisions)
        yield from (task.text for task in item.action_items)
