"""Every POST there is, carried out: on which version, under which key, in which request, and as which event."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from shared.http.batch import PATH as BATCH
from shared.http.imports import PATH as IMPORTS
from tests.api.house import HOME, TABLES, House, refused
from tests.api.life import ORDER_OF_PLANS, Step, life
from tests.api.story import ORGANIZATIONS

SAME = ("etag", "location", "log-position", "content-type")


@dataclass
class Told:
    """A step, and all the answers to it; the refusals were given before it was carried out."""

    number: int
    step: Step
    path: str
    refusals: dict[str, httpx.Response]
    first: httpx.Response
    again: httpx.Response
    other: httpx.Response
    heads: list[int]
    """The end of the log before it, after the refusals, after the first answer, and at the end."""
    event: dict[str, Any]
    """The last event it caused."""

    @property
    def row(self) -> Any:
        """The row of the route."""
        return TABLES[self.step.service]["POST", self.step.route]

    def __str__(self) -> str:
        return f"{self.number}: {self.path}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the house keeps its log."""
    return tmp_path_factory.mktemp("house")


@pytest.fixture(scope="module")
async def house(folder: Path) -> AsyncIterator[House]:
    """A house with nobody in it but the organisations and two bodies."""
    async with House(folder).open() as running:
        for code in ORGANIZATIONS:
            path = f"/v1/organizations/{code}"
            await running.tell("commitments", path, {"name": code.title()}, method="PUT")
        await running.settled()
        for method, service, path, body in ORDER_OF_PLANS:
            await running.tell(service, path, body, method=method)
        await running.settled()
        yield running


def otherwise(body: Any) -> Iterator[bytes]:
    """Requests that are others than one with this body; some of them may be of a form that is refused."""
    for changed in _changed(body):
        yield json.dumps(changed).encode()
    for name in ("reason", "remarks"):
        yield json.dumps({**body, name: "Another one"}).encode()


def _changed(value: Any) -> Iterator[Any]:
    """A value with another text or number somewhere in it."""
    if isinstance(value, bool):
        return
    if isinstance(value, str):
        yield value + "x"
    elif isinstance(value, int | float):
        yield value - 1
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from ({**value, name: changed} for changed in _changed(member))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from ([*value[:index], changed, *value[index + 1 :]] for changed in _changed(item))


async def said_otherwise(house: House, step: Step, path: str, number: int, **stated: str) -> httpx.Response:
    """The answer to another request under the same key; to the same one where there is no other."""
    for body in (*otherwise(step.body), json.dumps(step.body).encode()):
        answer = await say(house, step, path, number, body, **stated)
        if answer.status_code == 201 or refused(answer)[1] != "request-invalid":
            return answer
    return answer


async def say(
    house: House, step: Step, path: str, number: int, body: bytes, **headers: str
) -> httpx.Response:
    """The request of a step."""
    given: dict[str, Any] = {"Idempotency_Key": f"key-{number}", "Content_Type": "application/json"}
    given |= headers
    return await house.ask(step.service, "POST", path, content=body, **step.who, **given)


async def head(house: House) -> int:
    """The end of the log."""
    answer = await house.ask("reporting", "HEAD", "/v1/events")
    return int(answer.headers["log-position"])


@pytest.fixture(scope="module")
async def lived(house: House) -> list[Told]:
    """Every step, told once and then again."""
    known: dict[str, str] = {}
    told = []
    for number, step in enumerate(life(), 1):
        path = step.path(known)
        told.append(await _tell(house, step, path, number))
        if step.leaves:
            _remember(known, step.leaves, told[-1].first.json())
        await _carried_out(house, told[-1].first.json().get("decisions", []))
        await house.settled()
    return told


