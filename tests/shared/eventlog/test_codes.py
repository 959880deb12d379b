"""A code is taken once, in whatever capitals, by whichever process; what old logs have twice they keep."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import closing
from importlib import import_module
from typing import get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.eventlog import codec
from shared.eventlog.open import open_store
from shared.eventlog.store import Changes, CodeTaken, Store, VersionConflict
from shared.events.commitments import OrganizationRegistered
from shared.events.facts import Event
from shared.events.registry import EVENT_TYPES
from shared.events.streams import stream_of
from shared.events.texts import composed, folded_code
from shared.events.types import OwnCode
from tests.support.ledger import NOON, event, opened, run_sql

BEFORE = {
    "sqlite": (
        "DROP TRIGGER codes_taken",
        "DROP TRIGGER stored_events_never_update",
        "DROP TRIGGER stored_events_never_delete",
        "DROP TRIGGER stored_events_never_replace",
    ),
    "postgresql": (
        "DROP FUNCTION bitacora_never CASCADE",
        """
        DO $$ BEGIN EXECUTE (
            SELECT string_agg('DROP FUNCTION ' || oid::regprocedure, ';') FROM pg_proc
             WHERE proname = 'bitacora_append' AND 'known_position' = ANY (proargnames)
        ); END $$
        """,
        "DROP TRIGGER codes_taken ON stored_events",
        "DROP FUNCTION bitacora_take_code",
        "DROP FUNCTION bitacora_code_in",
    ),
}
"""What takes a log back to before it knew codes, but for what both engines have in common."""


@pytest.fixture
def log(log_url: str) -> Iterator[Store]:
    with closing(open_store(log_url)) as store:
        store.migrate()
        yield store


def registered(code: str) -> Changes:
    """A commitment is registered."""
    return Changes([event(opened(code), stream_id=stream_of("commitment", code))])


def test_a_code_in_other_capitals_is_taken(log: Store) -> None:
    log.append([registered("EDU-1")], NOON)
    for code in ("edu-1", "Edu-1"):
        with pytest.raises(CodeTaken):
            log.append([registered(code)], NOON)
    with pytest.raises(VersionConflict):
        log.append([registered("EDU-1")], NOON)
    log.append([registered("EDU-2")], NOON)
    assert log.head() == 2


def test_two_of_one_batch_do_not_take_the_same_code(log: Store) -> None:
    with pytest.raises(CodeTaken):
        log.append([registered("EDU-1"), registered("edu-1")], NOON)
    assert log.head() == 0


def test_things_of_different_kinds_may_have_the_same_code(log: Store) -> None:
    log.append([registered("edu")], NOON)
    organization = OrganizationRegistered(code="EDU", name="Education")
    log.append([Changes([event(organization, stream_id=stream_of("organization", "EDU"))])], NOON)
    assert log.spelling("commitment", "Edu") == "edu"
    assert log.spelling("organization", "Edu") == "EDU"
    assert log.spelling("pillar", "EDU") is None


def test_of_many_processes_one_takes_a_code_and_the_others_are_told(log: Store, log_url: str) -> None:
    spellings = [f"{a}{b}{c}-1" for a in "eE" for b in "dD" for c in "uU"]
    failures: list[type[BaseException]] = []
    together = threading.Barrier(len(spellings))

    def take(code: str) -> None:
        with closing(open_store(log_url)) as store:
            store.head()
            together.wait()
            try:
                store.append([registered(code)], NOON)
            except CodeTaken:
                failures.append(CodeTaken)

    threads = [threading.Thread(target=take, args=[code]) for code in spellings]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(failures) == len(spellings) - 1
    assert log.head() == 1


def test_twins_of_an_old_log_stay_two_and_are_meant_by_their_own_spelling_only(
    log: Store, log_url: str
) -> None:
    common = (
        "DROP TABLE codes",
        "DROP TABLE follower_bookmarks",
        "DROP TABLE imports",
        "UPDATE log_version SET version_num = '0002'",
    )
    for statement in (*BEFORE[log_url.partition(":")[0]], *common):
        run_sql(log_url, statement)
    for position, code in enumerate(("EDU-1", "edu-1", "SAL-1"), 1):
        (new,) = registered(code).events
        run_sql(
            log_url,
            "INSERT INTO stored_events (notification_id, originator_id, originator_version, topic, state) "
            "VALUES (%s, %s, 1, %s, %s)",
            position,
            new.stream_id,
            new.data.TYPE,
            codec.stamp(codec.encode(new), position, NOON),
        )
    log.migrate()
    assert [log.spelling("commitment", code) for code in ("EDU-1", "edu-1", "Edu-1", "sal-1")] == [
        "EDU-1",
        "edu-1",
        None,
        "SAL-1",
    ]
    for code in ("Edu-1", "sal-1"):
        with pytest.raises(CodeTaken):
            log.append([registered(code)], NOON)


def test_every_event_that_gives_a_thing_its_code_takes_it() -> None:
    kinds = import_module("shared.eventlog.migrations.versions.0003_codes").KINDS
    coded = {name: field for name, event_type in EVENT_TYPES.items() if (field := own_code(event_type))}
    assert {name: field for name, (_, field) in kinds.items()} == coded


def own_code(event_type: type[Event]) -> str | None:
    """The field of an event with the code of the thing that it begins."""
    limits = get_args(OwnCode)[-1]
    hints = get_type_hints(event_type, include_extras=True).items()
    return next((name for name, hint in hints if limits in getattr(hint, "__metadata__", ())), None)


@given(st.text(max_size=20))
def test_what_differs_in_capitals_or_composition_only_folds_to_the_same(text: str) -> None:
    for other in (unicodedata.normalize("NFD", text), unicodedata.normalize("NFC", text)):
        assert folded_code(other) == folded_code(text)
    assert folded_code(folded_code(text)) == folded_code(text)
    assert composed(composed(text)) == composed(text)
