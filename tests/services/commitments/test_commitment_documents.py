"""A commitment as answers show it: every member, and no name that the reader may not know."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from services.commitments.commitment.model import Commitment
from services.commitments.commitment.routes import COMMITMENT, commitment_document
from shared.aggregate.redaction import Reference, redact
from shared.clock import Clock
from shared.events.commitments import Merged, Origin, ProgressReported, PublicDeadline, Registered
from shared.events.types import Kind
from shared.events.vocabulary import OriginKind
from shared.http.responses import encoded
from tests.services.commitments import promises
from tests.services.commitments.lives import ASKS, Ask, lives
from tests.services.commitments.promises import JUNE, MAY, TODAY, registered


def shown(it: Commitment) -> dict[str, Any]:
    """What an answer says of it."""
    document: dict[str, Any] = json.loads(encoded(commitment_document(it, TODAY, Clock().day_of)))
    return document


@given(st.lists(ASKS, max_size=25))
def test_an_answer_has_the_members_that_are_documented(asks: list[Ask]) -> None:
    live, _ = lives(asks)
    body = encoded(commitment_document(live, TODAY, Clock().day_of))
    assert json.loads(body).keys() == set(COMMITMENT.__struct_fields__)
    msgspec.json.decode(body, type=COMMITMENT)


def test_a_stored_period_is_shown_by_the_name_it_has_today() -> None:
    told = ProgressReported(number=1, period="2011-T2", effective_on=JUNE, no_change=True)
    document = shown(promises.given(registered(), told).thing)
    assert [report["period"] for report in document["progress_reports"]] == ["2011-C2"]


def test_what_was_left_out_at_registration_is_written_all_the_same() -> None:
    bare = Registered(
        code="SEG-14",
        title="Less crime",
        lead_organization="INTERIOR",
        effective_on=MAY,
        origin=Origin(kind=OriginKind.OTHER),
        public_deadline=PublicDeadline(on=JUNE),
    )
    document = shown(promises.given(bare).thing)
    assert document.keys() == set(COMMITMENT.__struct_fields__)
    assert document["origin"] == dict.fromkeys(Origin.__struct_fields__) | {"kind": "other"}
    assert document["public_deadline"] == {"on": "2012-06-30", "origin": None}
    assert (document["key_words"], document["goal"], document["closing"]) == ([], None, None)


def test_whoever_may_not_know_of_its_successor_or_of_the_decision_learns_neither() -> None:
    merged = Merged(into="SEG-1", reason="The same promise", effective_on=JUNE, decision="B-2012-7")
    document = shown(promises.given(registered(), merged).thing)
    assert (document["merged_into"], document["closing"]["into"]) == ("SEG-1", "SEG-1")
    hidden = frozenset({Reference(Kind.COMMITMENT, "SEG-1"), Reference(Kind.DECISION, "B-2012-7")})
    left = redact(COMMITMENT, document, hidden)
    assert left["merged_into"] is None
    assert left["closing"] == document["closing"] | {"into": None, "decision": None}