async def _tell(house: House, step: Step, path: str, number: int) -> Told:
    row = TABLES[step.service]["POST", step.route]
    body = json.dumps(step.body).encode()
    heads = [await head(house)]
    refusals = {}
    stated = {}
    if row.if_match == "required":
        for name, more in {
            "unstated": {},
            "malformed": {"If_Match": "7"},
            "stale": {"If_Match": '"999"'},
            "none of ours": {"If_Match": '"abc"'},
        }.items():
            refusals[name] = await say(house, step, path, number, body, **more)
        resource = "/".join(path.split("/")[:4])
        stated = {"If_Match": (await house.ask(step.service, "GET", resource)).headers["etag"]}
    refusals["unknown field"] = await say(house, step, path, number, b'{"colour": "red"}', If_Match="*")
    refusals["unknown parameter"] = await say(house, step, path + "?colour=red", number, body, If_Match="*")
    heads.append(await head(house))
    first = await say(house, step, path, number, body, X_Request_Id=f"step-{number}", **stated)
    assert first.status_code == 201, f"{path}: {first.text}"
    await _carried_out(house, first.json().get("decisions", []))
    heads.append(await head(house))
    position = first.json()["position"]
    line = await house.ask("reporting", "GET", f"/v1/events?after={position - 1}&limit=1")
    again = await say(house, step, path, number, body, X_Request_Id="another", **stated)
    other = await said_otherwise(house, step, path, number, **stated)
    heads.append(await head(house))
    return Told(number, step, path, refusals, first, again, other, heads, line.json())


def _remember(known: dict[str, str], word: str, answer: dict[str, Any]) -> None:
    known[word] = answer.get("key_id", answer["id"])
    for kind, numbers in (("decision", answer.get("decisions")), ("task", answer.get("action_items"))):
        known.update({f"{word} {kind} {n}": name for n, name in enumerate(numbers or (), 1)})


async def _carried_out(house: House, decisions: list[str]) -> None:
    """Waits until the service has acted upon decisions."""
    for number in decisions:
        for _ in range(1000):
            answer = await house.ask("commitments", "GET", f"/v1/decision-outcomes/{number}")
            if answer.status_code == 200:
                break
            await asyncio.sleep(0.01)


async def test_no_post_is_left_out(lived: list[Told]) -> None:
    # A batch records nothing itself, and an import when it is carried out.
    there = {
        (name, path)
        for name, table in TABLES.items()
        for method, path in table
        if method == "POST" and path != BATCH and not path.startswith(IMPORTS)
    }
    assert {(told.step.service, told.step.route) for told in lived} == there


async def test_a_post_that_changes_something_states_the_version_it_was_decided_on(lived: list[Told]) -> None:
    for told in lived:
        # What changes no thing that exists: it makes one. A key is taken back in a hurry, whatever its version, and
        # what can happen to it otherwise happens once.
        free = "{" not in told.step.route or "-keys" in told.step.route
        assert (told.row.if_match == "required") != free, told.step.route
        if not free:
            assert refused(told.refusals["unstated"]) == (428, "if-match-required"), told
            assert refused(told.refusals["malformed"]) == (400, "if-match-malformed"), told
            for name in ("stale", "none of ours"):
                assert refused(told.refusals[name]) == (412, "stale-version"), told
                # So that who lost knows what there is now.
                version = told.first.json()["version"] - 1
                assert told.refusals[name].headers["etag"] == f'"{version}"', told


async def test_unknown_fields_and_parameters_are_refused_and_named(lived: list[Told]) -> None:
    for told in lived:
        for name, code, pointer in (
            ("unknown field", "request-invalid", "/colour"),
            ("unknown parameter", "query-unknown", "/query/colour"),
        ):
            answer = told.refusals[name]
            assert refused(answer) == (422, code), told
            assert pointer in [error["pointer"] for error in answer.json()["errors"]], told


async def test_what_is_refused_leaves_no_trace(lived: list[Told]) -> None:
    for told in lived:
        before, refusals, after, at_the_end = told.heads
        assert refusals == before, told
        assert after > before, told
        assert at_the_end == after, told


