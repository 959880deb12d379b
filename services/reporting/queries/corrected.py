"""What an answer says of the days that it tells otherwise than answers before it."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta

from shared.events.types import Kind
from shared.http.moments import RecordedAt, RecordedOn
from shared.http.schemas import one_of
from shared.identity.actor import Role


class RecordedBy(msgspec.Struct, frozen=True):
    """Who recorded something; `subject` only for those inside government."""

    organization: str
    role: Annotated[str, one_of(Role)]
    subject: str | None = None


class Corrected(msgspec.Struct, frozen=True, kw_only=True, rename={"before": "from", "after": "to"}):
    """That a day is told otherwise than it was: `what` of it, and what was said before.

    The latest from which the state follows is told, and else the latest of all.
    """

    what: Annotated[
        str,
        Meta(description="Such as `public_deadline`, `closure`, `title`, `acknowledgement` or `held_at`."),
    ]
    before: Any
    after: Any
    removed: Annotated[
        bool,
        Meta(description="Whether it was there on that day, and is not any more: its first day was wrong."),
    ]
    retraction: Annotated[
        bool, Meta(description="Whether a fact was retracted; else it was corrected or described anew.")
    ]
    reason: str | None
    recorded_on: RecordedOn
    recorded_at: RecordedAt
    recorded_by: RecordedBy
    position: int
    others: Annotated[list[int], Meta(description="The positions of further ones.")]
    of: Annotated[
        str | None,
        Meta(description="The code of the commitment above it by which this one's pillar is told otherwise."),
    ] = None


class CorrectedThing(Corrected, frozen=True, kw_only=True, rename={"before": "from", "after": "to"}):
    """How a day of one thing is told otherwise."""

    kind: Kind
    id: UUID
    code: Annotated[str, Meta(description="Of what has none, its id.")]


class CorrectedSince(msgspec.Struct, frozen=True):
    """How much of such things as are answered about is told otherwise of that day than before.

    Of all that the asker may know of, whatever the filters admit: what was corrected may be why something is not among
    them any more.
    """

    things: int
    removed: Annotated[
        int, Meta(description="Of these, those that were there on that day and are there no more.")
    ]
    last_position: Annotated[int | None, Meta(description="The position of the latest correction.")]
    latest: Annotated[list[CorrectedThing], Meta(description="The latest, ten at most, the last first.")]


NOTHING: CorrectedSince = CorrectedSince(0, 0, None, [])
"""Nothing is told otherwise."""
