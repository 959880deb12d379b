"""What an answer names of other things is found wherever it stands, and taken out where it is not for the reader."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role
from shared.references import NAMING, Disclosure, Kind, Reference, Told, references_in, without

MINISTRY = Actor(subject="m", organization="HEALTH", role=Role.MINISTRY)
CODES = [f"C-{number}" for number in range(6)]

names = st.sampled_from(CODES)
scalars = st.one_of(names, st.none(), st.integers(), st.booleans())
members = st.sampled_from([*sorted(NAMING), "title", "text", "field", "value", "previous", "causation_id"])
told = st.recursive(
    st.dictionaries(members, st.one_of(scalars, st.lists(names, max_size=3)), max_size=5),
    lambda inner: st.dictionaries(
        members.filter(lambda member: member != "commitment"),
        st.one_of(inner, st.lists(inner, max_size=3)),
        max_size=3,
    ),
    max_leaves=8,
)


@given(told, st.frozensets(st.builds(Reference, st.sampled_from(list(Kind)), names)))
def test_what_is_unseen_is_named_no_more_and_everything_else_still_is(
    document: dict[str, Any], unseen: frozenset[Reference]
) -> None:
    before = set(references_in(document))
    left = without(document, unseen)
    assert set(references_in(left)) == before - unseen
    assert without(document, frozenset()) == document
    assert left.keys() == document.keys()


def test_a_name_counts_only_where_a_thing_is_named() -> None:
    document = {"title": "C-1", "commitments": ["C-1", "C-2"], "decision": "C-1", "text": "Of C-1"}
    assert without(document, frozenset({Reference(Kind.COMMITMENT, "C-1")})) == {
        "title": "C-1",
        "commitments": ["C-2"],
        "decision": "C-1",
        "text": "Of C-1",
    }


def test_a_correction_names_a_commitment_where_it_is_of_a_field_that_does() -> None:
    hidden = frozenset({Reference(Kind.COMMITMENT, "C-1")})
    parent = {"field": "parent", "value": "C-2", "previous": "C-1"}
    assert without(parent, hidden) == {"field": "parent", "value": "C-2", "previous": None}
    title = {"field": "title", "value": "C-2", "previous": "C-1"}
    assert without(title, hidden) == title
    origin = {"field": "origin", "value": {"kind": "committee", "decision": "S-2012-001"}, "previous": None}
    cut = without(origin, frozenset({Reference(Kind.DECISION, "S-2012-001")}))
    assert cut["value"] == {"kind": "committee", "decision": None}


@pytest.mark.parametrize(
    "effect",
    [
        {"commitment": {"code": "C-1", "title": "New", "parent": None}},
        {"commitment": {"code": "C-2", "title": "New", "parent": "C-1"}},
    ],
)
def test_of_an_effect_that_names_what_is_unseen_nothing_is_told(effect: Any) -> None:
    document = {"text": "Agreed", "effect": effect}
    assert without(document, frozenset({Reference(Kind.COMMITMENT, "C-1")})) == {
        "text": "Agreed",
        "effect": None,
    }
    assert without(document, frozenset({Reference(Kind.INDICATOR, "C-1")})) == document


def test_with_the_number_of_a_decision_goes_what_else_leads_to_it() -> None:
    data = {"decision": "B-1", "remarks": "In the words of the meeting"}
    item = {"type": "escalated", "causation_id": 7, "correlation_id": "r", "decision": "B-1", "data": data}
    hidden = without(item, frozenset({Reference(Kind.DECISION, "B-1")}))
    nothing = dict.fromkeys(("causation_id", "correlation_id", "decision"))
    assert hidden == {**item, **nothing, "data": {"decision": None, "remarks": None}}
    assert without(item, frozenset({Reference(Kind.DECISION, "B-2")})) == item


def test_with_the_body_a_matter_goes_to_goes_what_was_said_of_it() -> None:
    escalation = {"decision": "S-1", "to": "BIL", "remarks": "Before March"}
    hidden = without(escalation, frozenset({Reference(Kind.BODY, "BIL")}))
    assert hidden == {"decision": "S-1", "to": None, "remarks": None}


def test_a_seal_is_told_only_with_everything_that_it_is_put_on() -> None:
    document = {"digest": "5e", "commitments": ["C-1"]}
    assert without(document, frozenset({Reference(Kind.COMMITMENT, "C-1")})) == {
        "digest": None,
        "commitments": [],
    }
    assert without(document, frozenset()) == document


@pytest.mark.anyio
async def test_numbers_go_out_as_they_came_in() -> None:
    body = b'{"percent":12.50,"value":28.560000,"parent":"C-1"}'

    async def reserved(_: Reference) -> Disclosure:
        return Disclosure(Visibility.RESERVED, ["INTERIOR"], once_reserved=True)

    heard = await Told(body).to(MINISTRY, reserved)
    assert heard.body == b'{"percent":12.50,"value":28.560000,"parent":null}'


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("role", "disclosure", "seen", "settled"),
    [
        (Role.DCI, Disclosure(Visibility.RESERVED, [], once_reserved=True), True, True),
        (Role.MINISTRY, Disclosure(Visibility.RESERVED, ["HEALTH"], once_reserved=True), True, False),
        (Role.MINISTRY, Disclosure(Visibility.RESERVED, ["OTHER"], once_reserved=True), False, False),
        (Role.MINISTRY, Disclosure(Visibility.PUBLIC, [], once_reserved=True), True, False),
        (Role.MINISTRY, Disclosure(Visibility.INTERNAL, [], once_reserved=False), True, True),
        (Role.MINISTRY, None, True, True),
    ],
)
async def test_an_answer_may_change_without_a_version_only_where_something_was_ever_reserved(
    role: Role, disclosure: Disclosure | None, seen: bool, settled: bool
) -> None:
    async def of(_: Reference) -> Disclosure | None:
        return disclosure

    actor = Actor(subject="s", organization="HEALTH", role=role)
    heard = await Told(b'{"parent":"C-1"}').to(actor, of)
    assert json.loads(heard.body)["parent"] == ("C-1" if seen else None)
    assert heard.settled is settled
