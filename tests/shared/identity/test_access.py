"""The access table, as data and as a page of the documentation."""

from __future__ import annotations

import pytest

from shared.identity.access import EVERYONE, Access, markdown_table
from shared.identity.actor import Role


def test_what_anyone_may_see_every_role_may() -> None:
    assert all(Access(frozenset(), anonymous=True).admits(role) for role in Role)
    assert not Access(frozenset({Role.DCI})).admits(Role.MINISTRY)


def test_no_token_carries_the_role_of_our_own_policies() -> None:
    assert Role.SYSTEM not in EVERYONE


def test_a_role_cannot_be_narrowed_to_its_organization_where_it_has_no_access() -> None:
    with pytest.raises(ValueError, match="own_organization"):
        Access(frozenset({Role.DCI}), own_organization=frozenset({Role.MINISTRY}))


def test_the_table_is_printed_one_line_per_route() -> None:
    both = frozenset({Role.DCI, Role.MINISTRY})
    text = markdown_table(
        {
            ("GET", "/v1/a"): Access(EVERYONE, anonymous=True),
            ("POST", "/v1/a"): Access(both, own_organization=frozenset({Role.MINISTRY}), note="a | b"),
        }
    )
    assert text.splitlines()[2:] == [
        "| `GET /v1/a` | every role | yes |  |",
        "| `POST /v1/a` | dci, ministry (own organisation) | no | a / b |",
    ]
