"""Mappings and files that cannot be used, and what is said of them."""

from __future__ import annotations

import pytest

from shared.errors import InvalidInput
from tests.services.meetings.importing.clerk import MAPPING, Clerk, meeting


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("source = ", "Invalid"),
        ('source = ""', "`source`"),
        (MAPPING + "[agenda]\nlabels = 1\n", "unknown field `labels` - at `agenda`"),
        (MAPPING.replace('"agreed"', '"carried"'), "'carried'"),
        (MAPPING.replace('["see annex"]', '["Carried "]'), "the wording 'carried' twice"),
        (MAPPING.replace("decides = true", ""), "`bodies.where[0]` changes nothing"),
        (
            MAPPING.replace("decides = true", 'code = "X"').replace('["deciding"]', '["a", "b"]'),
            "gives one `code` to several organisations",
        ),
        (MAPPING + '[meetings]\nend_is = "unknown"\n', "'unknown'"),
        (MAPPING.replace('visibility = "public"', 'kind = "bilateral"'), "'bilateral'"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_before_anything_goes_in(
    clerk: Clerk, text: str, told: str
) -> None:
    clerk.mapping = text
    with pytest.raises(InvalidInput, match="cannot be used") as error:
        clerk.enter(meeting())
    assert error.value.code == "mapping-invalid"
    assert told in error.value.message
    assert clerk.store.head() == 0


@pytest.mark.parametrize("organizations", [None, "TC", {"data": 5}, [1]])
def test_a_file_of_organisations_that_holds_none_is_refused(clerk: Clerk, organizations: object) -> None:
    clerk.organizations = organizations
    with pytest.raises(InvalidInput, match=r"organizations\.json cannot be read") as error:
        clerk.enter(meeting())
    assert error.value.code == "file-unreadable"


def test_a_file_of_organisations_that_is_not_there_is_said_to_be_missing(clerk: Clerk) -> None:
    clerk.mapping = MAPPING.replace("organizations.json", "elsewhere.json")
    with pytest.raises(InvalidInput, match=r"elsewhere\.json cannot be read"):
        clerk.enter(meeting())


def test_the_defaults_are_the_members_of_the_standard(clerk: Clerk) -> None:
    clerk.mapping = (
        'source = "OParl"\nbodies = { file = "organizations.json" }\nresults = { unknown = "verbatim" }'
    )
    assert clerk.enter(meeting()).rows.imported == 1
