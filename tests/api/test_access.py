"""Every route of every service, for every role and with every kind of credentials: the answer that its row says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

import httpx
import pytest

from shared.identity.access import Access
from shared.identity.actor import Role
from shared.identity.caller import READ, WRITE
from tests.api.house import HOME, TABLES, House, refused
from tests.api.requests import BODIES
from tests.api.routes import imported, place
from tests.api.story import Story, approved, circulated, register

ROUTES = [(service, method, path) for service, table in TABLES.items() for method, path in table]
NAMES = [" ".join(route) for route in ROUTES]
CHANGES: dict[str, Any] = {"If_Match": "*"}
GUARD = {"role-not-allowed", "scope-not-granted"}


class Route(NamedTuple):
    """A row of an access table, and a request to it that would be carried out."""

    service: str
    method: str
    path: str
    row: Access
    body: Any

    async def ask(self, house: House, **who: Any) -> httpx.Response:
        """The request, on the version that there is."""
        more = CHANGES if self.method != "GET" else {}
        return await house.ask(self.service, self.method, self.path, self.body, **more, **who)

    def check(self, answer: httpx.Response, role: Role) -> None:
        """The answer of a route to somebody whom its row admits: past the guard, and its thing found."""
        if role in self.row.own_organization and answer.status_code == 403:
            # Not everything is this one's own: see below for what is and what is not.
            assert refused(answer)[1] not in GUARD, answer.text
        else:
            # Whose a calendar key is goes by people: it is there for whoever asked for it, and for administrators. So
            # does whose an import is, which is there for the unit, too.
            sees_all = {"/calendar-keys/": Role.ADMIN, "/imports/": Role.DCI}
            hidden = {404 for part, other in sees_all.items() if part in self.path and role is not other}
            assert answer.status_code in {200, 201, 202, 207, 303, 409, 422} | hidden, (role, answer.text)

    @property
    def scope(self) -> str:
        """What an API key must have been issued for."""
        return READ if self.method == "GET" else WRITE


@pytest.fixture(params=ROUTES, ids=NAMES)
def route(request: pytest.FixtureRequest, story: Story) -> Route:
    """Each route in turn, with the things of the story in its path."""
    service, method, template = request.param
    mine = {
        # One that may be changed as a commitment, and a meeting that the advisory unit may convene.
        "/v1/commitments/{id}": "/v1/commitments/INSIDE-1",
        "/v1/meetings/{id}": story.hidden.meeting,
    }
    path = place(story, template, **mine, **imported(story, service))
    row = TABLES[service][method, template]
    return Route(service, method, path, row, BODIES.get((method, template)))


def test_every_write_has_a_request_to_try_it_with() -> None:
    writes = {(method, path) for _, method, path in ROUTES if method != "GET"}
    assert writes == BODIES.keys()


async def test_a_role_may_do_what_its_row_says_and_nothing_else(house: House, route: Route) -> None:
    for role in HOME:
        answer = await route.ask(house, role=role)
        if role in route.row.roles:
            route.check(answer, role)
        else:
            assert refused(answer) == (403, "role-not-allowed"), role


async def test_without_credentials_a_route_is_open_only_where_its_row_says_so(
    house: House, route: Route
) -> None:
    answer = await route.ask(house, credentials={})
    if route.row.anonymous:
        # What is internal in the path is not there for the public; what is public is.
        path = route.path.replace("INSIDE-1", "OPEN-1").replace("VICTIMS", "OPEN-RATE")
        assert answer.status_code in {200, 303, 404}
        assert (await house.ask(route.service, "GET", path, credentials={})).status_code in {200, 303}
    else:
        assert refused(answer) == (401, "credentials-required")
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_credentials_that_do_not_hold_open_nothing_not_even_what_is_public(
    house: House, route: Route, story: Story
) -> None:
    for role in HOME:
        good = house.token(role)["Authorization"]
        for name, credentials in bad_credentials(house, story, role, good):
            answer = await route.ask(house, credentials=credentials)
            assert refused(answer) == (401, "credentials-invalid"), (role, name)
            assert answer.headers["www-authenticate"].startswith("Bearer")


def bad_credentials(
    house: House, story: Story, role: Role, good: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """Everything that looks like credentials and is none."""
    yield "expired", house.token(role, age=timedelta(hours=2), lifetime=timedelta(hours=1))
    yield "other audience", house.token(role, audience="another-service")
    yield "other issuer", house.token(role, issuer="https://elsewhere.example")
    yield (
        "changed signature",
        {"Authorization": good[:-6] + ("AAAAAA" if good[-6:] != "AAAAAA" else "BBBBBB")},
    )
    yield "not signed", {"Authorization": unsigned(good)}
    yield "other scheme", {"Authorization": good.replace("Bearer", "Basic")}
    yield "revoked key", {"X-Api-Key": story.keys[role, "revoked"]}
    yield "expired key", {"Authorization": f"Bearer {story.keys[role, 'expired']}"}
    yield "wrong secret", {"X-Api-Key": story.keys[role, "both"][:-4] + "zzzz"}
    yield "both at once", {"Authorization": good, "X-Api-Key": story.keys[role, "both"]}


def unsigned(bearer: str) -> str:
    """The same token with the algorithm `none`: {"alg":"none"}."""
    _, _, token = bearer.partition(" ")
    return f"Bearer eyJhbGciOiJub25lIn0.{token.split('.')[1]}."


async def test_a_key_does_what_its_role_may_and_its_scope_covers(
    house: House, route: Route, story: Story
) -> None:
    for role in HOME:
        for kind in (READ, WRITE, "both"):
            answer = await route.ask(house, credentials={"X-Api-Key": story.keys[role, kind]})
            if not route.row.admits(role):
                assert refused(answer) == (403, "role-not-allowed"), (role, kind)
            elif kind not in (route.scope, "both"):
                assert refused(answer) == (403, "scope-not-granted"), (role, kind)
            else:
                route.check(answer, role)


async def test_the_advisory_unit_convenes_bilaterals_and_nothing_else(house: House, story: Story) -> None:
    path = "/v1/meetings"
    for body, status in (("BIL-INTERIOR", 201), ("SECURITY", 403)):
        asked = BODIES["POST", path] | {"body": body}
        answer = await house.ask("meetings", "POST", path, asked, role=Role.ADVISORY)
        assert answer.status_code == status, answer.text


# --- one's own organisation ----------------------------------------------------------------------------------------

OWN = [
    (service, method, path, role)
    for service, table in TABLES.items()
    for (method, path), row in table.items()
    for role in Role
    if role in row.own_organization
]


async def own_path(house: House, template: str, owner: str) -> str:
    """The path of something new that is the owner's own business, and nobody else's."""
    fresh = f"OWN-{await house.settled()}"
    if template.startswith("/v1/commitments"):
        path = await register(house, fresh, lead_organization=owner)
        await house.tell("commitments", f"{path}/milestones", {"name": "Bill", "due_on": "2013-12-31"})
    elif template.startswith("/v1/indicators"):
        definition = {"code": fresh, "name": "Share", "unit": "%", "direction": "increase"}
        await house.tell("commitments", "/v1/indicators", definition | {"source": {"organization": owner}})
        path = f"/v1/indicators/{fresh}"
        if "corrections" in template:
            await house.tell("commitments", f"{path}/measurements", {"period": "2011", "value": 30})
    elif template.startswith("/v1/meetings"):
        path = await circulated(house, "SECURITY")
    else:
        met = await approved(house, "SECURITY", owner)
        path = met.decision if template.startswith("/v1/decisions") else met.action_item
    await house.settled()
    return path + re.sub(r"^/v1/[a-z-]+/\{(id|number)\}", "", template).format(n=1, period="2011")


THEIRS = {
    "/v1/commitments/{id}": "comments",
    "/v1/indicators/{id}": "measurements",
    "/v1/meetings/{id}": "observations",
    "/v1/decisions/{number}": "acknowledgements",
    "/v1/action-items/{id}": "progress",
}
"""A fact that others than the unit record of each thing, and so may retract."""


async def own_body(house: House, template: str, service: str, path: str, **who: Any) -> Any:
    """What is asked: for a retraction, of something that the owner has just recorded."""
    thing = template.removesuffix("/retractions")
    if thing == template:
        return BODIES["POST", template]
    fact = path.replace("retractions", THEIRS[thing])
    told = await house.tell(service, fact, BODIES["POST", f"{thing}/{THEIRS[thing]}"], **who)
    return BODIES["POST", template] | {"version": told.json()["version"]}


@pytest.mark.parametrize(("service", "method", "template", "role"), OWN, ids=[" ".join(row) for row in OWN])
async def test_who_may_act_on_their_own_only_is_refused_elsewhere(
    house: House, story: Story, service: str, method: str, template: str, role: Role
) -> None:
    owner = HOME[role]
    path = await own_path(house, template, owner)
    body = await own_body(house, template, service, path, role=role, organization=owner)
    elsewhere = await house.ask(service, method, path, body, role=role, organization="HEALTH", **CHANGES)
    status, code = refused(elsewhere)
    assert (status, code in GUARD) == (403, False), elsewhere.text
    version = (await house.read(service, "/".join(path.split("/")[:4])))["version"]
    own = await house.ask(service, method, path, body, role=role, organization=owner, **CHANGES)
    assert (own.status_code, own.json()["version"]) == (201, version + 1), own.text
