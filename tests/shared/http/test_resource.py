"""One kind of thing as a resource: facts are recorded of it, it is read as it is or was, and its history told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shared.aggregate.command import Context
from shared.aggregate.redaction import Readers, Reference
from shared.aggregate.repository import Repository
from shared.clock import Clock
from shared.eventlog.live import LiveLog
from shared.eventlog.open import open_store
from shared.events.commitments import Commented, LeadReassigned, ProgressReviewed
from shared.events.streams import stream_of
from shared.events.types import DecisionNumber, Kind
from shared.events.vocabulary import Visibility
from shared.http.resource import HistoryItem, Resource
from shared.http.routing import Router
from shared.identity.access import EVERYONE, Access
from shared.identity.actor import Role
from tests.shared.http.test_problems import problem
from tests.support.ledger import Ledger, command, opened, writing
from tests.support.web import NOW, Installation

TODAY = date(2026, 11, 21)
READ = Access(EVERYONE, etag=True, log_position=True)
WRITTEN = Access(frozenset({Role.DCI}), if_match="required")
HIDDEN = Readers(Visibility.RESERVED, ["INTERIOR"])


class LedgerDocument(msgspec.Struct, kw_only=True):
    """A ledger as it is shown."""

    code: str
    on: date
    texts: list[str]
    version: int
    decision: DecisionNumber | None


def comment(current: Ledger, proposed: Commented, context: Context) -> Commented:
    """Writes a text."""
    return proposed


def reassign(current: Ledger, proposed: LeadReassigned, context: Context) -> LeadReassigned:
    """Hands it over."""
    return replace(proposed, previous=f"holder {current.version}")


async def review(current: Ledger, proposed: ProgressReviewed, context: Context) -> list[Any]:
    """Reviews a page, in two steps."""
    return [proposed, Commented(text=f"page {proposed.report}", effective_on=context.today)]


class House:
    """A service of ledgers, one of which is begun, and the clock it goes by."""

    def __init__(self, live: LiveLog, folder: Path) -> None:
        self.live = live
        self.rendered = 0
        self.decision: str | None = None
        self.now = NOW
        self.ledger = stream_of("ledger", "L-1")
        self.ledgers: Repository[Ledger] = Repository(live, Ledger, "ledger")
        router = Router("ledgers", n=int)
        one = Resource(
            router,
            "/v1/ledgers/{id}",
            self.ledgers,
            readers_of=self.readers_of,
            read=READ,
            identity=lambda it: {"code": "L-1"},
            identity_types={"code": str},
        )
        one.document(LedgerDocument, self.render, doc="A ledger.", same_on=lambda it, then, now: then == now)
        one.history(doc="All that was recorded of it.")
        one.fact("texts", Commented, comment, access=WRITTEN)
        one.fact("holders", LeadReassigned, reassign, access=WRITTEN, tells={"former": "previous"})
        one.fact("pages/{n}/reviews", ProgressReviewed, review, access=WRITTEN, path_fields={"n": "report"})
        self.installation = Installation(folder, [router])

    async def readers_of(self, reference: Reference) -> Readers | None:
        return HIDDEN if reference == Reference(Kind.DECISION, "B-1") else None

    def render(self, ledger: Ledger, day: date) -> msgspec.Struct:
        self.rendered += 1
        return LedgerDocument(
            code="L-1",
            on=day,
            texts=list(ledger.texts),
            version=ledger.version,
            decision=self.decision,
        )

    def asking(self, role: Role = Role.DCI, organization: str = "DCI", **headers: str) -> Any:
        """A client of somebody."""
        return self.installation.client(**self.installation.token(role, organization), **headers)

    async def write(self, *texts: str) -> None:
        """Write texts into the ledger, a minute apart."""
        for text in texts:
            self.now += timedelta(minutes=1)
            await self.ledgers.change(self.ledger, writing(text), command())


@pytest.fixture
async def house(tmp_path: Path, sqlite_url: str) -> AsyncIterator[House]:
    made: list[House] = []
    with closing(open_store(sqlite_url)) as store:
        store.migrate()
        live = LiveLog(store, Clock(now=lambda: made[0].now))
        made.append(House(live, tmp_path))
        await live.start()
        try:
            await made[0].ledgers.create(made[0].ledger, opened, command())
            yield made[0]
        finally:
            await live.stop()


# --- facts ---------------------------------------------------------------------------------------------------------


async def test_a_fact_is_recorded_on_the_version_it_was_decided_on_and_answered_with_where_it_is(
    house: House,
) -> None:
    async with house.asking() as client:
        problem(await client.post("/v1/ledgers/L-1/texts", json={"text": "a"}), 428, "if-match-required")
        answer = await client.post("/v1/ledgers/L-1/texts", json={"text": "a"}, headers={"If-Match": '"1"'})
        assert answer.status_code == 201
        assert answer.json() == {"id": str(house.ledger), "code": "L-1", "version": 2, "position": 2}
        assert (answer.headers["etag"], answer.headers["log-position"]) == ('"2"', "2")
        assert answer.headers["location"] == f"/v1/ledgers/{house.ledger}?version=2"
        assert (await client.get(answer.headers["location"])).json()["texts"] == ["a"]
        stale = await client.post("/v1/ledgers/L-1/texts", json={"text": "b"}, headers={"If-Match": '"1"'})
        problem(stale, 412, "stale-version")
        assert stale.headers["etag"] == '"2"'
        unknown = await client.post("/v1/ledgers/L-2/texts", json={"text": "b"}, headers={"If-Match": "*"})
        problem(unknown, 404, "unknown-ledger")
    async with house.asking(Role.AUDITOR) as client:
        problem(await client.post("/v1/ledgers/L-1/texts", json={"text": "a"}), 403, "role-not-allowed")


async def test_below_a_proxys_path_the_location_is_the_one_the_caller_asks_for(house: House) -> None:
    client_of = house.installation.client(root_path="/api", If_Match="*", **house.installation.token())
    async with client_of as client:
        answer = await client.post("/api/v1/ledgers/L-1/texts", json={"text": "a"})
        assert answer.headers["location"] == f"/api/v1/ledgers/{house.ledger}?version=2"
        assert (await client.get(answer.headers["location"])).json()["texts"] == ["a"]


async def test_a_fact_without_a_day_is_one_of_today(house: House) -> None:
    async with house.asking(If_Match="*") as client:
        await client.post("/v1/ledgers/L-1/texts", json={"text": "a"})
        await client.post("/v1/ledgers/L-1/texts", json={"text": "b", "effective_on": "2012-05-21"})
        items = (await client.get("/v1/ledgers/L-1/history")).json()["items"]
    assert [item["effective_on"] for item in items[1:]] == ["2026-11-21", "2012-05-21"]


async def test_an_answer_says_what_the_service_filled_in_also_when_it_is_given_again(house: House) -> None:
    body = {"lead_organization": "MOP", "reason": "New minister"}
    async with house.asking(If_Match='"1"', Idempotency_Key="k") as client:
        first = await client.post("/v1/ledgers/L-1/holders", json=body)
        await house.write("meanwhile")
        again = await client.post("/v1/ledgers/L-1/holders", json=body)
        other = await client.post("/v1/ledgers/L-1/holders", json={**body, "reason": "Another"})
    assert first.json()["former"] == "holder 1"
    assert (again.status_code, again.json()) == (201, first.json())
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    problem(other, 422, "idempotency-key-reused")


async def test_a_parameter_of_the_path_is_a_field_of_the_fact_and_no_member_of_the_body(house: House) -> None:
    async with house.asking(If_Match="*") as client:
        answer = await client.post("/v1/ledgers/L-1/pages/7/reviews", json={"outcome": "accepted"})
        assert (answer.status_code, answer.json()["version"]) == (201, 3)
        items = (await client.get("/v1/ledgers/L-1/history")).json()["items"]
        assert [item["data"].get("report", item["data"].get("text")) for item in items[1:]] == [7, "page 7"]
        twice = await client.post(
            "/v1/ledgers/L-1/pages/7/reviews", json={"outcome": "accepted", "report": 8}
        )
        assert [item["pointer"] for item in twice.json()["errors"]] == ["/report"]
        wrong = await client.post("/v1/ledgers/L-1/pages/x/reviews", json={"outcome": "accepted"})
        assert [item["pointer"] for item in wrong.json()["errors"]] == ["/path/n"]


# --- the document --------------------------------------------------------------------------------------------------


async def test_it_is_shown_as_it_is_by_code_and_by_id(house: House) -> None:
    await house.write("a", "b")
    async with house.asking(Role.AUDITOR) as client:
        for identifier in ("L-1", house.ledger):
            answer = await client.get(f"/v1/ledgers/{identifier}")
            assert answer.json() == {
                "code": "L-1",
                "on": "2026-11-21",
                "texts": ["a", "b"],
                "version": 3,
                "decision": None,
            }
            assert (answer.headers["etag"], answer.headers["log-position"]) == ('"3"', "3")
        problem(await client.get("/v1/ledgers/L-2"), 404, "unknown-ledger")


async def test_it_is_shown_as_it_was_at_a_version_or_as_it_was_known_at_a_moment(house: House) -> None:
    await house.write("a", "b", "c")
    async with house.asking() as client:
        at_version = await client.get("/v1/ledgers/L-1?version=2")
        assert (at_version.json()["texts"], at_version.headers["etag"]) == (["a"], '"2"')
        assert at_version.headers["log-position"] == "2"
        moment = (NOW + timedelta(minutes=2, seconds=30)).isoformat().replace("+00:00", "Z")
        at_moment = await client.get(f"/v1/ledgers/L-1?known_at={moment}")
        assert (at_moment.json()["texts"], at_moment.headers["log-position"]) == (["a", "b"], "3")
        problem(await client.get("/v1/ledgers/L-1?version=9"), 404, "version-not-found")
        both = await client.get(f"/v1/ledgers/L-1?version=2&known_at={moment}")
        problem(both, 422, "two-past-views")
        problem(await client.get("/v1/ledgers/L-1?version=0"), 422, "request-invalid")


async def test_the_same_version_on_the_same_day_is_rendered_once(house: House) -> None:
    await house.write("a")
    async with house.asking() as client:
        for _ in range(3):
            await client.get("/v1/ledgers/L-1")
        assert house.rendered == 1
        await house.write("b")
        assert (await client.get("/v1/ledgers/L-1")).json()["texts"] == ["a", "b"]
        assert house.rendered == 2
        house.now += timedelta(days=1)
        assert (await client.get("/v1/ledgers/L-1")).json()["on"] == "2026-11-22"
        assert house.rendered == 3


async def test_who_holds_the_version_is_sent_it_again_only_when_the_calendar_has_changed_it(
    house: House,
) -> None:
    await house.write("a")
    async with house.asking(If_None_Match='"2"') as client:
        assert (await client.get("/v1/ledgers/L-1")).status_code == 304
        house.now += timedelta(days=1)
        answer = await client.get("/v1/ledgers/L-1")
        assert (answer.status_code, answer.json()["on"]) == (200, "2026-11-22")


async def test_what_of_it_is_hidden_from_a_reader_is_left_out_and_the_tag_names_what_is_shown(
    house: House,
) -> None:
    """So that who holds it is sent it anew when it is another one, and not because something is hidden."""
    house.decision = "B-1"
    tags = set()
    for role, organization, decision in (
        (Role.DCI, "DCI", "B-1"),
        (Role.MINISTRY, "INTERIOR", "B-1"),
        (Role.MINISTRY, "HEALTH", None),
    ):
        async with house.asking(role, organization) as client:
            answer = await client.get("/v1/ledgers/L-1")
            assert answer.json()["decision"] == decision
            tag = answer.headers["etag"]
            tags.add(tag)
            assert tag == '"1"' or (role is Role.MINISTRY and tag.startswith('"1-'))
            for held, status in ((tag, 304), (f"W/{tag}", 304), ('"1-0"', 200), ('"2"', 200)):
                again = await client.get("/v1/ledgers/L-1", headers={"If-None-Match": held})
                assert again.status_code == status
    assert len(tags) == 3
    assert house.rendered == 1


async def test_a_read_may_wait_for_a_position(house: House) -> None:
    async with house.asking() as client:
        await house.write("a")
        answer = await client.get("/v1/ledgers/L-1?wait_for=2")
        assert answer.json()["texts"] == ["a"]
        problem(await client.get("/v1/ledgers/L-1?wait_for=-1"), 422, "request-invalid")


# --- the history ---------------------------------------------------------------------------------------------------


async def test_its_history_is_told_page_by_page_each_event_once_and_in_order(house: House) -> None:
    await house.write(*map(str, range(9)))
    items: list[dict[str, Any]] = []
    url: str | None = "/v1/ledgers/L-1/history?limit=4"
    async with house.asking() as client:
        while url is not None:
            answer = await client.get(url)
            assert answer.headers["etag"] == '"10"'
            items += answer.json()["items"]
            url = answer.json()["next"]
    assert [item["version"] for item in items] == list(range(1, 11))
    assert [item["data"].get("text") for item in items] == [None, *map(str, range(9))]
    assert items[1].keys() == set(HistoryItem.__struct_fields__)
    assert (items[1]["type"], items[1]["recorded_by"]["subject"]) == ("commitments.commented", "u-17")
    assert items[1]["data"] == {"text": "0", "effective_on": "2011-05-21"}
    assert items[1]["correlation_id"] == "test"


async def test_of_a_hidden_decision_neither_number_nor_request_nor_cause_is_told(house: House) -> None:
    moved = LeadReassigned(
        lead_organization="MOP", previous="MINVU", effective_on=TODAY, reason="x", decision="B-1"
    )
    await house.ledgers.change(house.ledger, lambda _: moved, replace(command(), causation_id=1))
    async with house.asking() as client:
        whole = await client.get("/v1/ledgers/L-1/history")
    assert whole.json()["items"][1]["decision"] == "B-1"
    for organization, decision in (("INTERIOR", "B-1"), ("HEALTH", None)):
        async with house.asking(Role.MINISTRY, organization) as client:
            answer = await client.get("/v1/ledgers/L-1/history")
            item = answer.json()["items"][1]
            assert (item["decision"], item["data"].get("decision")) == (decision, decision)
            leads_to_it = ("test", 1) if decision else (None, None)
            assert (item["correlation_id"], item["causation_id"]) == leads_to_it
            assert item["data"]["lead_organization"] == "MOP"
            # What others may know may have changed without a new version: it is sent anew.
            held = await client.get("/v1/ledgers/L-1/history", headers={"If-None-Match": '"2"'})
            assert held.status_code == 200
    async with house.asking(If_None_Match='"2"') as client:
        assert (await client.get("/v1/ledgers/L-1/history")).status_code == 304
