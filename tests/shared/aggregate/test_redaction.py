"""What an answer names of other things is found wherever it stands, and taken out where it is not for the reader."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.aggregate.documents import document_of, entry_document
from shared.aggregate.redaction import (
    Document,
    Readers,
    Reference,
    redact,
    references_in,
)
from shared.events.commitments import Corrected, DecisionCarriedOut, Escalated, LeadReassigned, Registered
from shared.events.examples import example_of
from shared.events.facts import Event, Part
from shared.events.meetings import DraftDecision, MinutesApproved
from shared.events.registry import EVENT_TYPES
from shared.events.types import (
    ActionItemId,
    Addressee,
    CommitmentCode,
    DecisionNumber,
    IndicatorCode,
    Items,
    Kind,
    Line,
    OrganizationCode,
    Value,
)
from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role

MINISTRY = Actor(subject="m", organization="HEALTH", role=Role.MINISTRY)
CODES = [f"C-{number}" for number in range(6)]


class Step(Part, frozen=True, kw_only=True):
    """What names things inside of another thing."""

    commitment: CommitmentCode | None = None
    decisions: Items[DecisionNumber] = ()
    title: Line | None = None


class Noted(Event, frozen=True, kw_only=True):
    """What names things in every way in which they can be named."""

    TYPE: ClassVar[str] = "tests.noted"

    parent: CommitmentCode | None = None
    commitments: Items[CommitmentCode] = ()
    into: CommitmentCode | msgspec.UnsetType | None = msgspec.UNSET
    indicator: IndicatorCode | None = None
    decision: DecisionNumber | None = None
    action_items: Items[ActionItemId] = ()
    to: Addressee | None = None
    organization: OrganizationCode | None = None
    title: Line | None = None
    value: Value | None = None
    percent: Value | None = None
    step: Step | None = None
    steps: Items[Step] = ()


DOCUMENT = document_of(Noted)
names = st.sampled_from(CODES)
optional = st.none() | names
many = st.lists(names, max_size=3)
steps = st.fixed_dictionaries({}, optional={"commitment": optional, "decisions": many, "title": optional})
documents = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("parent", "into", "indicator", "decision", "to", "organization", "title"), optional),
        **dict.fromkeys(("commitments", "action_items"), many),
        "causation_id": st.none() | st.integers(),
        "step": st.none() | steps,
        "steps": st.lists(steps, max_size=2),
    },
)


@given(documents, st.frozensets(st.builds(Reference, st.sampled_from(list(Kind)), names)))
def test_what_is_hidden_is_named_no_more_and_everything_else_still_is(
    document: dict[str, Any], hidden: frozenset[Reference]
) -> None:
    before = set(references_in(DOCUMENT, document))
    left = redact(DOCUMENT, document, hidden)
    assert set(references_in(DOCUMENT, left)) == before - hidden
    assert redact(DOCUMENT, document, frozenset()) == document
    assert left.keys() == document.keys()


def test_a_name_is_found_in_every_place_where_one_can_stand() -> None:
    document = {
        "parent": "C-0",
        "commitments": ["C-1", "C-2"],
        "into": "C-3",
        "indicator": "C-0",
        "decision": "C-0",
        "action_items": ["C-4"],
        "to": "C-0",
        "step": {"commitment": "C-4", "decisions": ["C-1"]},
        "steps": [{}, {"commitment": "C-5", "decisions": ["C-2"]}],
    }
    assert set(references_in(DOCUMENT, document)) == {
        *(Reference(Kind.COMMITMENT, code) for code in CODES),
        *(Reference(Kind.DECISION, f"C-{number}") for number in range(3)),
        Reference(Kind.INDICATOR, "C-0"),
        Reference(Kind.ACTION_ITEM, "C-4"),
        Reference(Kind.BODY, "C-0"),
    }


def test_a_name_counts_only_where_a_thing_is_named() -> None:
    document = {
        "title": "C-1",
        "organization": "C-1",
        "commitments": ["C-1", "C-2"],
        "decision": "C-1",
        "more": "Of C-1",
    }
    assert redact(DOCUMENT, document, frozenset({Reference(Kind.COMMITMENT, "C-1")})) == {
        **document,
        "commitments": ["C-2"],
    }


@pytest.mark.parametrize("event_type", EVENT_TYPES.values(), ids=EVENT_TYPES)
def test_of_every_event_nothing_is_left_that_names_what_is_hidden(event_type: type[Event]) -> None:
    data = json.loads(msgspec.json.encode(example_of(event_type)))
    named = frozenset(references_in(event_type, data))
    for struct in (event_type, document_of(event_type)):
        assert set(references_in(struct, data)) == named
        assert redact(struct, data, frozenset()) == data
        assert set(references_in(struct, redact(struct, data, named))) == set()


def test_a_correction_names_a_commitment_where_it_is_of_a_field_that_does() -> None:
    hidden = frozenset({Reference(Kind.COMMITMENT, "C-1")})
    parent = {"field": "parent", "value": "C-2", "previous": "C-1"}
    assert redact(Corrected, parent, hidden) == {"field": "parent", "value": "C-2", "previous": None}
    title = {"field": "title", "value": "C-2", "previous": "C-1"}
    assert redact(Corrected, title, hidden) == title
    unheard_of = {"field": "colour", "value": "C-2", "previous": "C-1"}
    assert redact(Corrected, unheard_of, hidden) == unheard_of
    origin = {"field": "origin", "value": {"kind": "committee", "decision": "S-2012-001"}, "previous": None}
    cut = redact(Corrected, origin, frozenset({Reference(Kind.DECISION, "S-2012-001")}))
    assert cut["value"] == {"kind": "committee", "decision": None}


@pytest.mark.parametrize(
    "effect",
    [
        {"commitment": {"code": "C-1", "title": "New", "parent": None}},
        {"commitment": {"code": "C-2", "title": "New", "parent": "C-1"}},
    ],
)
def test_of_an_effect_that_names_what_is_hidden_nothing_is_shown(effect: Any) -> None:
    document = {"text": "Agreed", "effect": effect}
    assert redact(DraftDecision, document, frozenset({Reference(Kind.COMMITMENT, "C-1")})) == {
        "text": "Agreed",
        "effect": None,
    }
    assert redact(DraftDecision, document, frozenset({Reference(Kind.INDICATOR, "C-1")})) == document


def test_with_the_number_of_a_decision_go_its_words_and_where_it_leads() -> None:
    data = {"decision": "B-1", "to": "BIL", "remarks": "In the words of the meeting", "effective_on": "2012"}
    nothing = dict.fromkeys(("decision", "to", "remarks"))
    hidden = frozenset({Reference(Kind.DECISION, "B-1")})
    assert redact(Escalated, data, hidden) == {**data, **nothing}
    assert redact(Escalated, data, frozenset({Reference(Kind.DECISION, "B-2")})) == data
    done = {"decision": "B-1", "did": [{"type": "t", "commitment": "C-1"}], "remarks": "After all"}
    assert redact(DecisionCarriedOut, done, hidden) == {**done, "decision": None, "remarks": None}


def test_with_the_body_a_matter_goes_to_goes_what_was_said_of_it() -> None:
    escalation = {"decision": "S-1", "to": "BIL", "remarks": "Before March"}
    hidden = redact(Escalated, escalation, frozenset({Reference(Kind.BODY, "BIL")}))
    assert hidden == {"decision": "S-1", "to": None, "remarks": None}


def test_a_seal_is_shown_only_with_everything_that_it_is_put_on() -> None:
    document = {"digest": "5e", "decisions": ["S-1"]}
    assert redact(MinutesApproved, document, frozenset({Reference(Kind.DECISION, "S-1")})) == {
        "digest": None,
        "decisions": [],
    }
    assert redact(MinutesApproved, document, frozenset()) == document


def test_a_document_names_what_the_events_in_it_name() -> None:
    listing = msgspec.defstruct(
        "Listing",
        [("entries", list[entry_document(LeadReassigned)]), ("first", document_of(Registered) | None)],  # type: ignore[misc]
    )
    document = {
        "entries": [{"decision": "S-1", "previous": "MOP"}],
        "first": {"code": "C-0", "parent": "C-1", "origin": {"decision": "S-2"}},
    }
    assert set(references_in(listing, document)) == {
        Reference(Kind.DECISION, "S-1"),
        Reference(Kind.DECISION, "S-2"),
        Reference(Kind.COMMITMENT, "C-1"),
    }


async def test_numbers_go_out_as_they_came_in() -> None:
    body = b'{"percent":12.50,"value":28.560000,"parent":"C-1"}'

    async def reserved(_: Reference) -> Readers:
        return Readers(Visibility.RESERVED, ["INTERIOR"])

    redacted = await Document(DOCUMENT, body).for_reader(MINISTRY, reserved)
    assert redacted.body == b'{"percent":12.50,"value":28.560000,"parent":null}'
    assert not redacted.whole


@pytest.mark.parametrize(
    ("role", "readers", "shown"),
    [
        (Role.DCI, Readers(Visibility.RESERVED, []), True),
        (Role.MINISTRY, Readers(Visibility.RESERVED, ["HEALTH"]), True),
        (Role.MINISTRY, Readers(Visibility.RESERVED, ["OTHER"]), False),
        (Role.MINISTRY, Readers(Visibility.PUBLIC, []), True),
        (Role.MINISTRY, Readers(Visibility.INTERNAL, []), True),
        (Role.MINISTRY, None, True),
    ],
)
async def test_an_answer_names_what_its_reader_may_know_of(
    role: Role, readers: Readers | None, shown: bool
) -> None:
    async def readers_of(_: Reference) -> Readers | None:
        return readers

    actor = Actor(subject="s", organization="HEALTH", role=role)
    redacted = await Document(DOCUMENT, b'{"parent":"C-1"}').for_reader(actor, readers_of)
    assert json.loads(redacted.body)["parent"] == ("C-1" if shown else None)
    assert redacted.whole is shown


async def test_for_whoever_reads_everything_nobody_is_asked_and_nothing_is_read() -> None:
    async def nobody(_: Reference) -> Readers | None:
        raise AssertionError("asked")

    auditor = Actor(subject="s", organization="AUDIT", role=Role.AUDITOR)
    redacted = await Document(DOCUMENT, b"these very bytes").for_reader(auditor, nobody)
    assert redacted == (b"these very bytes", True)
