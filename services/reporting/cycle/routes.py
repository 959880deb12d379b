"""The routes of reporting cycles: put, listed and read."""

from __future__ import annotations

from typing import Final

from services.reporting.cycle.model import Cycle
from services.reporting.cycle.repository import Cycles
from shared.http.catalogue import Catalogue, Explained
from shared.http.description import DescribedResource
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Role

_KEEPS: Final = Access(
    frozenset({Role.DCI}), if_match="to_change", note="`If-None-Match: *` only lays down what is new"
)
_LISTED: Final = Access(EVERYONE, log_position=True)
_READ: Final = Access(EVERYONE, etag=True, log_position=True)


def cycle_routes(cycles: Cycles) -> Router:
    """Every route of cycles."""
    router = Router("cycles", "How often who has to report.")
    resource = DescribedResource(
        router,
        "/v1/cycles",
        cycles,
        Cycle,
        put=_KEEPS,
        read=_READ,
        listed=_LISTED,
        example="QUARTERLY",
    )
    resource.write(
        doc="Lays down a reporting cycle, or describes it anew: the whole description replaces the old one."
    )
    resource.all(
        lambda _: sorted(cycles.all.all(), key=lambda one: one.code),
        lambda one: [one.code],
        doc="The reporting cycles, by code; those that have ended stay.",
    )
    resource.one(doc="A reporting cycle as it is described now.")
    return router


ERRORS: Catalogue = {
    "code-malformed": Explained(
        422,
        "Malformed code",
        "A code has 1 to 64 letters, digits, dots, hyphens or underscores, begins with a letter or digit, and does "
        "not look like a UUID.",
    ),
    "text-required": Explained(422, "Text required", "The text cannot be blank."),
    "unknown-organization": Explained(
        422, "Unknown organisation", "Register the organisation first: `PUT /v1/organizations/{code}`."
    ),
    "unknown-pillar": Explained(422, "Unknown pillar", "Declare the pillar first: `PUT /v1/pillars/{code}`."),
    "cycle-not-found": Explained(404, "No such cycle", "There is no reporting cycle by this code or id."),
    "days-out-of-range": Explained(
        422, "Days out of range", "`days_to_report` is at least 1 and at most 366."
    ),
}
