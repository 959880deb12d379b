"""The routes of the contract that read, as requests that the story has an answer to."""

from __future__ import annotations

from typing import NamedTuple

from shared.identity.actor import Role
from tests.api.house import TABLES
from tests.api.story import Story

SERVICES = tuple(TABLES)
OF_ITS_OWN = ("/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs", "/errors/not-found")
"""What every service answers about itself."""
LISTS = {
    ("commitments", "/v1/commitments/{id}/history"),
    ("commitments", "/v1/indicators/{id}/history"),
    ("commitments", "/v1/organizations"),
    ("commitments", "/v1/pillars"),
    ("commitments", "/v1/decision-outcomes"),
    ("commitments", "/v1/api-keys"),
    ("meetings", "/v1/bodies"),
    ("meetings", "/v1/bodies/{code}/agenda-proposals"),
    ("meetings", "/v1/meetings"),
    ("meetings", "/v1/meetings/{id}/history"),
    ("meetings", "/v1/decisions/{number}/history"),
    ("meetings", "/v1/action-items/{id}/history"),
    ("reporting", "/v1/board"),
    ("reporting", "/v1/board/changes"),
}
"""What is answered a page at a time."""


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


def reads(story: Story) -> list[Read]:
    """Every route that reads, with something of the story to find."""
    known = {
        "/v1/commitments/{id}": "/v1/commitments/OPEN-1",
        "/v1/indicators/{id}": "/v1/indicators/VICTIMS",
        "/v1/meetings/{id}": story.open.meeting,
        "/v1/decisions/{number}": story.open.decision,
        "/v1/decision-outcomes/{number}": story.outcome,
        "/v1/action-items/{id}": story.open.action_item,
        "/v1/bodies/{code}": "/v1/bodies/SECURITY",
        "/v1/organizations/{code}": "/v1/organizations/JUSTICE",
        "/v1/pillars/{code}": "/v1/pillars/SECURITY",
    }
    found = []
    for service, table in TABLES.items():
        for method, route in table:
            if method == "GET":
                path = route
                for template, concrete in known.items():
                    path = path.replace(template, concrete)
                assert "{" not in path, f"the story has nothing for {route}"
                if route == "/v1/board/changes":
                    path += "?from=2010-03-11&to=2013-04-30"
                found.append(Read(service, route, path))
    return found


def reader_of(read: Read) -> Role:
    """A role that may read this."""
    roles = TABLES[read.service]["GET", read.route].roles
    return Role.DCI if Role.DCI in roles else min(roles)
