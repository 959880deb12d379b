"""When the record learned of things, as it may be asked and is told.

The instants of recording would let anybody count what is hidden: what was recorded in one transaction shares them.
Whoever does not see everything is told days, `…_on`, and null where others are told the instant, `…_at`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final

from msgspec import Meta
from pydantic import BeforeValidator, WithJsonSchema

from shared.clock import Clock
from shared.errors import InvalidInput
from shared.eventlog.codec import instant_text
from shared.events.types import InstantOfRecording, parse_day, parse_instant
from shared.identity.actor import Actor
from shared.rules.visibility import reads_everything

RecordedAt = Annotated[
    str | None,
    InstantOfRecording(),
    Meta(
        description="The instant; null for those who do not see everything: they are told the day.",
        extra_json_schema={"format": "date-time", "examples": ["2012-11-21T18:00:00.000000Z"]},
    ),
]
"""An instant of recording as answers write it: RFC 3339 in UTC with six decimals."""

RecordedOn = Annotated[date, Meta(description="The civil day of that instant.")]

KNOWN_AT: Final = "As the log knew it at this moment, or at the end of this civil day."
KNOWN_AT_BY_DAY: Final = f"{KNOWN_AT} Who does not see everything asks by day."


def _parse(value: object) -> object:
    return (
        parse_instant(value)
        if isinstance(value, str) and len(value) > len("2012-05-21")
        else parse_day(value)
    )


KnownAt = Annotated[
    datetime | date,
    BeforeValidator(_parse),
    WithJsonSchema(
        {
            "type": "string",
            "anyOf": [{"format": "date"}, {"format": "date-time"}],
            "examples": ["2012-05-21", "2012-11-21T18:00:00Z"],
        }
    ),
]
"""A moment, or the end of a civil day."""


def moment_of(
    known_at: datetime | date, clock: Clock, actor: Actor | None, *, pointer: str = "/query/known_at"
) -> datetime:
    """The instant meant by a `known_at`; of today, the present one.

    InvalidInput for one that is not for the asker, or still to come: what it would say is another thing every time.
    """
    if isinstance(known_at, datetime):
        if not reads_everything(actor):
            raise InvalidInput(
                "known-at-by-day",
                "Ask by day: known_at=YYYY-MM-DD is the end of that day.",
                pointer=pointer,
            )
        if known_at > clock.now():
            raise _to_come(pointer)
        return known_at
    if known_at > clock.today():
        raise _to_come(pointer)
    if known_at == clock.today():
        return clock.now()
    midnight = datetime.combine(known_at + timedelta(days=1), time.min, clock.zone)
    return midnight.astimezone(UTC) - timedelta(microseconds=1)


def _to_come(pointer: str) -> InvalidInput:
    return InvalidInput("known-at-to-come", "What will be known then nobody knows yet.", pointer=pointer)


def recorded(name: str, instant: datetime, day_of: Callable[[datetime], date]) -> dict[str, Any]:
    """The two members that tell when something was recorded; a redaction takes the instant out."""
    return {f"{name}_on": day_of(instant), f"{name}_at": instant_text(instant)}
