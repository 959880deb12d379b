"""API keys: what a holder presents, what the log keeps, and when a key stops opening anything."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from shared.errors import Unauthenticated
from shared.events.identity import KeyApproved, KeyIssued, KeyRequested, KeyRevoked
from shared.identity.actor import Actor, Role
from shared.identity.caller import Caller
from shared.identity.keys import KeyDirectory, NewKey, generate_key

NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)


def issued(key: NewKey, *, scopes: tuple[str, ...] = ("read",), days: int = 30) -> KeyIssued:
    return KeyIssued(
        key_id=key.key_id,
        secret_sha256=key.secret_sha256,
        role=Role.DIPRES,
        organization="DIPRES",
        scopes=scopes,
        expires_at=NOW + timedelta(days=days),
    )


def test_a_key_names_itself_and_carries_256_random_bits() -> None:
    key = generate_key()
    prefix, key_id, secret = key.presented.split("_")
    assert (prefix, key_id) == ("bk", key.key_id)
    assert len(bytes.fromhex(secret)) == 32
    assert key.secret_sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert generate_key().presented != key.presented


def test_a_key_in_force_names_its_holder_and_its_scopes() -> None:
    key, directory = generate_key(), KeyDirectory()
    directory.apply(issued(key))
    caller = directory.authenticate(key.presented, NOW)
    assert caller == Caller(Actor(f"key:{key.key_id}", "DIPRES", Role.DIPRES), frozenset({"read"}))


def test_a_key_that_does_not_hold_is_refused_in_the_same_words_whatever_is_wrong_with_it() -> None:
    good, revoked, late, unknown = (generate_key() for _ in range(4))
    directory = KeyDirectory()
    for key, days in ((good, 30), (revoked, 30), (late, -1)):
        directory.apply(issued(key, days=days))
    directory.apply(KeyRevoked(key_id=revoked.key_id, reason="lost"))
    wrong_secret = f"bk_{good.key_id}_{unknown.presented.rpartition('_')[2]}"
    answers = set()
    for presented in (
        revoked.presented,
        late.presented,
        unknown.presented,
        wrong_secret,
        "bk_",
        "bk_x",
        "bk_é_é",
    ):
        with pytest.raises(Unauthenticated) as refused:
            directory.authenticate(presented, NOW)
        answers.add((refused.value.code, refused.value.message))
    assert len(answers) == 1


def test_a_key_expires_at_its_very_instant() -> None:
    key, directory = generate_key(), KeyDirectory()
    directory.apply(issued(key, days=1))
    directory.authenticate(key.presented, NOW + timedelta(days=1, microseconds=-1))
    with pytest.raises(Unauthenticated):
        directory.authenticate(key.presented, NOW + timedelta(days=1))


def test_revoking_a_key_nobody_issued_changes_nothing() -> None:
    KeyDirectory().apply(KeyRevoked(key_id="none", reason="lost"))


def test_a_key_on_record_without_a_holder_is_held_by_whoever_issued_it() -> None:
    old, named, directory = generate_key(), generate_key(), KeyDirectory()
    admin = Actor("ana", "DCI", Role.ADMIN)
    directory.apply(issued(old), admin)
    directory.apply(msgspec.structs.replace(issued(named), holder="leo"), admin)
    people = [directory.authenticate(key.presented, NOW).actor.person for key in (old, named)]
    assert people == ["ana", "leo"]


def test_whoever_asked_for_a_key_may_be_behind_it_and_behind_every_key_that_it_asked_for() -> None:
    first, second, plain, directory = generate_key(), generate_key(), generate_key(), KeyDirectory()
    zoe = Actor("zoe", "DCI", Role.ADMIN)
    directory.apply(msgspec.structs.replace(issued(first), holder="nobody"), zoe)
    # As it was recorded before anybody wrote down who had asked for the first.
    by_first = Actor(f"key:{first.key_id}", "DCI", Role.ADMIN, "nobody")
    directory.apply(msgspec.structs.replace(issued(second), holder="no-one"), by_first)
    directory.apply(issued(plain), zoe)
    actors = [directory.authenticate(key.presented, NOW).actor for key in (first, second, plain)]
    assert [actor.asked_by for actor in actors] == [("zoe",), ("nobody", "zoe"), ()]
    assert all(one.may_be(other.people) for one in actors for other in [*actors, zoe])
    assert not any(actor.may_be({"leo"}) for actor in actors)


def test_a_key_that_was_asked_for_opens_nothing_until_it_is_approved_and_nothing_once_it_is_revoked() -> None:
    key, directory = generate_key(), KeyDirectory()
    approved = KeyApproved(key_id=key.key_id)
    directory.apply(approved)  # of a key that nobody asked for
    directory.apply(KeyRequested(**msgspec.structs.asdict(issued(key))))
    with pytest.raises(Unauthenticated):
        directory.authenticate(key.presented, NOW)
    directory.apply(approved)
    assert directory.authenticate(key.presented, NOW).actor.role is Role.DIPRES
    directory.apply(KeyRevoked(key_id=key.key_id, reason="lost"))
    directory.apply(approved)
    with pytest.raises(Unauthenticated):
        directory.authenticate(key.presented, NOW)
