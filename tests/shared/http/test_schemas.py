"""The schemas in the document are those of the types that parse a request and that an answer is sent as."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from jsonschema import Draft202012Validator
from pydantic import Field

from shared.aggregate.aggregate import Entry
from shared.aggregate.documents import as_entry, document_of, entry_document, extended
from shared.events import record
from shared.events.commitments import (
    Assessed,
    DeadlineRevised,
    Escalated,
    Evidence,
    Merged,
    ProgressReported,
    Registered,
)
from shared.events.editions import EditionPublished
from shared.events.examples import example_of
from shared.events.facts import COMPUTED, Event
from shared.events.meetings import MinutesApproved
from shared.events.registry import EVENT_TYPES
from shared.http.pagination import DEFAULT_LIMIT, Limit
from shared.http.requests import request_of
from shared.http.responses import encoded, page_of
from shared.http.routing import Query
from shared.http.schemas import Schemas
from tests.support.ledger import ACTOR, NOON


def schema_of(kind: type[Any]) -> dict[str, Any]:
    """The schema of a type, with what it refers to."""
    components: dict[str, Any] = {}
    reference = Schemas(components).reference(kind)
    whole = {**reference, "components": {"schemas": components}}
    Draft202012Validator.check_schema(whole)
    return whole


def members_of(kind: type[Any]) -> dict[str, Any]:
    """The schemas of its members."""
    schema = schema_of(kind)
    name = schema["$ref"].rpartition("/")[2]
    found: dict[str, Any] = schema["components"]["schemas"][name]["properties"]
    return found


def test_a_request_is_described_with_its_limits_its_examples_and_its_marks_left_out() -> None:
    members = members_of(request_of(Registered, name="Request"))
    assert members["title"] == {
        "type": "string",
        "title": "Title",
        "minLength": 1,
        "maxLength": 500,
        "pattern": members["title"]["pattern"],
        "examples": ["Reduce household victimisation by 15 %"],
    }
    assert "number" not in members_of(request_of(ProgressReported, name="Request"))
    schema = schema_of(request_of(Registered, name="Request"))["components"]["schemas"]["Request"]
    assert schema["required"] == ["code", "title", "lead_organization"]
    assert schema["additionalProperties"] is False


def test_numbers_are_sent_as_numbers_and_described_as_such() -> None:
    document = extended("Share", ProgressReported, "A share.", percent=Decimal | None)
    assert {"type": "number"} in members_of(document)["percent"]["anyOf"]
    assert members_of(entry_document(ProgressReported))["effective_on"]["format"] == "date"


def test_an_answer_is_described_with_what_its_fields_say_of_themselves() -> None:
    class Thing(msgspec.Struct, kw_only=True):
        """What is known of a thing."""

        id: UUID
        title: Annotated[str, Field(description="What it is called.", examples=["A thing"])]

    members = members_of(page_of(Thing))
    assert members.keys() == {"items", "next", "total"}
    title = members_of(Thing)["title"]
    assert (title["description"], title["examples"]) == ("What it is called.", ["A thing"])
    schema = schema_of(page_of(Thing))["components"]["schemas"]
    assert schema["Thing"]["description"] == "What is known of a thing."
    assert schema["ThingPage"]["required"] == ["items", "next"]
    assert schema["Thing"]["properties"]["title"]["examples"] == ["A thing"]


# What the log says of its own events stands in no history of a thing, and an edition is told by its content.
OF_THINGS = {
    name: event_type
    for name, event_type in EVENT_TYPES.items()
    if event_type not in (*record.EVENTS, EditionPublished)
}


@pytest.mark.parametrize("event_type", OF_THINGS.values(), ids=OF_THINGS)
def test_what_is_sent_of_any_event_is_what_is_documented(event_type: type[Event]) -> None:
    document = entry_document(event_type)
    sent = json.loads(encoded(as_entry(document, Entry(example_of(event_type), ACTOR, 7, NOON))))
    schema = schema_of(document)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    assert [error.message for error in validator.iter_errors(sent)] == []
    name = schema["$ref"].rpartition("/")[2]
    described = schema["components"]["schemas"][name]
    assert sent.keys() == described["properties"].keys() == set(described["required"])


def test_what_is_kept_from_some_readers_is_described_as_null_to_them() -> None:
    members = members_of(entry_document(Escalated))
    for withheld in ("decision", "remarks", "to"):
        assert members[withheld]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    (_, absent) = members_of(document_of(MinutesApproved))["digest"]["anyOf"]
    assert absent == {"type": "null"}
    assert members_of(document_of(Merged))["reason"] == {"type": "string"}


@pytest.mark.parametrize("event_type", OF_THINGS.values(), ids=OF_THINGS)
def test_what_an_event_leaves_out_is_written_all_the_same(event_type: type[Event]) -> None:
    example = example_of(event_type)
    required = [
        field.name for field in msgspec.structs.fields(event_type) if field.default is msgspec.NODEFAULT
    ]
    bare = event_type(**{name: getattr(example, name) for name in required})
    bare = msgspec.structs.replace(
        bare, **{name: 7 for name in event_type.__struct_fields__ if getattr(bare, name) is COMPUTED}
    )
    sent = json.loads(encoded(as_entry(entry_document(event_type), Entry(bare, ACTOR, 7, NOON))))
    assert sent.keys() == {*event_type.__struct_fields__, "recorded_by", "position"}


def test_so_is_what_a_part_of_an_event_leaves_out() -> None:
    reported = ProgressReported(
        number=1, period="2012", effective_on=date(2012, 6, 30), evidence=(Evidence(description="Law"),)
    )
    sent = json.loads(encoded(as_entry(entry_document(ProgressReported), Entry(reported, ACTOR, 7, NOON))))
    assert sent["evidence"] == [{"description": "Law", "url": None, "dated_on": None}]


def test_parameters_are_described_one_by_one() -> None:
    class Asked(Query):
        limit: Limit = DEFAULT_LIMIT
        on: Annotated[date, Field(description="The day.", examples=["2012-05-21"])]

    schemas = Schemas({})
    limit, on = schemas.query_parameters(Asked)
    assert (limit["name"], limit["in"], limit["required"], limit["schema"]["minimum"]) == (
        "limit",
        "query",
        False,
        1,
    )
    assert (on["required"], on["description"], on["example"]) == (True, "The day.", "2012-05-21")
    number = schemas.path_parameter("n", int)
    assert (number["name"], number["in"], number["required"]) == ("n", "path", True)
    assert number["schema"]["type"] == "integer"


def test_a_document_in_a_document_is_described_beside_it() -> None:
    schemas = schema_of(document_of(Registered))["components"]["schemas"]
    assert {"Registered", "Origin", "PublicDeadline", "TeamMember"} <= schemas.keys()
    assert schemas["PublicDeadline"]["required"] == ["on", "origin"]
    assert members_of(entry_document(DeadlineRevised)).keys() >= {"previous", "recorded_by", "position"}


def test_a_description_of_several_paragraphs_is_not_indented() -> None:
    schemas = schema_of(entry_document(Assessed))["components"]["schemas"]
    assert "\n\n`rating` is the value on the assessor's own `scale`" in schemas["Assessed"]["description"]


def test_no_type_takes_the_place_of_another_in_the_document() -> None:
    one = msgspec.defstruct("Written", [("code", str)])
    other = msgspec.defstruct("Written", [("number", str)])
    schemas = Schemas({})
    schemas.reference(one)
    schemas.reference(one)
    with pytest.raises(ValueError, match="called Written"):
        schemas.reference(other)
