"""Who may read what, for every role, every visibility and every place among the readers."""

from __future__ import annotations

import pytest

from shared.events.vocabulary import Visibility
from shared.identity.actor import Actor, Role
from shared.rules.visibility import can_read, reads_everything

PUBLIC, INTERNAL, RESERVED = Visibility.PUBLIC, Visibility.INTERNAL, Visibility.RESERVED
WITHOUT_LIMITS = {Role.DCI, Role.DIPRES, Role.ADVISORY, Role.AUDITOR, Role.ADMIN, Role.SYSTEM}


def test_somebody_without_credentials_reads_what_is_public_and_nothing_else() -> None:
    assert [one for one in Visibility if can_read(None, one, ("MOP",))] == [PUBLIC]
    assert not reads_everything(None)


@pytest.mark.parametrize("role", sorted(WITHOUT_LIMITS))
def test_those_who_watch_over_all_read_everything_whoever_the_readers_are(role: Role) -> None:
    actor = Actor(subject="u-1", organization="DCI", role=role)
    assert reads_everything(actor)
    assert all(can_read(actor, one, ()) for one in Visibility)


def test_a_ministry_reads_what_is_reserved_only_where_it_is_among_the_readers() -> None:
    actor = Actor(subject="u-1", organization="MOP", role=Role.MINISTRY)
    assert not reads_everything(actor)
    assert can_read(actor, PUBLIC, ())
    assert can_read(actor, INTERNAL, ())
    assert not can_read(actor, RESERVED, ())
    assert not can_read(actor, RESERVED, ("MINSAL",))
    assert can_read(actor, RESERVED, ("MINSAL", "MOP"))


def test_every_role_is_one_or_the_other() -> None:
    assert {*WITHOUT_LIMITS, Role.MINISTRY} == set(Role)
