"""Imports that were asked for are kept until one process has carried them out, once for each key, on both engines."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from uuid import uuid4

import pytest

from shared.errors import KeyReused
from shared.eventlog.imports import (
    ATTEMPTS,
    Asked,
    Claim,
    Failure,
    Imports,
    KeptImport,
    State,
    TooManyOpen,
    Upload,
)
from shared.eventlog.open import open_store
from shared.identity.actor import Actor, Heir, Role
from tests.support.ledger import run_sql

ANA = Heir("ana", "MOP", Role.MINISTRY, inherited=("ROADS",))
UPLOAD = Upload("table.csv", {"table.csv": b"code\n\x00\xff"}, b"source = 'T'")
MANY = 100


@pytest.fixture
def imports(log_url: str) -> Iterator[Imports]:
    with closing(open_store(log_url)) as store:
        store.migrate()
        yield Imports(store)


def ask(
    imports: Imports, name: str = "", *, actor: Actor = ANA, most_open: int = MANY, what: bytes = b""
) -> KeptImport:
    """One more import; the same under the same name."""
    key = (name.encode(), what) if name else None
    return imports.accept(Asked("meetings", "bodies", False, UPLOAD, actor, key), most_open)[0]


def claim(imports: Imports) -> Claim:
    """The next import, which there is."""
    found = imports.claim("meetings")
    assert found is not None
    return found


def state(imports: Imports, kept: KeptImport) -> State:
    found = imports.get("meetings", kept.id)
    assert found is not None
    return found.state


def test_what_was_asked_for_is_kept_with_who_asked_until_it_ends_and_then_what_came_of_it(
    imports: Imports,
) -> None:
    kept = ask(imports)
    assert (kept.state, kept.asked_by, kept.file, kept.report) == (State.WAITING, ANA, "table.csv", None)
    taken = claim(imports)
    assert imports.upload(taken) == UPLOAD
    assert imports.renew(taken, (3, 7))
    assert imports.finish(taken, report=b"{}")
    ended = imports.get("meetings", kept.id)
    assert ended is not None
    assert (ended.state, ended.report, ended.rows_done, ended.rows_read) == (State.DONE, b"{}", 3, 7)
    assert ended.begun_at is not None
    assert ended.ended_at is not None
    assert kept.asked_at <= ended.begun_at <= ended.ended_at
    assert imports.upload(taken) is None, "what was sent is forgotten"
    assert imports.get("commitments", kept.id) is None
    assert imports.get("meetings", uuid4()) is None


def test_each_is_one_processs_at_a_time_and_the_first_comes_first(imports: Imports) -> None:
    first, second = ask(imports), ask(imports)
    one, other = claim(imports), claim(imports)
    assert (one.id, other.id) == (first.id, second.id)
    assert imports.claim("meetings") is None
    assert imports.claim("commitments") is None
    assert imports.figures("meetings")[:2] == (0, 2)


def test_people_take_turns_however_much_one_of_them_has_sent(imports: Imports) -> None:
    first, second, third = ask(imports), ask(imports), ask(imports)
    other = ask(imports, actor=Heir("berta", "MINSAL", Role.MINISTRY))
    begun = []
    for _ in range(4):
        taken = claim(imports)
        imports.finish(taken, report=b"{}")
        begun.append(taken.id)
    assert begun == [first.id, other.id, second.id, third.id]


def test_one_whose_process_is_gone_is_taken_over_and_the_process_learns_it(
    imports: Imports, log_url: str
) -> None:
    kept = ask(imports)
    gone = claim(imports)
    imports.renew(gone, (3, 7))
    run_sql(log_url, "UPDATE imports SET lease_until = asked_at")
    taken = claim(imports)
    assert taken.id == gone.id
    assert not imports.renew(gone)
    assert not imports.finish(gone, report=b"{}")
    assert not imports.give_back(gone, counted=True)
    assert imports.upload(gone) is None
    assert imports.finish(taken, failure=Failure("file-unreadable", "It is no table."))
    found = imports.get("meetings", kept.id)
    assert found is not None
    assert (found.state, found.failure) == (State.FAILED, Failure("file-unreadable", "It is no table."))


def test_one_that_always_breaks_off_fails_and_one_that_was_only_given_back_does_not(imports: Imports) -> None:
    kept = ask(imports)
    for _ in range(2 * ATTEMPTS):
        imports.give_back(claim(imports), counted=False)
    for _ in range(ATTEMPTS):
        imports.give_back(claim(imports), counted=True)
    assert imports.claim("meetings") is None
    found = imports.get("meetings", kept.id)
    assert found is not None
    assert (found.state, found.failure and found.failure.code) == (State.FAILED, "import-broke-off")


def test_one_that_was_called_off_is_nobodys_and_one_that_ended_stays_as_it_is(imports: Imports) -> None:
    waiting, running, done = ask(imports), ask(imports), ask(imports)
    assert imports.cancel(waiting.id)
    taken = claim(imports)
    assert taken.id == running.id
    assert imports.cancel(running.id)
    assert not imports.renew(taken)
    imports.finish(claim(imports), report=b"{}")
    assert not imports.cancel(done.id)
    assert [state(imports, one) for one in (waiting, running, done)] == [
        State.CANCELLED,
        State.CANCELLED,
        State.DONE,
    ]


def test_the_same_request_under_one_key_is_accepted_once_and_another_is_refused(imports: Imports) -> None:
    first = ask(imports, "key", what=b"this")
    assert ask(imports, "key", what=b"this").id == first.id
    imports.finish(claim(imports), report=b"{}")
    assert ask(imports, "key", what=b"this").state is State.DONE
    with pytest.raises(KeyReused):
        ask(imports, "key", what=b"that")
    assert ask(imports, "another", what=b"this").id != first.id


def test_a_caller_has_so_many_open_at_most_and_each_caller_their_own(imports: Imports) -> None:
    ask(imports, most_open=2)
    ask(imports, "key", most_open=2)
    with pytest.raises(TooManyOpen):
        ask(imports, most_open=2)
    assert ask(imports, "key", most_open=2).state is State.WAITING, "one that is there is no more of them"
    ask(imports, actor=Actor("ana", "HEALTH", Role.MINISTRY), most_open=2)
    imports.finish(claim(imports), report=b"{}")
    ask(imports, most_open=2)


def test_a_list_has_the_latest_first_page_by_page_and_ones_own_alone(imports: Imports) -> None:
    berta = Actor("berta", "DCI", Role.DCI)
    asked = [ask(imports, actor=actor).id for actor in (ANA, berta, ANA, ANA)]
    assert [one.id for one in imports.listed("meetings", limit=9)] == asked[::-1]
    assert [one.id for one in imports.listed("meetings", of=berta, limit=9)] == [asked[1]]
    script = Actor("key:1", "DCI", Role.DCI, holder="berta")
    assert [one.id for one in imports.listed("meetings", of=script, limit=9)] == [asked[1]]
    first = imports.listed("meetings", of=ANA, limit=2)
    before = (first[-1].asked_at, first[-1].id)
    rest = imports.listed("meetings", of=ANA, before=before, limit=2)
    assert [one.id for one in (*first, *rest)] == [asked[3], asked[2], asked[0]]


def test_what_ended_long_ago_is_forgotten_and_what_waits_is_not(imports: Imports) -> None:
    done, waiting = ask(imports), ask(imports)
    imports.finish(claim(imports), report=b"{}")
    assert imports.prune(timedelta(days=1)) == 0
    assert imports.prune(-timedelta(days=1)) == 1
    assert imports.get("meetings", done.id) is None
    assert state(imports, waiting) is State.WAITING
