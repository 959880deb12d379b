"""The routes of the contract that read, as requests that the story has an answer to."""

from __future__ import annotations

from typing import NamedTuple

from shared.identity.actor import Role
from tests.api.conformance import openapi
from tests.api.house import TABLES
from tests.api.story import Story

SERVICES = tuple(TABLES)
OF_ITS_OWN = ("/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs", "/errors/not-found", "/")
"""What every service answers about itself."""
LISTS = {
    (service, path)
    for service in SERVICES
    for path, operations in openapi(service)["paths"].items()
    if {"limit", "cursor"} <= {one["name"] for one in operations.get("get", {}).get("parameters", ())}
}
"""What is answered a page at a time."""


ELSEWHERE = {
    (service, path)
    for service in SERVICES
    for path, operations in openapi(service)["paths"].items()
    if "303" in operations.get("get", {}).get("responses", ())
}
"""Lists that another service answers."""


class Read(NamedTuple):
    """A GET: the service, the route, and a path with which it finds something."""

    service: str
    route: str
    path: str

    def __str__(self) -> str:
        return f"{self.service} {self.path}"

    def asking(self, query: str) -> str:
        """The path with one more parameter."""
        return f"{self.path}{'&' if '?' in self.path else '?'}{query}"


def places(story: Story) -> dict[str, str]:
    """Where the things of the story are that somebody of the unit or of the Interior may know of."""
    return {
        "/v1/commitments/{id}": "/v1/commitments/OPEN-1",
        "/v1/indicators/{id}": "/v1/indicators/VICTIMS",
        "/v1/meetings/{id}": story.open.meeting,
        "/v1/decisions/{number}": story.open.decision,
        "/v1/decision-outcomes/{number}": story.outcome,
        "/v1/action-items/{id}": story.open.action_item,
        "/v1/bodies/{code}": "/v1/bodies/SECURITY",
        "/v1/organizations/{code}": "/v1/organizations/JUSTICE",
        "/v1/pillars/{code}": "/v1/pillars/SECURITY",
        "/v1/cycles/{code}": "/v1/cycles/QUARTERLY",
        "/v1/reports/{code}": "/v1/reports/MAY-21",
        "/v1/editions/{id}": "/v1/editions/MAY-21-2013-04-30",
        "/v1/calendar-keys/{key_id}": f"/v1/calendar-keys/{story.calendar_key}",
        "{secret}": story.calendar,
        "{key_id}": story.keys[Role.DCI, "revoked"].split("_")[1],
        "/errors/{code}": "/errors/not-found",
        "/v1/exports/{dataset}.{format}": "/v1/exports/board.csv",
    }


def imported(story: Story, service: str) -> dict[str, str]:
    """Where the import is that the unit asked a service for."""
    return {"/v1/imports/{id}": story.imports.get(service, "")}


def place(story: Story, route: str, **other: str) -> str:
    """The path of a route, with something of the story to find; `other` are places to use in the stead of these."""
    path = route
    for template, there in (places(story) | other).items():
        path = path.replace(template, there)
    path = path.replace("{n}", "1").replace("{period}", "2011").replace("{later}", "MAY-21-2013-04-30")
    assert "{" not in path, f"the story has nothing for {route}"
    return path + "?from=2010-03-11&to=2013-04-30" * route.endswith(("/board/changes", "/reconciliation"))


def reads(story: Story) -> list[Read]:
    """Every route that reads, with something of the story to find."""
    return [
        Read(service, route, place(story, route, **imported(story, service)))
        for service, table in TABLES.items()
        for method, route in table
        if method == "GET" and (service, route) not in ELSEWHERE
    ]


def reader_of(read: Read) -> Role:
    """A role that may read this."""
    roles = TABLES[read.service]["GET", read.route].roles
    return Role.DCI if Role.DCI in roles else min(roles)
