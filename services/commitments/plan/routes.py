"""The routes of organisations and pillars: put, listed and read."""

from __future__ import annotations

from typing import Final

from services.commitments.plan.model import Pillar
from services.commitments.plan.repository import Directory, Organizations, Pillars
from shared.aggregate.organizations import Organization
from shared.eventlog.live import LiveLog
from shared.http.catalogue import Catalogue, Explained
from shared.http.description import DescribedResource
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Role

_KEEPS: Final = Access(
    frozenset({Role.DCI, Role.ADMIN}),
    if_match="to_change",
    note="`If-None-Match: *` only registers what is new",
)
_LISTED: Final = Access(EVERYONE, log_position=True)
_READ: Final = Access(EVERYONE, etag=True, log_position=True)


def plan_routes(live: LiveLog, directory: Directory) -> Router:
    """Every route of organisations and pillars."""
    router = Router("plan", "The organisations and the pillars of the plan.")
    organizations = DescribedResource(
        router,
        "/v1/organizations",
        Organizations(live, directory),
        Organization,
        put=_KEEPS,
        read=_READ,
        listed=_LISTED,
        example="MOP",
    )
    organizations.write(
        doc="Registers an organisation, or describes it anew: the whole description replaces the one before."
    )
    organizations.all(
        lambda _: sorted(directory.organizations.all(), key=lambda one: one.code),
        lambda one: [one.code],
        doc="The organisations on record, by code; those dissolved stay.",
    )
    organizations.one(doc="An organisation as it is described now.")
    pillars = DescribedResource(
        router,
        "/v1/pillars",
        Pillars(live),
        Pillar,
        put=_KEEPS,
        read=_READ,
        listed=_LISTED,
        example="SECURITY",
    )
    pillars.write(
        doc="Declares a pillar, or describes it anew: the whole description replaces the one before."
    )
    pillars.all(
        lambda _: sorted(directory.pillars.all(), key=lambda one: (one.description.rank, one.code)),
        lambda one: [one.description.rank, one.code],
        doc="The pillars of the plan, by rank and code.",
    )
    pillars.one(doc="A pillar as it is described now.")
    return router


ERRORS: Catalogue = {
    "organization-not-found": Explained(
        404, "No such organisation", "There is no organisation by this code or id."
    ),
    "pillar-not-found": Explained(404, "No such pillar", "There is no pillar by this code or id."),
    "alias-taken": Explained(
        409, "Name already taken", "Codes and aliases, capitals aside, each lead to one organisation only."
    ),
    "organization-cycle": Explained(
        409,
        "Organisations in a circle",
        "No organisation belongs to itself, or goes on in itself, by way of others.",
    ),
}
