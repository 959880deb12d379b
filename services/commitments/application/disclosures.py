"""Who may know of the commitments, decisions and bodies that this service names beside what its answers are about."""

from __future__ import annotations

from services.commitments.application.commitments import Commitments
from services.commitments.application.decisions import Decisions
from shared.references import Disclosure, Kind, Reference


class Disclosures:
    """Asked before anything is told to somebody from whom something may be hidden."""

    def __init__(self, commitments: Commitments, decisions: Decisions) -> None:
        self._commitments = commitments
        self._decisions = decisions

    async def of(self, reference: Reference) -> Disclosure | None:
        """Who may know of a thing; None when the record holds nothing by that name."""
        match reference.kind:
            case Kind.COMMITMENT:
                return await self._commitments.disclosure_of(reference.name)
            case Kind.DECISION:
                return self._decisions.disclosure_of(reference.name)
            case Kind.BODY:
                return self._decisions.disclosure_of_body(reference.name)
            case _:
                return None