async def test_a_write_answers_with_its_version_its_position_and_where_the_thing_is(
    house: House, lived: list[Told]
) -> None:
    for told in lived:
        answer, body = told.first, told.first.json()
        assert answer.headers["etag"] == f'"{body["version"]}"', told
        assert answer.headers["log-position"] == str(body["position"]), told
        assert answer.headers["cache-control"] == "no-store", told
        assert "idempotency-replayed" not in answer.headers, told
        there = await house.ask(told.step.service, "GET", answer.headers["location"], **told.step.who)
        assert there.status_code == 200, (told, answer.headers["location"])


async def test_the_event_is_of_that_version_by_that_actor_in_that_request(lived: list[Told]) -> None:
    for told in lived:
        role = told.step.who.get("role", "dci")
        assert told.event["position"] == told.first.json()["position"], told
        assert told.event["stream_id"] == told.first.json()["id"], told
        assert told.event["version"] == told.first.json()["version"], told
        assert told.event["correlation_id"] == told.first.headers["x-request-id"] == f"step-{told.number}"
        assert told.event["recorded_by"] == {
            "subject": told.step.who.get("subject", f"development:{role}"),
            "organization": HOME[role],
            "role": role,
        }, told


async def test_the_same_request_under_the_same_key_is_answered_the_same_and_done_once(
    lived: list[Told],
) -> None:
    for told in lived:
        _check_replay(told, told.again)


async def test_another_request_under_the_same_key_is_refused(lived: list[Told]) -> None:
    for told in lived:
        if told.step.body:
            assert refused(told.other) == (422, "idempotency-key-reused"), told


def _check_replay(told: Told, again: httpx.Response) -> None:
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true"), (told, again.text)
    # The secret of a key, or the address that has it, is told once: what is stored of it could not tell it again.
    first = {name: value for name, value in told.first.json().items() if name not in ("secret", "address")}
    assert again.json() == first, told
    assert {name: again.headers[name] for name in SAME} == {name: told.first.headers[name] for name in SAME}


async def test_a_key_belongs_to_who_used_it_and_to_the_path_it_was_used_on(
    house: House, lived: list[Told]
) -> None:
    told = next(one for one in lived if one.step.route.endswith("/comments"))
    body = json.dumps(told.step.body).encode()
    for path, who in (
        (told.path, {"role": "dci", "subject": "somebody-else"}),
        ("/v1/commitments/LIFE-2/comments", told.step.who),
    ):
        answer = await house.ask(
            "commitments",
            "POST",
            path,
            content=body,
            Idempotency_Key=f"key-{told.number}",
            Content_Type="application/json",
            If_Match="*",
            **who,
        )
        assert (answer.status_code, "idempotency-replayed" in answer.headers) == (201, False), answer.text


@pytest.mark.parametrize("key", ["", "a b", "a\tb", "x" * 256])
async def test_a_key_that_is_none_is_refused(house: House, key: str) -> None:
    for service, path in (("commitments", "/v1/commitments"), ("meetings", "/v1/meetings")):
        answer = await house.ask(service, "POST", path, {}, Idempotency_Key=key)
        assert refused(answer) == (422, "idempotency-key-invalid")


async def test_keys_are_remembered_by_services_that_were_started_again(
    house: House, folder: Path, lived: list[Told]
) -> None:
    """Other processes over the same log: nothing of this is in anybody's memory."""
    async with House(folder).open(worker=False) as restarted:
        before = await head(restarted)
        for told in lived:
            body = json.dumps(told.step.body).encode()
            again = await say(restarted, told.step, told.path, told.number, body, If_Match="*")
            _check_replay(told, again)
            other = await said_otherwise(restarted, told.step, told.path, told.number, If_Match="*")
            assert not told.step.body or refused(other) == (422, "idempotency-key-reused"), told
        assert await head(restarted) == before


async def test_the_feed_holds_every_event_once_in_order(house: House, lived: list[Told]) -> None:
    answer = await house.ask("reporting", "GET", "/v1/events")
    events = [json.loads(line) for line in answer.text.splitlines()]
    assert [event["position"] for event in events] == list(range(1, await head(house) + 1))
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
    assert all(stamp.fullmatch(event["recorded_at"]) for event in events)
