"""A commitment becomes several: what each part says of itself, and what it has from the one it comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from services.commitments.commitment.model import Commitment, Known, may_enter
from shared.aggregate.command import Context, OnStream
from shared.errors import InvalidInput
from shared.events.commitments import InternalDeadline, PublicDeadline, Registered, Split
from shared.events.facts import Event
from shared.events.streams import stream_of
from shared.rules.visibility import narrower

INHERITED: Final = (
    "kind",
    "parent",
    "pillar",
    "result_type",
    "origin",
    "no_deadline_reason",
    "collaborating_organizations",
    "responsible_service",
    "adviser",
    "instrument",
    "priority",
    "key_words",
    "region",
    "nature",
    "scope",
    "initiative_type",
    "programmatic_alignment",
)
"""What a part has from its original as that reads on the day; texts, documents, stage, team and weight are its own.

Lead, deadlines and visibility are inherited, too: these are kept beside the registration.
"""


class Splitting(NamedTuple):
    """A split as it is asked for, and what each part says of itself, by field of a registration."""

    split: Split
    parts: Sequence[Mapping[str, Any]]


def parts_of(original: Commitment, proposed: Splitting) -> list[Registered]:
    """The parts as they would be registered, each `split_from` the original on its day."""
    day = proposed.split.effective_on
    reads, dated = original.dated.registration_on(day), original.dated
    public, internal = dated.public_deadlines.on(day)[0], dated.internal_deadlines.on(day)[0]
    promised = reads.public_deadline
    inherited = {name: getattr(reads, name) for name in INHERITED} | {
        "lead_organization": original.lead_on(day),
        "visibility": original.visibility,
        "public_deadline": public and PublicDeadline(on=public, origin=promised.origin if promised else None),
        "internal_deadline": internal and InternalDeadline(on=internal),
        "effective_on": day,
        "split_from": original.code,
    }
    return [Registered(**inherited | dict(part)) for part in proposed.parts]


def events_of(
    original: Commitment,
    split: Split,
    parts: Sequence[Registered],
    known: Sequence[Known],
    context: Context,
) -> list[Event | OnStream]:
    """The registration of each part, held to the rules of any other, and the split; a refusal says of which part."""
    events: list[Event | OnStream] = []
    for index, (part, names) in enumerate(zip(parts, known, strict=True)):
        try:
            if narrower(original.visibility, part.visibility):
                raise InvalidInput(
                    "part-wider-than-original",
                    f"The original is {original.visibility}: publish the part afterwards, with a reason.",
                    pointer="/visibility",
                )
            entered = may_enter(part, context, names)
        except InvalidInput as error:
            raise InvalidInput(error.code, error.message, pointer=f"/parts/{index}{error.pointer}") from error
        events.append(OnStream(stream_of("commitment", part.code), 1, entered))
    return [*events, split]
